//! When threads are doubted, what a check makes of that, and when they are tried again: in seconds made up here.
//!
//! - here: doubts
//! - [`checks`]: what a check shows
//! - [`busy`]: where others use the processors as well
//! - [`undone`]: the plain loop after threads were undone

mod busy;
mod checks;
mod undone;

use super::check::FIRST_REST;
use super::epoch::ASSUMED;
use super::*;

const SERIAL: f64 = 1e-6;
const ROUND: usize = 200;
const AT_RISK: f64 = 1e-3;
/// What is left for threads to do.
const LEFT: f64 = 1.0;

fn start() -> Watch {
    Watch::new(Progress::default(), 2, SERIAL, 1.9)
}

/// The same where memory may make threads lose, or not.
fn started(needs_proof: bool) -> Watch {
    start().risking(if needs_proof { AT_RISK } else { 0.0 })
}

/// Feeds up to a second of steady progress on two busy threads that reach `gain` times the plain loop; when a check
/// was asked for.
fn first_doubt(watch: &mut Watch, gain: f64) -> Option<f64> {
    doubted(watch, 2.0, 2.0 / gain)
}

/// The same on busy threads that make an item take `inflation` times as long.
fn doubted(watch: &mut Watch, threads: f64, inflation: f64) -> Option<f64> {
    watch.saw(Runner::Thread);
    (1..10_000).map(|step| f64::from(step) * 1e-4).find(|&now| {
        watch.saw_chunk(100, inflation * SERIAL, Runner::Thread);
        let produced = (now * threads / inflation / SERIAL) as u64;
        watch.judge(Progress { now, produced, worked: threads * now, ..Progress::default() }, ROUND, LEFT)
            == Judgement::Check
    })
}

/// Runs chunks alone until that decides.
fn check(watch: &mut Watch, now: f64, each: f64) -> Judgement {
    let mut checks = (0..64).map(|_| {
        watch.saw_chunk(100, each, Runner::Alone);
        watch.check(now)
    });
    checks.find(|checked| *checked != Judgement::GoOn).unwrap()
}

/// Runs a stretch of the plain loop instead of chunks alone.
fn probe(watch: &mut Watch, each: f64, now: f64) -> Judgement {
    watch.checking.begin();
    watch.probed(4_000, 4_000.0 * each, now)
}

fn seeing_the_loop(mut watch: Watch) -> Watch {
    watch.see_the_loop();
    watch
}

/// Threads that need proof, where the loop is known.
fn knowing_the_loop(is_trusted: bool) -> Watch {
    let mut watch = started(true);
    watch.know_the_loop(is_trusted);
    watch
}

/// What the first judgement is of two threads that reach half of nothing.
fn alarm(watch: Watch) -> Judgement {
    first_judgement(watch.risking(AT_RISK), 0.3).1
}

/// When two threads of such a gain are first judged, and how.
fn first_judgement(mut watch: Watch, gain: f64) -> (f64, Judgement) {
    watch.saw(Runner::Thread);
    let at =
        |now: f64| Progress { now, produced: (now * gain / SERIAL) as u64, worked: 2.0 * now, ..Progress::default() };
    let times = (1..100).map(|step| f64::from(step) * 1e-4);
    let mut judged = times.map(|now| (now, watch.judge(at(now), ROUND, LEFT)));
    judged.find(|(_, judgement)| *judgement != Judgement::GoOn).unwrap()
}

#[test]
fn an_alarm_is_enough_where_the_loop_was_seen_and_threads_were_never_good() {
    assert!(matches!(alarm(seeing_the_loop(start())), Judgement::Refuted { .. }));
    assert_eq!(alarm(start()), Judgement::Check, "what the loop takes is not sure");
    let mut watch = seeing_the_loop(start());
    watch.was_good = true;
    assert_eq!(alarm(watch), Judgement::Check);
    let [seen, assumed] = [seeing_the_loop(start()), start()].map(|watch| first_judgement(watch, 0.6).0);
    assert!(2.0 * seen < assumed, "{seen}, {assumed}");
    let many = seeing_the_loop(Watch::new(Progress::default(), 16, SERIAL, 9.0));
    assert_eq!(alarm(many), Judgement::Check, "fewer may do well");
}

