//! Options and outcomes at the ends of their ranges, with a history to predict from.

use std::time::Duration;

use amorsize::{Outcome, Plan, Pool, Tuner};

use crate::children::Home;

pub(crate) fn options_at_the_ends_of_their_ranges_find_a_plan() {
    for how in ["computing", "waiting", "many", "extreme"] {
        let home = Home::new();
        let played = Home::played(&mut home.command("extremes", how));
        assert!(played.ok && played.stdout == "24 plans\n", "{how}: {}{}", played.stdout, played.stderr);
    }
}

fn is_sound(plan: &Plan) -> bool {
    plan.threads() >= 1 && (1..=plan.buffer_size()).contains(&plan.chunk_size()) && plan.expected_speedup() > 0.0
}

/// Plans with every extreme, for inputs of unknown length, and of a length that no one will live to see.
pub(crate) fn play(how: &str) {
    let plain = || Tuner::new("extreme", |item: u64| item + 1);
    let usual = || Outcome::new(10_000, Duration::from_millis(1));
    let outcome = match how {
        "computing" => usual().threads(2).speedup(1.9),
        "waiting" => usual().threads(64).speedup(60.0),
        "many" => Outcome::new(1 << 60, Duration::from_nanos(1)),
        _ => Outcome::new(u64::MAX, Duration::MAX).threads(65_536).chunk_size(usize::MAX).buffer_size(usize::MAX),
    };
    // What cannot be true is refused; whatever is not must do no harm.
    let refused = (0..4).filter(|_| plain().record(outcome.clone()).is_err()).count();
    assert!(refused == 0 || how == "extreme");
    let (max, longest, shortest) = (usize::MAX, Duration::MAX, Duration::from_nanos(1));
    let tuners = [
        plain().threads(max),
        plain().threads(max).pool(Pool::Blocking),
        plain().max_blocking_threads(max),
        plain().max_blocking_threads(max).pool(Pool::Blocking),
        plain().chunk_size(max),
        plain().buffer_size(max),
        plain().estimated_item_time(longest),
        plain().estimated_item_time(shortest),
        plain().target_chunk_duration(longest),
        plain().target_chunk_duration(shortest),
        plain().result_bytes(max),
        plain().result_bytes(max).estimated_item_time(longest).max_blocking_threads(max).chunk_size(max),
    ];
    let mut plans = 0;
    for tuner in tuners {
        let tuner = tuner.online_learning(false).confidence_threshold(0.0);
        plans += usize::from(is_sound(tuner.stream(0..).plan()));
        plans += usize::from(is_sound(tuner.stream((0..).filter(|_| true)).plan()));
        let _ = tuner.predict(usize::MAX).map(|prediction| prediction.to_string());
    }
    println!("{plans} plans");
}
