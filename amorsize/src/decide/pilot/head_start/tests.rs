use std::num::NonZeroUsize;

use super::*;
use crate::decide::pilot::Step;
use crate::decide::situation::{Owns, Situation};
use crate::options::Options;

pub(in super::super) const ITEMS: u64 = 100;

pub(in super::super) fn left(items: u64) -> Remaining {
    Remaining { lower: items, upper: Some(items) }
}

pub(in super::super) fn begun(options: Options, situation: Situation, items: u64) -> Pilot {
    let mut pilot = Pilot::new(options, situation);
    pilot.get_head_start(left(items), Beside::Thread);
    pilot
}

fn usual() -> Pilot {
    begun(Options::default(), Situation::TWO_CORES, ITEMS)
}

fn at(now: f64, yielded: u64) -> Position {
    Position { now, yielded }
}

/// Pulls the first four items, of which the consumer runs the first one in so many seconds.
fn first_item(pilot: &mut Pilot, seconds: f64) -> Step {
    assert_eq!(pilot.step(at(0.0, 0), left(ITEMS), 1_000), Step::Parallel);
    (0..4).for_each(|_| pilot.pulled(1, 1e-9));
    came_back(pilot, seconds, Runner::Consumer);
    pilot.step(at(seconds, 1), left(ITEMS - 4), 1_000)
}

pub(in super::super) fn came_back(pilot: &mut Pilot, seconds: f64, runner: Runner) {
    let clocks = Clocks::All;
    pilot.ran(Ran { items: 1, seconds, clocks, blocked: Some(0.0), result_bytes: 8, runner, ..Ran::default() });
}

#[test]
fn a_long_first_item_is_enough_while_others_are_on_their_way() {
    let mut pilot = usual();
    assert_eq!(first_item(&mut pilot, 1e-3), Step::Parallel);
    let plan = pilot.plan().expect("decided");
    assert_eq!((plan.pool, plan.threads), (Pool::Cpu, 2));
    assert!(plan.expected_speedup > 1.8, "{plan}");
}

#[test]
fn what_was_begun_ends_before_a_plain_loop() {
    let mut pilot = begun(Options::default(), Situation::TWO_CORES, 8);
    assert_eq!(pilot.step(at(0.0, 0), left(8), 1_000), Step::Parallel);
    (0..4).for_each(|_| pilot.pulled(1, 1e-9));
    for item in 1..=4 {
        came_back(&mut pilot, 1.1e-6, Runner::Consumer);
        pilot.step(at(2e-6, item), left(4), 1_000);
    }
    pilot.pulled(1, 1e-9);
    came_back(&mut pilot, 1.1e-6, Runner::Consumer);
    assert!(matches!(pilot.step(at(9e-6, 5), left(3), 1_000), Step::Loop(_)), "three more of a microsecond");
    assert_eq!(pilot.situation.wake, Wake::USUAL, "a thread is asleep again by the next decision");
}

#[test]
fn no_thread_is_woken_for_the_first_of_many_items_that_own_memory() {
    let wakes = |items, owns| {
        let pilot = begun(Options::default(), Situation { owns, ..Situation::TWO_CORES }, items);
        assert!(pilot.first.head_start.is_some(), "somebody looks in");
        !pilot.begins_alone()
    };
    assert!(wakes(8, Owns::Anything) && wakes(1_000, Owns::Nothing) && !wakes(1_000, Owns::OneBlock));
}

#[test]
fn a_thread_is_started_for_few_items_or_an_unknown_number_and_for_any_where_threads_are_pinned() {
    let begins = |options: &Options, remaining, has_pool| {
        let mut pilot = Pilot::new(options.clone(), Situation::TWO_CORES);
        pilot.get_head_start(remaining, Beside::Own { has_pool });
        assert_eq!(pilot.begins_on_own_thread(), pilot.wakes_first());
        pilot.begins_on_own_thread()
    };
    let usual = Options::default();
    assert!(begins(&usual, left(8), false) && !begins(&usual, left(1_000), true));
    assert!(begins(&usual, Remaining { lower: 0, upper: Some(1_000) }, false));
    assert_eq!([true, false].map(|has_pool| begins(&usual, Remaining::UNKNOWN, has_pool)), [true, false]);
    assert!(begins(&Options { threads: std::num::NonZero::new(2), ..usual }, left(1_000), true));
}