#[test]
fn a_kept_promise_is_never_checked() {
    assert_eq!(first_doubt(&mut start(), 1.8), None);
}

#[test]
fn threads_that_are_to_be_checked_may_seem_good() {
    let seems_good = |gain| {
        let mut watch = started(true);
        first_doubt(&mut watch, gain).unwrap();
        watch.seems_good()
    };
    assert!(seems_good(1.8) && !seems_good(0.9));
    assert!(!start().seems_good(), "nothing was seen");
}

#[test]
fn nothing_is_judged_before_a_thread_has_begun() {
    let mut watch = start();
    for step in 1..100 {
        let at = Progress { now: f64::from(step) * 1e-3, ..Progress::default() };
        assert_eq!(watch.judge(at, ROUND, LEFT), Judgement::GoOn);
    }
}

#[test]
fn threads_on_probation_are_checked_sooner_and_though_items_seem_dearer() {
    let doubt = |needs_proof, gain| first_doubt(&mut started(needs_proof), gain);
    assert!(doubt(true, 0.9) < doubt(false, 0.9), "one bad epoch is enough");
    let [soon, late] = [true, false].map(|needs_proof| doubt(needs_proof, 0.15).unwrap());
    assert!(4.0 * soon < late, "{soon} {late}");
}

#[test]
fn items_that_are_dearer_than_freeing_memory_ever_is_end_the_probation() {
    let mut watch = started(true);
    assert!(watch.is_on_probation());
    assert!(first_doubt(&mut watch, 0.02) > Some(ASSUMED), "an item takes 100 µs instead of 1");
    assert!(!watch.is_on_probation());
}

#[test]
fn what_earlier_runs_have_proven_needs_no_probation() {
    let is_on_probation = |is_trusted| knowing_the_loop(is_trusted).is_on_probation();
    assert!(is_on_probation(false) && !is_on_probation(true));
    let mut watch = knowing_the_loop(true);
    let undone = first_doubt(&mut watch, 0.3).unwrap();
    assert!(matches!(check(&mut watch, undone, SERIAL), Judgement::Refuted { .. }));
    assert!(watch.is_on_probation(), "they did well, but do not any more");
}

#[test]
fn a_proof_is_good_for_a_while() {
    let rechecked = |needs_proof| {
        let mut watch = started(needs_proof);
        assert_eq!(probe(&mut watch, 1.9 * SERIAL, 0.0), Judgement::Kept);
        first_doubt(&mut watch, 1.9)
    };
    let due = rechecked(true).unwrap();
    assert!((FIRST_REST..10.0 * FIRST_REST).contains(&due), "{due}");
    assert_eq!(rechecked(false), None);
}

#[test]
fn what_threads_make_first_of_large_results_does_not_count_whenever_they_begin() {
    const SLOW: f64 = 1.25e-3;
    // The first 500 take five times as long as those that follow.
    let begun = |watch: &mut Watch, begin: Progress| {
        watch.saw(Runner::Thread);
        (1..40).map(|step| f64::from(step) * 1e-4).any(|since| {
            let made = if since < SLOW { since * 500.0 / SLOW } else { 500.0 + (since - SLOW) * 2.0 / SERIAL } as u64;
            let (now, produced) = (begin.now + since, begin.produced + made);
            let at = Progress { now, produced, worked: begin.worked + 2.0 * since, ..Progress::default() };
            watch.judge(at, ROUND / 10, LEFT) == Judgement::Check
        })
    };
    assert!(begun(&mut start(), Progress::default()), "otherwise it does");
    let mut watch = start().after(500, Progress::default());
    assert!(!begun(&mut watch, Progress::default()));
    let later = Progress { now: 1.0, produced: 10_000, worked: 2.0, ..Progress::default() };
    watch.restart(later);
    assert!(!begun(&mut watch, later));
}

