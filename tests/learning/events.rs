//! Decisions are `tracing` events.

use amorsize::Tuner;

use crate::children::Home;

pub(crate) fn plans_are_told_with_the_name_of_the_function() {
    let told = Home::new().play("tell", "").stderr;
    let plans: Vec<_> = told.lines().filter(|line| line.contains("plan=")).collect();
    assert!(!plans.is_empty(), "{told}");
    assert!(plans.iter().all(|line| line.contains("DEBUG amorsize:") && line.contains(r#"function="cube""#)), "{told}");
}

/// The child's part.
pub(crate) fn play() {
    Tuner::new("cube", |n: u64| n * n * n).stream(0..1_000).for_each(drop);
}
