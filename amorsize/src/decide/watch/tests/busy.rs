//! Threads, and a loop, that have their processors for a part of the time.

use super::super::check::MOST_ALONE;
use super::*;
use crate::decide::observed::Delay;

/// Four checks of threads that reach only so much of the plain loop, although nothing takes longer beside others.
fn checks_of_idle_threads(gain: f64) -> [Judgement; 4] {
    let mut watch = start();
    watch.observed = Sum::plain(1_000, 1e-3 / gain);
    [0; 4].map(|_| {
        (0..6).for_each(|_| watch.saw_chunk(100, SERIAL, Runner::Thread));
        watch.checking.begin();
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
        let delay = Delay::ready(0.75 * of, of);
        let at = Progress { now, produced: u64::from(items), worked: 2.0 * now, delay };
        if watch.judge(at, 2, LEFT) == Judgement::Check {
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

/// Two threads that have a processor for `running` of their time, and reach `gain` of a loop that would have one for
/// `of_loop`: what they are thought of in the end, after how many seconds of chunks alone.
fn beside_others(running: f64, of_loop: f64, gain: f64) -> (Judgement, f64, Watch) {
    let inflation = 2.0 * running / of_loop / gain;
    let mut watch = start();
    watch.saw(Runner::Thread);
    let at = |steps: u32| {
        let worked = f64::from(steps) * 20e-3;
        let produced = (running * worked / inflation / SERIAL) as u64;
        let delay = Delay::ready((1.0 - running) * worked, worked);
        Progress { now: worked / 2.0, produced, worked, delay }
    };
    let steps = (1..10).find(|&steps| watch.judge(at(steps), ROUND, LEFT) == Judgement::Check).unwrap();
    (0..8).for_each(|_| watch.saw_chunk(100, inflation * SERIAL, Runner::Thread));
    let chunk = 100.0 * SERIAL / of_loop;
    let judgements = (0..1_000).find_map(|chunks| {
        watch.saw_chunk(100, SERIAL, Runner::Alone);
        watch.saw_alone(Delay::ready((1.0 - of_loop) * chunk, chunk));
        let judgement = watch.check(at(steps).now);
        (judgement != Judgement::GoOn).then_some((judgement, chunk * f64::from(chunks)))
    });
    match judgements.unwrap() {
        (Judgement::Kept, seconds) => (watch.judge(at(steps + 1), ROUND, LEFT), seconds, watch),
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
        let serial =
            watch.serial(&Costs { item: inflation * SERIAL / running, ..Costs::default() }, 2, watch.since.begun());
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
