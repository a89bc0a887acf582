//! A shorter study than the one of `benches/`, and what it must not lose. Both print their tables (`--nocapture`).

use super::*;

/// Plans of a confidence that are enough to see how many of them were right.
const ENOUGH: u32 = 200;

#[test]
fn little_is_lost_in_first_runs_and_less_with_experience() {
    let regrets = study(&[2, 8], 2);
    println!("{regrets}");
    let [cold, _, experienced, _] = regrets.total;
    assert!(cold.mean <= 0.10, "in first runs: {cold:?}");
    assert!(experienced.mean <= 0.03 && experienced.p95 <= 0.10, "after three runs: {experienced:?}");
}

#[test]
fn confidence_is_the_chance_to_be_right() {
    let reliability = reliability(&[2, 8], 2, 50);
    println!("{reliability}");
    let mut claims = reliability.claims(ENOUGH).peekable();
    assert!(claims.peek().is_some());
    for (confidence, right) in claims {
        assert!((confidence - right).abs() <= 0.1, "{right:.2} of plans given {confidence:.2}");
    }
}

#[test]
fn the_same_study_always_finds_the_same() {
    assert_eq!(study(&[2], 1).total, study(&[2], 1).total);
}
