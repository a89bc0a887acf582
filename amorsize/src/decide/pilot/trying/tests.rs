use super::super::head_start::tests::begun;
use super::*;
use crate::decide::observed::{Clocks, Looped, Made, Runner};
use crate::decide::situation::{Owns, Situation};
use crate::decide::timing::Wake;
use crate::options::Options;

const GUESSED: Situation = Situation { is_guess: true, ..Situation::TWO_CORES };

const LARGE: Situation = Situation { cores: 64, is_guess: false, ..GUESSED };

pub(in super::super) fn exactly(left: u64) -> Remaining {
    Remaining { lower: left, upper: Some(left) }
}

/// What follows on a trial of items that take so many seconds.
fn after_trial(each: f64, left: u64) -> Step {
    lead(&mut Pilot::new(Options::default(), GUESSED), each, exactly(left))
}

/// Tries items of so many seconds each; what follows on that.
pub(in super::super) fn lead(pilot: &mut Pilot, each: f64, remaining: Remaining) -> Step {
    tries(pilot, each, remaining).1
}

/// Tries items of so many seconds each; in batches of how many, and what follows on that.
fn tries(pilot: &mut Pilot, each: f64, remaining: Remaining) -> (Vec<usize>, Step) {
    let mut batches = Vec::new();
    loop {
        match pilot.step(Position::default(), remaining, usize::MAX) {
            Step::Try(items) => {
                batches.push(items);
                pilot.tried(0.0, batch(each, items));
            }
            step => return (batches, step),
        }
    }
}

fn batch(each: f64, items: usize) -> Ran {
    Ran { items, seconds: each * items as f64, blocked: Some(0.0), result_bytes: 8, ..Ran::default() }
}

#[test]
fn the_machine_is_looked_at_unless_the_rest_is_over_before_that() {
    assert!(matches!(after_trial(1e-6, 10), Step::Loop(_)));
    assert!(matches!(after_trial(100e-9, 1_000), Step::Loop(_)));
    assert_eq!(after_trial(100e-9, 1_000_000), Step::Look);
    assert_eq!(after_trial(100e-6, 9), Step::Look, "threads may pay");
    let open = |each| lead(&mut Pilot::new(Options::default(), GUESSED), each, Remaining::UNKNOWN);
    assert!(matches!(open(1e-6), Step::Loop(_)), "it may be over soon");
    assert_eq!(open(1e-3), Step::Look);
}

#[test]
fn an_input_of_unknown_length_that_goes_on_is_worth_a_look_and_the_window_is_what_that_leaves() {
    let mut pilot = Pilot::new(Options::default(), GUESSED);
    assert!(matches!(lead(&mut pilot, 1e-6, Remaining::UNKNOWN), Step::Loop(_)));
    let promised = pilot.plan().expect("a plain loop").buffer_size;
    let looks = (1..100).any(|stretch| {
        let (items, now) = (100, stretch as f64 * 100e-6);
        pilot.looped(Looped { items, seconds: 100e-6 }, Position { now, yielded: pilot.done }, Remaining::UNKNOWN);
        pilot.step(Position::default(), Remaining::UNKNOWN, usize::MAX) == Step::Look
    });
    assert!(looks);
    pilot.saw_machine(Situation { available_memory: 80_000, is_guess: false, ..GUESSED });
    let next = |pilot: &mut Pilot| pilot.step(Position::default(), Remaining::UNKNOWN, usize::MAX);
    assert!((1..100).any(|_| {
        let at = Position { now: 20e-3, yielded: pilot.done };
        pilot.looped(Looped { items: 1_000, seconds: 1e-3 }, at, Remaining::UNKNOWN);
        next(&mut pilot) == Step::Parallel
    }));
    let window = pilot.plan().expect("threads").buffer_size;
    assert!(window <= 1_000 && window < promised, "{window} of {promised}: a tenth of the memory");
}

#[test]
fn what_a_source_may_have_nothing_after_is_run_before_more_is_pulled() {
    let batches = |remaining, each| tries(&mut Pilot::new(Options::default(), Situation::TWO_CORES), each, remaining).0;
    assert!(batches(Remaining::UNKNOWN, 2e-6).iter().all(|&items| items == 1));
    assert_eq!(batches(Remaining::UNKNOWN, 100e-9)[..3], [1, 1, 3], "what reading clocks takes would show");
    assert_eq!(batches(exactly(1_000), 2e-6)[..3], [1, 1, 3]);
}

