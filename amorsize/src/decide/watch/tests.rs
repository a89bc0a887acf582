//! When threads are doubted, what a check makes of that, and when they are tried again: in seconds made up here.

use super::check::MOST_ALONE;
use super::epoch::ASSUMED;
use super::undone::SHORTEST_PAUSE;
use super::*;
use crate::decide::pilot::Delay;

const SERIAL: f64 = 1e-6;
const ROUND: usize = 200;
const AT_RISK: f64 = 1e-3;

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
        watch.judge(Progress { now, produced, worked: threads * now, ..Progress::default() }, ROUND) == Judgement::Check
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
    watch.probe = Sum::default();
    watch.probed(4_000, 4_000.0 * each, now)
}

/// What the first judgement is of two threads that reach half of nothing.
fn alarm(watch: Watch) -> Judgement {
    let mut watch = watch.risking(AT_RISK);
    watch.saw(Runner::Thread);
    let at =
        |now: f64| Progress { now, produced: (now * 0.3 / SERIAL) as u64, worked: 2.0 * now, ..Progress::default() };
    let mut judged = (1..100).map(|step| watch.judge(at(f64::from(step) * 1e-4), ROUND));
    judged.find(|judgement| *judgement != Judgement::GoOn).unwrap()
}

#[test]
fn an_alarm_is_enough_where_the_loop_was_seen_and_threads_were_never_good() {
    assert!(matches!(alarm(start().seeing_the_loop()), Judgement::Refuted { .. }));
    assert_eq!(alarm(start()), Judgement::Check, "what the loop takes is not sure");
    let mut watch = start().seeing_the_loop();
    watch.was_good = true;
    assert_eq!(alarm(watch), Judgement::Check);
    let many = Watch::new(Progress::default(), 16, SERIAL, 9.0).seeing_the_loop();
    assert_eq!(alarm(many), Judgement::Check, "fewer may do well");
}

#[test]
fn cheap_items_are_checked_against_the_loop_itself() {
    let mut watch = Watch::new(Progress::default(), 2, 50e-9, 1.9);
    watch.saw(Runner::Thread);
    let at =
        |now: f64| Progress { now, produced: (now * 1.9 / 50e-9) as u64, worked: 2.0 * now, ..Progress::default() };
    let checks = (1..60).any(|step| watch.judge(at(f64::from(step) * 1e-4), 4_000) == Judgement::Check);
    assert!(checks);
    assert_eq!(probe(&mut watch, 50e-9, 2e-3), Judgement::Kept);
    assert_eq!(probe(&mut watch, 25e-9, 3e-3), Judgement::Kept, "threads had been good");
    watch.was_good = false;
    assert!(matches!(probe(&mut watch, 25e-9, 4e-3), Judgement::Refuted { .. }));
}