#[test]
fn nobody_looks_in_on_a_source_that_may_have_nothing_more_unless_a_thread_has_what_there_is() {
    let pilot = |options, remaining, beside| {
        let mut pilot = Pilot::new(options, Situation::TWO_CORES);
        pilot.get_head_start(remaining, beside);
        (pilot.wakes_first(), pilot.items_ahead())
    };
    let usual = |remaining, beside| pilot(Options::default(), remaining, beside);
    assert_eq!(usual(left(100), Beside::Thread), (true, 64));
    assert_eq!(usual(Remaining::UNKNOWN, Beside::Thread), (true, 64));
    assert_eq!(usual(left(100), Beside::Lookout), (false, 64));
    assert_eq!(usual(Remaining::UNKNOWN, Beside::Lookout), (false, 0));
    let pinned = Options { threads: std::num::NonZero::new(2), ..Options::default() };
    assert_eq!(pilot(pinned, Remaining::UNKNOWN, Beside::Thread), (false, 0));
}

#[test]
fn what_a_long_first_item_has_shown_is_no_reason_for_a_thread_of_a_pool_yet() {
    let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
    pilot.get_head_start(left(ITEMS), Beside::Own { has_pool: true });
    assert!(pilot.choose_own_thread(0.0));
    first_item(&mut pilot, 1e-3);
    assert_eq!(pilot.plan().map(|plan| plan.threads), Some(2));
    assert_eq!([1e-3, UNSURE].map(|since| pilot.choose_own_thread(since)), [true, false]);
    let mut pilot = usual();
    first_item(&mut pilot, 1e-3);
    assert!(!pilot.choose_own_thread(1e-3), "a pool's thread has them already");
}

#[test]
fn nothing_more_is_pulled_once_enough_is_known() {
    let mut pilot = usual();
    assert_eq!((pilot.window(), pilot.chunk(left(ITEMS))), (4, 1));
    (0..4).for_each(|_| pilot.pulled(1, 1e-9));
    (0..4).for_each(|_| came_back(&mut pilot, 30e-9, Runner::Consumer));
    assert!(pilot.window() > 4);
    pilot.pulled(200, 1e-9);
    pilot.pulled(1, 1e-9);
    let cheap = Ran { items: 200, seconds: 6e-6, result_bytes: 8, ..Ran::default() };
    pilot.ran(cheap);
    assert_eq!(pilot.window(), 0);
    assert_eq!(pilot.step(at(7e-6, 204), left(ITEMS), 1_000), Step::Parallel, "one is on its way");
}

#[test]
fn who_leaves_nothing_to_a_thread_gets_none() {
    let gets = |options, situation, items| begun(options, situation, items).first.head_start.is_some();
    assert!(gets(Options::default(), Situation::TWO_CORES, 2));
    let alone = Options { max_blocking_threads: NonZeroUsize::MIN, ..Options::default() };
    assert!(!gets(alone, Situation::TWO_CORES, ITEMS), "it may wait");
    assert!(!gets(Options::default(), Situation::TWO_CORES, 1));
    assert!(!gets(Options::default(), Situation { cores: 1, ..Situation::TWO_CORES }, ITEMS));
    assert!(!gets(Options::default(), Situation { item_bytes: 1 << 20, ..Situation::TWO_CORES }, ITEMS));
    let pinned = Options { pool: Some(Pool::Blocking), ..Options::default() };
    let begun = begun(pinned, Situation { cores: 1, ..Situation::TWO_CORES }, ITEMS);
    assert!(begun.begins_alone() && begun.first_pool() == Some(Pool::Blocking), "whoever looks in starts them");
    let settled = Options { estimated_item_time: Some(std::time::Duration::from_micros(1)), ..Options::default() };
    assert!(!gets(settled, Situation::TWO_CORES, ITEMS));
    let one = Options { buffer_size: NonZeroUsize::new(1), ..Options::default() };
    assert!(!gets(one, Situation::TWO_CORES, ITEMS));
}

#[test]
fn an_input_that_ends_during_its_head_start_is_remembered_as_what_it_was() {
    let pool = |runner| {
        let mut pilot = begun(Options::default(), Situation::TWO_CORES, 2);
        pilot.step(at(0.0, 0), left(2), 1_000);
        (0..2).for_each(|_| pilot.pulled(1, 1e-9));
        came_back(&mut pilot, 1e-3, Runner::Consumer);
        came_back(&mut pilot, 1e-3, runner);
        let stretches = pilot.finish(at(1e-3, 2));
        (stretches[0].plan.pool, stretches[0].plan.threads)
    };
    assert_eq!(pool(Runner::Thread), (Pool::Cpu, 2));
    assert_eq!(pool(Runner::Consumer), (Pool::Serial, 1));
}
