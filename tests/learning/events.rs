//! Decisions are `tracing` events.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Command;

use amorsize::Tuner;

use crate::children::Home;

pub(crate) fn plans_are_told_with_the_name_of_the_function() {
    let told = Home::new().play("tell", "").stderr;
    let plans: Vec<_> = told.lines().filter(|line| line.contains("plan=")).collect();
    assert!(!plans.is_empty(), "{told}");
    assert!(plans.iter().all(|line| line.contains("DEBUG amorsize:") && line.contains(r#"function="cube""#)), "{told}");
}

/// Of trouble with the environment, and with a history that has to be mended.
pub(crate) fn whoever_listens_may_ask_back() {
    let home = Home::new();
    assert!(home.play("record", "3").ok);
    let mut history = OpenOptions::new().append(true).open(home.history()).unwrap();
    history.write_all(b"noise").unwrap();
    let nonsense = |command: &mut Command| {
        command.env("AMORSIZE", "nonsense").env("AMORSIZE_THREADS", "nonsense");
        Home::played(command)
    };
    let played = nonsense(&mut home.command("ask back", ""));
    assert!(played.ok && played.warnings().len() == 3, "{:?} {}", played.code, played.stderr);

    let exported = home.path().join("exported");
    assert!(home.play("export", exported.to_str().unwrap()).ok);
    let played = nonsense(&mut Home::new().command("import and ask back", exported.to_str().unwrap()));
    assert!(played.ok && played.warnings().len() == 2, "{:?} {}", played.code, played.stderr);
}

/// The child's part.
pub(crate) fn play() {
    Tuner::new("cube", |n: u64| n * n * n).stream(0..1_000).for_each(drop);
}