#[test]
fn a_kept_promise_is_never_checked() {
    assert_eq!(first_doubt(&mut start(), 1.8), None);
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
fn nothing_is_judged_before_a_thread_has_begun() {
    let mut watch = start();
    for step in 1..100 {
        let at = Progress { now: f64::from(step) * 1e-3, ..Progress::default() };
        assert_eq!(watch.judge(at, ROUND), Judgement::GoOn);
    }
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
    assert!(watch.most_alone > MOST_ALONE);
    let (_, inflation) = watch.inflation.unwrap();
    assert!(inflation < 1.1, "it may be by chance: {inflation}");
}

#[test]
fn a_few_chunks_alone_may_be_without_the_dear_items_that_slow_threads_down_now_and_then() {
    let dear = 10.0 * SERIAL;
    let checked = |alone: &[f64]| {
        let mut watch = start();
        watch.observed = Sum { items: 1_000, seconds: 2.75e-3, worked: 5.5e-3, wall: 2.75e-3 };
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
    watch.observed = Sum { items: 10, seconds: 1e-3, worked: 1.9e-3, wall: 1e-3 };
    (0..6).for_each(|_| watch.saw_chunk(1, 190e-6, Runner::Thread));
    assert_eq!(check(&mut watch, 1e-3, 185e-6), Judgement::Kept);
}

/// Four checks of threads that reach only so much of the plain loop, although nothing takes longer beside others.
fn checks_of_idle_threads(gain: f64) -> [Judgement; 4] {
    let mut watch = start();
    watch.observed = Sum { items: 1_000, seconds: 1e-3 / gain, worked: 1e-3 / gain, wall: 1e-3 / gain };
    [0; 4].map(|_| {
        (0..6).for_each(|_| watch.saw_chunk(100, SERIAL, Runner::Thread));
        watch.alone.clear();
        watch.alone_seconds = 0.0;
        let judgement = check(&mut watch, 1e-3, SERIAL);
        watch.restart(Progress::default());
        judgement
    })
}

#[test]
fn threads_that_do_not_get_to_run_are_put_up_with_for_a_while_or_for_good_if_they_cost_nothing() {
    let judgements = checks_of_idle_threads(0.92);
    assert_eq!(judgements[..3], [Judgement::Kept; 3]);
    assert!(matches!(judgements[3], Judgement::Refuted { .. }));
    assert_eq!(checks_of_idle_threads(0.99), [Judgement::Kept; 4]);
}

/// What is thought of two threads on even items of 400 µs that have processors for a quarter of their time, which is
/// `seen` or not, while the few items of a check fit into one time slice.
fn on_a_busy_machine(seen: bool) -> Option<Judgement> {
    let item = 400e-6;
    let mut watch = Watch::new(Progress::default(), 2, item, 1.9);
    watch.saw(Runner::Thread);
    for step in 1..100u32 {
        let (now, items) = (f64::from(step) * 16e-3, step * 20);
        watch.saw_chunk(1, item, Runner::Thread);
        let of = if seen { 16e-3 * f64::from(step) } else { 0.0 };
        let delay = Delay { seconds: 0.75 * of, of };
        let at = Progress { now, produced: u64::from(items), worked: 2.0 * now, delay };
        if watch.judge(at, 2) == Judgement::Check {
            (0..MOST_ALONE).for_each(|_| watch.saw_chunk(1, item, Runner::Alone));
            return Some(watch.check(now));
        }
    }
    None
}

#[test]
fn threads_whose_processors_others_keep_are_not_held_against_a_loop_that_had_one() {
    assert_eq!(on_a_busy_machine(true), Some(Judgement::GoOn), "the loop's share of a processor is open");
    assert!(matches!(on_a_busy_machine(false), Some(Judgement::Refuted { .. })));
}

/// Threads that seem to take four times as long as the chunks alone, which are not what was expected; then `after`.
fn second_chance(after: f64) -> Judgement {
    let mut watch = start();
    watch.observed = Sum { items: 100, seconds: 1e-3, worked: 1.9e-3, wall: 1e-3 };
    (0..6).for_each(|_| watch.saw_chunk(1, 20.0 * SERIAL, Runner::Thread));
    assert_eq!(check(&mut watch, 1e-3, 5.0 * SERIAL), Judgement::Kept);
    assert!(!watch.is_undone());
    watch.saw(Runner::Thread);
    let mut judgements = (0..10).map(|_| {
        watch.saw_chunk(1, after, Runner::Thread);
        watch.judge(Progress { now: 1e-3, produced: (2e-3 / after) as u64, worked: 2e-3, ..Progress::default() }, ROUND)
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
    watch.observed = Sum { items: 100, seconds: 1e-3, worked: 1.9e-3, wall: 1e-3 };
    (0..6).for_each(|_| watch.saw_chunk(1, 20.0 * SERIAL, Runner::Thread));
    assert!(matches!(check(&mut watch, 1e-3, 5.0 * SERIAL), Judgement::Refuted { .. }));
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
    let is_on_probation = |is_trusted| started(true).knowing_the_loop(is_trusted).is_on_probation();
    assert!(is_on_probation(false) && !is_on_probation(true));
    let mut watch = started(true).knowing_the_loop(true);
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
    assert!((FIRST_PATIENCE..10.0 * FIRST_PATIENCE).contains(&due), "{due}");
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
            watch.judge(at, ROUND / 10) == Judgement::Check
        })
    };
    assert!(begun(&mut start(), Progress::default()), "otherwise it does");
    let mut watch = start().after(500, Progress::default());
    assert!(!begun(&mut watch, Progress::default()));
    let later = Progress { now: 1.0, produced: 10_000, worked: 2.0, ..Progress::default() };
    watch.restart(later);
    assert!(!begun(&mut watch, later));
}

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
        watch.pause
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

/// Two threads that have a processor for `running` of their time, and reach `gain` of a loop that would have one for
/// `of_loop`: what they are thought of in the end, after how many seconds of chunks alone.
fn beside_others(running: f64, of_loop: f64, gain: f64) -> (Judgement, f64, Watch) {
    let inflation = 2.0 * running / of_loop / gain;
    let mut watch = start();
    watch.saw(Runner::Thread);
    let at = |steps: u32| {
        let worked = f64::from(steps) * 20e-3;
        let produced = (running * worked / inflation / SERIAL) as u64;
        let delay = Delay { seconds: (1.0 - running) * worked, of: worked };
        Progress { now: worked / 2.0, produced, worked, delay }
    };
    let steps = (1..10).find(|&steps| watch.judge(at(steps), ROUND) == Judgement::Check).unwrap();
    (0..8).for_each(|_| watch.saw_chunk(100, inflation * SERIAL, Runner::Thread));
    let chunk = 100.0 * SERIAL / of_loop;
    let judgements = (0..1_000).find_map(|chunks| {
        watch.saw_chunk(100, SERIAL, Runner::Alone);
        watch.saw_alone(Delay { seconds: (1.0 - of_loop) * chunk, of: chunk });
        let judgement = watch.check(at(steps).now);
        (judgement != Judgement::GoOn).then_some((judgement, chunk * f64::from(chunks)))
    });
    match judgements.unwrap() {
        (Judgement::Kept, seconds) => (watch.judge(at(steps + 1), ROUND), seconds, watch),
        (judgement, seconds) => (judgement, seconds, watch),
    }
}

#[test]
fn threads_that_lose_lose_beside_other_programs_too_and_so_does_the_loop() {
    // One other program, one where the system makes both threads share what it leaves, and six.
    for (running, of_loop) in [(2.0 / 3.0, 1.0), (0.5, 1.0), (0.25, 2.0 / 7.0)] {
        let (undone, _, mut watch) = beside_others(running, of_loop, 0.8);
        assert!(matches!(undone, Judgement::Refuted { gain } if (0.75..0.85).contains(&gain)), "{undone:?}");
        let (now, looped) = (watch.losing_since + 20e-3, (9e-3 * of_loop / SERIAL) as usize);
        assert_eq!(watch.looped(now, looped, 9e-3), Undone::GoOn, "the pause goes on");
        let inflation = 2.0 * running / of_loop / 0.8;
        let serial = watch.serial(&Costs { item: inflation * SERIAL / running, ..Costs::default() }, 2);
        assert!((0.9..1.1).contains(&(serial * of_loop / SERIAL)), "the loop waits too: {serial}");
        watch.restart(Progress::default());
        assert!((0.9..1.1).contains(&(watch.baseline / SERIAL)), "{}", watch.baseline);
        assert!(watch.is_assumed, "others may be gone");
    }
}

#[test]
fn threads_that_win_beside_many_others_stay() {
    let (judgement, alone, _) = beside_others(0.25, 2.0 / 7.0, 1.7);
    assert_eq!(judgement, Judgement::GoOn);
    assert!(alone < 2.0 * since::LONG_ENOUGH, "{alone}");
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
    let serial = |item, threads| watch.serial(&Costs { item, ..Costs::default() }, threads) / SERIAL;
    assert!((0.9..1.1).contains(&serial(16.0 * SERIAL, 64)));
    assert!((0.9..1.1).contains(&serial(1.2 * SERIAL, 16)), "no sixteenth of that");
}

#[test]
fn threads_tried_again_count_as_many_as_they_are() {
    let mut watch = Watch::new(Progress::default(), 64, SERIAL, 60.0);
    watch.resume(Progress::default(), 16);
    assert!(matches!(crowded(&mut watch, 16.0, 5.0), Judgement::Crowded(Crowd { threads: 7, .. })));
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
            watch.judge(Progress { now, produced, worked: 2.0 * now, ..Progress::default() }, 10) == Judgement::Check
        })
    };
    let of_even_items = first_check(1.4, 1.0).unwrap();
    assert!(of_even_items < 2e-3, "{of_even_items}");
    let of_uneven_ones = first_check(1.4, 30.0).unwrap();
    assert!(of_uneven_ones > 2.0 * of_even_items, "300 items may be an eighth dearer than all, 3,000 hardly");
    assert!(first_check(0.4, 1e6).is_some(), "not five times");
}