/// Two threads whose first items told the watch so much of the plain loop, before threads began (if all were alike) and
/// in all, and that
/// make items take `inflation` times as long as alone: when that is looked into, with so much `left` to do.
fn looked_into(alone: Option<(f64, bool)>, first: f64, inflation: f64, left: f64) -> Option<f64> {
    let mut watch = Watch::new(Progress::default(), 2, first * SERIAL, 1.9);
    watch.expect_undisturbed(alone.map(|(alone, _)| alone * SERIAL), alone.is_some_and(|(_, are_alike)| are_alike));
    watch.saw(Runner::Thread);
    (1..200).map(|step| f64::from(step) * 1e-4).find(|&now| {
        let produced = (now * 2.0 / inflation / SERIAL) as u64;
        watch.judge(Progress { now, produced, worked: 2.0 * now, ..Progress::default() }, ROUND, left)
            == Judgement::Check
    })
}

#[test]
fn what_the_loop_takes_is_looked_into_where_first_items_ran_beside_threads_only_and_much_is_left() {
    let [none, like_the_others] = [None, Some((1.0, true))];
    assert!(looked_into(none, 1.9, 1.9, LEFT).unwrap() < 1e-3, "they may have been in each other's way");
    assert!(looked_into(none, 1.0, 1.0, LEFT).unwrap() < 1e-3, "or not: nobody knows");
    assert_eq!(looked_into(like_the_others, 1.0, 1.0, LEFT), None);
    assert_eq!(looked_into(none, 1.0, 1.0, 1e-3), None, "it would take too much of what is left");
    let contended = |are_alike| looked_into(Some((1.0, are_alike)), 1.9, 1.9, 1e-3);
    assert!(contended(true).unwrap() < 2e-3, "two are hardly faster than one was alone");
    assert_eq!(contended(false), None, "items may differ");
}

#[test]
fn one_chunk_alone_bears_out_threads_of_which_nothing_bad_is_known() {
    let mut watch = start();
    watch.expect_undisturbed(None, false);
    let doubted = first_doubt(&mut watch, 1.9).unwrap();
    watch.saw_chunk(100, SERIAL, Runner::Alone);
    assert_eq!(watch.check(doubted), Judgement::Kept);
    watch.restart(Progress::default());
    assert_eq!(first_doubt(&mut watch, 1.9), None, "once is enough");
    let mut watch = start();
    watch.expect_undisturbed(None, false);
    let doubted = first_doubt(&mut watch, 0.8).unwrap();
    watch.saw_chunk(100, SERIAL, Runner::Alone);
    assert_eq!(watch.check(doubted), Judgement::GoOn, "one is no proof against them");
    assert!(matches!(check(&mut watch, doubted, SERIAL), Judgement::Refuted { .. }));
}

#[test]
fn threads_that_are_blocked_gain_nothing_by_that() {
    // Two threads, of which one always waits for the other: each item takes them twice as long as the loop is thought
    // to take, which is twice as long as it does.
    let blocked_alone = |mut watch: Watch, share: f64| {
        watch.is_blocked_alone(share);
        watch
    };
    let checked = |blocked: f64, alone: f64| {
        let mut watch = blocked_alone(Watch::new(Progress::default(), 2, 2.0 * SERIAL, 1.9), alone);
        watch.saw(Runner::Thread);
        (1..200).map(|step| f64::from(step) * 1e-4).find(|&now| {
            let (produced, worked) = ((now / SERIAL) as u64, 2.0 * now);
            let delay = Delay { blocked: blocked * worked, of: worked, ..Delay::default() };
            watch.judge(Progress { now, produced, worked, delay }, ROUND, 1e-3) == Judgement::Check
        })
    };
    assert_eq!(checked(0.0, 0.0), None, "twice as fast as it should be");
    assert!(checked(0.5, 0.0).unwrap() < 2e-3);
    assert_eq!(checked(0.5, 0.5), None, "so is the loop");
    let recorded = |blocked: f64, alone: f64| {
        let delay = Delay { blocked, of: 1.0, ..Delay::default() };
        let costs = Costs { item: 2.0 * SERIAL, spread: 1.0, ..Costs::default() };
        blocked_alone(start(), alone).serial(&costs, 2, Progress { delay, ..Progress::default() }) / SERIAL
    };
    assert_eq!([recorded(0.0, 0.0), recorded(0.5, 0.0), recorded(0.5, 0.5)], [2.0, 1.0, 2.0]);
}