#[test]
fn first_results_that_own_memory_are_made_one_by_one_unless_threads_are_pinned() {
    let tried = |owns, options: Options| {
        let mut pilot = Pilot::new(options, Situation { owns, ..Situation::TWO_CORES });
        let (batches, _) = tries(&mut pilot, 100e-9, exactly(1_000));
        (batches, matches!(pilot.mode, Mode::Calibrating))
    };
    assert_eq!(tried(Owns::Anything, Options::default()), (vec![1; 5], true));
    assert_eq!(tried(Owns::Nothing, Options::default()).0[..3], [1, 1, 3], "none is missed");
    let pinned = Options { pool: Some(Pool::Cpu), ..Options::default() };
    assert!(tried(Owns::Anything, pinned).0[2] > 1);
}

#[test]
fn a_run_that_ends_as_its_plan_is_made_is_remembered_by_its_first_items() {
    let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
    assert!(matches!(lead(&mut pilot, 1e-6, Remaining { lower: 0, upper: Some(9) }), Step::Loop(_)));
    let tried = pilot.done;
    assert!(pilot.plan().is_some() && tried > 0);
    let at = Position { now: 1e-6 * tried as f64, yielded: tried };
    let [stretch] = &pilot.finish(at)[..] else { panic!() };
    assert_eq!((stretch.items, stretch.plan.pool), (tried, Pool::Serial));
}

#[test]
fn a_plain_loop_shows_what_its_items_took_and_not_what_they_were_thought_to_take() {
    let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
    assert!(matches!(lead(&mut pilot, 100e-9, exactly(100)), Step::Loop(_)));
    pilot.looped(Looped { items: 20, seconds: 2e-6 }, Position { now: 4e-6, yielded: 40 }, exactly(860));
    let items = 900 - pilot.done as usize;
    pilot.looped(Looped { items, seconds: 1e-3 * items as f64 }, Position { now: 0.9, yielded: 900 }, exactly(0));
    let shown = pilot.item_time(true);
    assert!((0.9e-3..=1e-3).contains(&shown) && pilot.item_time(false) < 1e-6, "{shown}");
}

#[test]
fn a_run_that_is_not_worth_starting_threads_says_what_it_lost_by_that() {
    let start = |start, options| {
        let wake = Wake { start, ..Wake::USUAL };
        let mut pilot = Pilot::new(options, Situation { wake, ..Situation::TWO_CORES });
        let step = lead(&mut pilot, 5e-6, exactly(60));
        (step, pilot)
    };
    let (step, mut pilot) = start(400e-6, Options::default());
    assert!(matches!(step, Step::Loop(_)));
    pilot.looped(Looped { items: 60, seconds: 300e-6 }, Position { now: 325e-6, yielded: 65 }, exactly(0));
    assert!((60e-6..160e-6).contains(&pilot.forgone()), "{}", pilot.forgone());
    assert_eq!(start(0.0, Options::default()).0, Step::Parallel);
    let (_, pilot) = start(400e-6, Options { pool: Some(Pool::Serial), ..Options::default() });
    assert_eq!(pilot.forgone(), 0.0, "nobody wants threads");
}

/// What comes of items of a millisecond in which the caller's thread was blocked and the process busy, and what
/// threads find when they run some.
#[test]
fn a_function_that_shares_its_own_work_is_not_taken_for_one_that_waits_and_one_that_waits_beside_others_is() {
    let blocked = |blocked, busy, runner| Ran {
        items: 1,
        seconds: 1e-3,
        clocks: Clocks::All,
        blocked: Some(blocked),
        busy,
        result_bytes: 8,
        runner,
        ..Ran::default()
    };
    let begun_with = |options, busy| {
        let mut pilot = Pilot::new(options, Situation::TWO_CORES);
        while let Step::Try(_) = pilot.step(Position::default(), exactly(1_000), usize::MAX) {
            pilot.tried(0.0, blocked(0.99, busy, Runner::Consumer));
        }
        pilot
    };
    let begun = |busy| begun_with(Options::default(), busy);
    let pool = |pilot: &Pilot| pilot.plan().map(crate::plan::Plan::pool);
    assert_eq!(pool(&begun(0.9)), Some(Pool::Blocking), "more than half of the processors are idle");
    let found_with = |options, shares: &[f64]| {
        let mut pilot = begun_with(options, 1.9);
        assert_eq!((pool(&pilot), pilot.clocks()), (Some(Pool::Cpu), Clocks::All));
        assert!(pilot.waits.is_open());
        for &share in shares {
            pilot.pulled(2, 1e-9);
            pilot.ran(blocked(0.99, 1.9, Runner::Consumer));
            pilot.ran(blocked(share, 1.9, Runner::Thread));
            let at = Position { now: 3e-3, yielded: 3 };
            pilot.check(at, Made { results: 3, worked: 3e-3, ..Made::default() }, exactly(1_000));
        }
        (pool(&pilot).unwrap(), pilot)
    };
    let found = |shares| {
        let (pool, pilot) = found_with(Options::default(), shares);
        let is_open = pilot.waits.is_open();
        assert!(pilot.clocks() == Clocks::All || !(is_open || pool == Pool::Blocking), "{pool}");
        (pool, is_open)
    };
    assert_eq!(found(&[0.9, 0.05, 0.9, 0.9, 0.9]), (Pool::Cpu, false), "it computes");
    assert_eq!(found(&[0.99, 0.99]), (Pool::Cpu, true), "that may be by chance");
    assert_eq!(found(&[0.99, 0.99, 0.99]), (Pool::Blocking, false), "it waits");
    let alone = Options { max_blocking_threads: std::num::NonZeroUsize::MIN, ..Options::default() };
    let (_, pilot) = found_with(alone, &[0.99, 0.99, 0.99]);
    assert!(matches!(pilot.mode, Mode::Draining(_)), "a plain loop begins when nothing is in flight");
}

