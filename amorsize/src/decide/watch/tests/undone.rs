//! After threads were undone: how long the plain loop goes on.

use super::super::undone::SHORTEST_PAUSE;
use super::*;

#[test]
fn an_undone_plan_is_tried_again_after_a_pause_that_grows() {
    let mut watch = start();
    let mut pauses = Vec::new();
    for _ in 0..2 {
        let undone = first_doubt(&mut watch, 0.5).unwrap();
        assert!(matches!(check(&mut watch, undone, SERIAL), Judgement::Refuted { .. }));
        let mut now = undone;
        while watch.looped(now, 100, 100.0 * SERIAL) == Undone::GoOn {
            now += 100.0 * SERIAL;
        }
        pauses.push(now - undone);
        watch.restart(Progress::default());
    }
    assert!(pauses[0] >= SHORTEST_PAUSE && pauses[1] >= 1.9 * pauses[0], "{pauses:?}");
}

#[test]
fn what_an_attempt_has_lost_in_all_decides_when_there_is_another() {
    let pause = |found_out: f64| {
        let mut watch = start();
        first_doubt(&mut watch, 0.5).unwrap();
        assert!(matches!(check(&mut watch, found_out, SERIAL), Judgement::Refuted { .. }));
        watch.pause.last
    };
    assert!((pause(40e-3) / pause(20e-3) - 2.0).abs() < 0.1, "{} {}", pause(40e-3), pause(20e-3));
}

#[test]
fn a_plan_undone_by_mistake_is_tried_again_soon() {
    let mut watch = start();
    let undone = first_doubt(&mut watch, 0.7).unwrap();
    assert!(matches!(check(&mut watch, undone, SERIAL), Judgement::Refuted { .. }));
    // The loop now takes twice what the chunks alone took: more than threads did.
    assert_eq!(watch.looped(undone + 6e-3, 3_000, 6e-3), Undone::Over);
}

#[test]
fn one_interrupted_stretch_does_not_make_items_dear() {
    let mut watch = start();
    let undone = first_doubt(&mut watch, 0.5).unwrap();
    check(&mut watch, undone, SERIAL);
    let shown = [100.0, 1.0, 100.0, 100.0, 100.0].map(|times| watch.looped(undone, 1, times * SERIAL));
    assert_eq!(shown[..4], [Undone::GoOn; 4]);
    assert_eq!(shown[4], Undone::Outdated);
}
