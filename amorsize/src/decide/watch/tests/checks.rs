//! What a check shows of threads, and what becomes of them.

use super::super::check::MOST_ALONE;
use super::*;

#[test]
fn cheap_items_are_checked_against_the_loop_itself() {
    let mut watch = Watch::new(Progress::default(), 2, 50e-9, 1.9);
    watch.saw(Runner::Thread);
    let at =
        |now: f64| Progress { now, produced: (now * 1.9 / 50e-9) as u64, worked: 2.0 * now, ..Progress::default() };
    let checks = (1..60).any(|step| watch.judge(at(f64::from(step) * 1e-4), 4_000, LEFT) == Judgement::Check);
    assert!(checks);
    assert_eq!(probe(&mut watch, 50e-9, 2e-3), Judgement::Kept);
    assert_eq!(probe(&mut watch, 25e-9, 3e-3), Judgement::Kept, "threads had been good");
    watch.was_good = false;
    assert!(matches!(probe(&mut watch, 25e-9, 4e-3), Judgement::Refuted { .. }));
}

#[test]
fn threads_may_make_items_dear_that_are_cheap_in_the_loop() {
    let dear = 3.0 * FREED_AT_ONCE;
    assert!(started(true).needs_probe(dear) && !started(false).needs_probe(dear));
    assert!(!Watch::new(Progress::default(), 2, dear, 1.9).risking(AT_RISK).needs_probe(dear));
}

#[test]
fn a_plan_slower_than_the_loop_is_checked_within_a_millisecond_and_undone() {
    let mut watch = start();
    let doubted = first_doubt(&mut watch, 0.5).unwrap();
    assert!(doubted <= 1.5e-3, "{doubted}");
    let Judgement::Refuted { gain } = check(&mut watch, doubted, SERIAL) else { panic!("{watch:?}") };
    assert!((0.4..0.6).contains(&gain), "{gain}");
    assert!(watch.is_undone());
}

#[test]
fn what_ran_beside_threads_only_may_have_taken_longer_than_it_does() {
    // Items take three times as long beside threads, some of which the loop was measured beside.
    let checked = |is_unseen: bool| {
        let mut watch = Watch::new(Progress::default(), 2, 2.0 * SERIAL, 1.9);
        if is_unseen {
            watch.expect_undisturbed(None, false);
        }
        let doubted = doubted(&mut watch, 2.0, 3.0).unwrap();
        check(&mut watch, doubted, SERIAL)
    };
    assert!(matches!(checked(true), Judgement::Refuted { .. }));
    assert_eq!(checked(false), Judgement::Kept, "they may have become cheaper: a second chance");
}

#[test]
fn items_that_take_a_thousandth_of_what_they_did_beside_threads_are_other_items() {
    // Some dear ones, beside each other, and then cheap ones.
    let checked = |times: f64| {
        let mut watch = Watch::new(Progress::default(), 2, times * SERIAL, 1.9);
        watch.expect_undisturbed(None, false);
        watch.observed = Sum { items: 80, seconds: 1.2e-3, worked: 2.4e-3, computed: 2.4e-3, wall: 1.2e-3 };
        (0..12).for_each(|_| watch.saw_chunk(1, SERIAL, Runner::Thread));
        check(&mut watch, 2e-3, SERIAL)
    };
    assert_eq!(checked(1_000.0), Judgement::Kept, "a second chance");
    assert!(matches!(checked(4.0), Judgement::Refuted { .. }), "they were in each other's way");
}

#[test]
fn a_modest_gain_is_confirmed_and_then_left_alone() {
    let mut watch = start();
    let doubted = first_doubt(&mut watch, 1.3).unwrap();
    assert_eq!(check(&mut watch, doubted, SERIAL), Judgement::Kept);
    watch.restart(Progress::default());
    assert_eq!(first_doubt(&mut watch, 1.3), None);
}

#[test]
fn dearer_items_are_not_mistaken_for_a_bad_plan() {
    let mut watch = start();
    let doubted = first_doubt(&mut watch, 0.01).unwrap();
    assert_eq!(check(&mut watch, doubted, 190.0 * SERIAL), Judgement::Kept, "a chunk alone is as slow");
}

#[test]
fn items_much_cheaper_than_thought_are_checked_once() {
    let after = |times| {
        let mut watch = Watch::new(Progress::default(), 2, times * SERIAL, 1.9);
        (first_doubt(&mut watch, 1.9).unwrap(), watch)
    };
    assert!(after(3.0).0 >= 2e-3, "they may still pay");
    let (doubted, mut watch) = after(30.0);
    assert!(doubted <= 0.5e-3, "{doubted}: nothing speaks for threads any more");
    assert_eq!(check(&mut watch, doubted, SERIAL), Judgement::Kept);
    watch.restart(Progress::default());
    assert_eq!(first_doubt(&mut watch, 1.9), None);
}

#[test]
fn uneven_items_refute_nothing_until_there_are_many() {
    let mut watch = start();
    let uneven = [1.0, 40.0, 3.0, 0.5, 12.0, 90.0, 2.0, 7.0].map(|times| times * SERIAL);
    uneven.iter().for_each(|&each| watch.saw_chunk(1, 3.0 * each, Runner::Thread));
    uneven.iter().for_each(|&each| watch.saw_chunk(1, each, Runner::Alone));
    assert_eq!(watch.check(1e-3), Judgement::Kept);
    assert!(watch.checking.most > MOST_ALONE);
    let (_, inflation) = watch.inflation.unwrap();
    assert!(inflation < 1.1, "it may be by chance: {inflation}");
}