#[test]
fn chunks_alone_show_for_how_long_the_loop_is_blocked() {
    // Each item computes and sleeps for equally long, on one of two threads or alone: even ones, and others.
    for uneven in [1.0, 30.0] {
        let mut watch = start();
        let costs = [SERIAL, uneven * SERIAL];
        let all = 500.0 * costs.iter().sum::<f64>();
        watch.baseline = all / 1e3;
        watch.observed = Sum { items: 1_000, seconds: all / 2.0, worked: all, computed: all / 2.0, wall: all / 2.0 };
        costs.iter().cycle().take(32).for_each(|cost| watch.saw_chunk(100, cost / 2.0, Runner::Thread));
        watch.checking.begin();
        let judged = costs.iter().cycle().take(32).find_map(|cost| {
            watch.saw_alone(Delay { blocked: 50.0 * cost, of: 100.0 * cost, ..Delay::default() });
            watch.saw_chunk(100, cost / 2.0, Runner::Alone);
            Some(watch.check(1e-3)).filter(|judged| *judged != Judgement::GoOn)
        });
        assert_eq!(judged, Some(Judgement::Kept));
        assert!((1.9..=2.0).contains(&(watch.accepted / 0.8)), "{}", watch.accepted);
    }
}

#[test]
fn items_far_too_dear_for_contention_are_checked_later() {
    let mut watch = start();
    let doubted = doubted(&mut watch, 2.0, 30.0).unwrap();
    assert!((ASSUMED..10.0 * ASSUMED).contains(&doubted), "{doubted}");
    assert_eq!(check(&mut watch, doubted, 30.0 * SERIAL), Judgement::Kept);
    assert!(!watch.is_assumed);
    let mut watch = start();
    let doubted = self::doubted(&mut watch, 2.0, 7.0).unwrap();
    assert!(doubted < 2e-3, "two threads may do that to each other: {doubted}");
}

#[test]
fn uneven_items_are_given_the_benefit_of_the_doubt() {
    // Threads reach `gain` where 1.9 was promised, in chunks of one item, every other one of which takes `uneven` times
    // as long.
    let first_check = |gain: f64, uneven: f64| {
        let mut watch = start();
        watch.saw(Runner::Thread);
        (1..100).map(|step| f64::from(step) * 1e-4).find(|&now| {
            let even = 2.0 / gain * SERIAL;
            (0..20).for_each(|chunk| {
                watch.saw_chunk(1, if chunk % 2 == 0 { even } else { uneven * even }, Runner::Thread)
            });
            let produced = (now * gain / SERIAL) as u64;
            watch.judge(Progress { now, produced, worked: 2.0 * now, ..Progress::default() }, 10, LEFT)
                == Judgement::Check
        })
    };
    let of_even_items = first_check(1.4, 1.0).unwrap();
    assert!(of_even_items < 2e-3, "{of_even_items}");
    let of_uneven_ones = first_check(1.4, 30.0).unwrap();
    assert!(of_uneven_ones > 2.0 * of_even_items, "300 items may be an eighth dearer than all, 3,000 hardly");
    assert!(first_check(0.4, 1e6).is_some(), "not five times");
}

#[test]
fn chance_explains_that_threads_seem_a_loss_for_an_epoch_but_not_again_and_again() {
    // One chunk in fifty takes five hundred times as long: by chance, or since another thread keeps a lock.
    const EACH: f64 = 100e-6;
    let checked = |gain: f64| {
        let mut watch = Watch::new(Progress::default(), 2, EACH, 1.9);
        watch.saw(Runner::Thread);
        (1..200_u32).find(|step| {
            (0..50).for_each(|chunk| {
                watch.saw_chunk(1, if chunk == 0 { 500.0 * EACH } else { EACH }, Runner::Thread);
            });
            let now = f64::from(*step) * 1e-3;
            let produced = (now * gain / EACH) as u64;
            watch.judge(Progress { now, produced, worked: 2.0 * now, ..Progress::default() }, 2, LEFT)
                == Judgement::Check
        })
    };
    assert_eq!(checked(1.1), None, "they do some good, and may do all that was promised");
    assert!(checked(0.86).is_some_and(|milliseconds| milliseconds < 10));
}