#[test]
fn threads_that_wait_are_not_given_up_because_starting_them_keeps_processors_busy() {
    let waiting = |blocked, busy, runner| Ran {
        items: 1,
        seconds: 1e-3,
        clocks: Clocks::All,
        blocked: Some(blocked),
        busy,
        runner,
        ..Ran::default()
    };
    let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
    while let Step::Try(_) = pilot.step(Position::default(), exactly(1_000), usize::MAX) {
        pilot.tried(0.0, waiting(0.99, 0.1, Runner::Consumer));
    }
    let mut is_given_up_after = |blocked| {
        pilot.pulled(1, 1e-9);
        pilot.ran(waiting(blocked, 1.9, Runner::Thread));
        let made = Made { results: 2, worked: 2e-3, ..Made::default() };
        pilot.check(Position { now: 2e-3, yielded: 2 }, made, exactly(1_000));
        matches!(pilot.mode, Mode::Draining(_))
    };
    assert!(!is_given_up_after(0.99) && !is_given_up_after(0.99), "it may be that, and threads are to tell");
    assert!(is_given_up_after(0.02), "they compute");
}

#[test]
fn where_the_end_is_not_known_threads_start_once_it_costs_nothing_and_then_all_of_them() {
    let mut pilot = Pilot::new(Options::default(), LARGE);
    assert!(matches!(lead(&mut pilot, 20e-6, Remaining::UNKNOWN), Step::Loop(_)), "two more are expected");
    let mut pilot = Pilot::new(Options::default(), LARGE);
    assert_eq!(lead(&mut pilot, 20e-3, Remaining::UNKNOWN), Step::Parallel);
    assert_eq!(pilot.threads(), 64 / 4, "the first of all of them");
    let mut pilot = Pilot::new(Options::default(), LARGE);
    assert_eq!(lead(&mut pilot, 20e-3, exactly(5)), Step::Parallel);
    assert_eq!(pilot.threads(), 5);
}

#[test]
fn what_first_items_took_beside_a_thread_is_checked_although_threads_seem_to_do_well() {
    const CHUNK: usize = 100;
    // `first`: what the first one took, before any thread had begun.
    let is_checked = |each: f64, first: Option<f64>| {
        let left = exactly(1 << 20);
        let mut pilot = begun(Options::default(), Situation::TWO_CORES, left.lower);
        let ran = |items: usize, each: f64, runner| {
            let (seconds, blocked) = (each * items as f64, Some(0.0));
            Ran { items, seconds, clocks: Clocks::All, blocked, result_bytes: 8, runner, ..Ran::default() }
        };
        for (items, each, is_undisturbed) in [(1, first.unwrap_or(each), first.is_some()), (40, each, false)] {
            assert_eq!(pilot.step(Position::default(), left, 1_000), Step::Parallel);
            pilot.pulled(items, 1e-9);
            pilot.ran(Ran { is_undisturbed, ..ran(items, each, Runner::Consumer) });
        }
        assert_eq!(pilot.step(Position { now: 1e-4, yielded: 41 }, left, 1_000), Step::Parallel);
        assert_eq!(pilot.plan().map(|plan| plan.threads), Some(2));
        (1..=100).any(|chunk| {
            let (items, worked) = (41 + CHUNK as u64 * chunk, 1.25 * each);
            pilot.pulled(CHUNK, 1e-9);
            pilot.ran(ran(CHUNK, worked, Runner::Thread));
            pilot.consumed(CHUNK, 1e-9);
            let at = Position { now: 1e-4 + items as f64 * worked / 2.0, yielded: items };
            pilot.check(at, Made { results: items, worked: items as f64 * worked, ..Made::default() }, left);
            matches!(pilot.mode, Mode::Alone(_))
        })
    };
    assert!(is_checked(1e-6, Some(1e-6)), "a cheap one on its own says little");
    assert!(is_checked(4e-6, None) && !is_checked(4e-6, Some(4e-6)));
    assert!(is_checked(4e-6, Some(2.2e-6)), "the others were disturbed, perhaps");
}