#[test]
fn a_few_chunks_alone_may_be_without_the_dear_items_that_slow_threads_down_now_and_then() {
    let dear = 10.0 * SERIAL;
    let checked = |alone: &[f64]| {
        let mut watch = start();
        watch.observed = Sum { items: 1_000, seconds: 2.75e-3, worked: 5.5e-3, computed: 5.5e-3, wall: 2.75e-3 };
        [SERIAL, dear].iter().cycle().take(12).for_each(|&each| watch.saw_chunk(100, each, Runner::Thread));
        let mut checks = alone.iter().map(|&each| {
            watch.saw_chunk(100, each, Runner::Alone);
            watch.check(1e-3)
        });
        checks.find(|judgement| *judgement != Judgement::GoOn)
    };
    assert_eq!(checked(&[SERIAL; 7]), None);
    assert!(matches!(checked(&[SERIAL; MOST_ALONE]), Some(Judgement::Refuted { .. })), "there are none");
    assert_eq!(checked(&[SERIAL, SERIAL, SERIAL, SERIAL, dear, SERIAL, dear, dear]), Some(Judgement::Kept));
}

#[test]
fn a_check_ends_where_nothing_was_seen_beside_others() {
    let mut watch = start();
    let mut uneven = [1.0, 40.0, 3.0, 0.5, 12.0, 90.0, 2.0, 7.0].into_iter().cycle();
    let mut checks = (0..64).map(|_| {
        watch.saw_chunk(1, uneven.next().unwrap() * SERIAL, Runner::Alone);
        watch.check(1e-3)
    });
    assert!(checks.any(|judgement| judgement != Judgement::GoOn));
}

#[test]
fn busy_threads_that_inflate_nothing_are_a_gain_whatever_items_cost() {
    let mut watch = start();
    watch.observed = Sum { items: 10, seconds: 1e-3, worked: 1.9e-3, computed: 1.9e-3, wall: 1e-3 };
    (0..6).for_each(|_| watch.saw_chunk(1, 190e-6, Runner::Thread));
    assert_eq!(check(&mut watch, 1e-3, 185e-6), Judgement::Kept);
}

/// Threads that seem to take four times as long as the chunks alone, which are not what was expected; then `after`.
fn second_chance(after: f64) -> Judgement {
    let mut watch = start();
    watch.observed = Sum { items: 100, seconds: 1e-3, worked: 1.9e-3, computed: 1.9e-3, wall: 1e-3 };
    (0..6).for_each(|_| watch.saw_chunk(1, 20.0 * SERIAL, Runner::Thread));
    assert_eq!(check(&mut watch, 1e-3, 5.0 * SERIAL), Judgement::Kept);
    assert!(!watch.is_undone());
    watch.saw(Runner::Thread);
    let mut judgements = (0..10).map(|_| {
        watch.saw_chunk(1, after, Runner::Thread);
        watch.judge(
            Progress { now: 1e-3, produced: (2e-3 / after) as u64, worked: 2e-3, ..Progress::default() },
            ROUND,
            LEFT,
        )
    });
    judgements.find(|judgement| *judgement != Judgement::GoOn).unwrap_or(Judgement::GoOn)
}

#[test]
fn items_that_drift_are_no_fault_of_threads() {
    assert_eq!(second_chance(5.0 * SERIAL), Judgement::GoOn);
}

#[test]
fn threads_that_are_bad_before_and_after_are_undone() {
    assert!(matches!(second_chance(20.0 * SERIAL), Judgement::Refuted { .. }));
}

#[test]
fn threads_that_need_proof_get_no_second_chance() {
    let mut watch = started(true);
    watch.observed = Sum { items: 100, seconds: 1e-3, worked: 1.9e-3, computed: 1.9e-3, wall: 1e-3 };
    (0..6).for_each(|_| watch.saw_chunk(1, 20.0 * SERIAL, Runner::Thread));
    assert!(matches!(check(&mut watch, 1e-3, 5.0 * SERIAL), Judgement::Refuted { .. }));
}

/// What comes of threads that make an item take `inflation` times as long.
fn crowded(watch: &mut Watch, threads: f64, inflation: f64) -> Judgement {
    let doubted = doubted(watch, threads, inflation).unwrap();
    check(watch, doubted, SERIAL)
}

#[test]
fn far_too_many_threads_become_fewer_at_once() {
    let crowd = |inflation| crowded(&mut Watch::new(Progress::default(), 64, SERIAL, 60.0), 64.0, inflation);
    assert!(matches!(crowd(16.0), Judgement::Crowded(Crowd { threads: 16, .. })), "a lock for a quarter of an item");
    assert!(matches!(crowd(400.0), Judgement::Crowded(Crowd { threads: 3, .. })), "worse than the plain loop");
    assert_eq!(crowd(3.5), Judgement::Kept);
}

#[test]
fn what_many_threads_did_to_each_other_is_not_held_against_fewer() {
    let mut watch = Watch::new(Progress::default(), 64, SERIAL, 60.0);
    assert!(matches!(crowded(&mut watch, 64.0, 16.0), Judgement::Crowded(Crowd { threads: 16, .. })));
    let serial =
        |item, threads| watch.serial(&Costs { item, ..Costs::default() }, threads, watch.since.begun()) / SERIAL;
    assert!((0.9..1.1).contains(&serial(16.0 * SERIAL, 64)));
    assert!((0.9..1.1).contains(&serial(1.2 * SERIAL, 16)), "no sixteenth of that");
}

#[test]
fn threads_tried_again_count_as_many_as_they_are() {
    let mut watch = Watch::new(Progress::default(), 64, SERIAL, 60.0);
    watch.resume(Progress::default(), 16);
    assert!(matches!(crowded(&mut watch, 16.0, 5.0), Judgement::Crowded(Crowd { threads: 7, .. })));
}
