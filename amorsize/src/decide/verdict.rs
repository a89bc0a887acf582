//! Where a function runs, for given costs: the plain loop, threads that compute, or threads that wait; with the reason
//! in a sentence.

use crate::options::Options;
use crate::plan::Pool;
use crate::reason::Reason;
use crate::words::{Time, count};

use super::choose;
use super::climb::Climb;
use super::costs::Costs;
use super::early::Pinned;
use super::input::PLENTY;
use super::risk;
use super::situation::Situation;
use super::timing::Wake;
use super::window;

/// Share of its time in which a function must be blocked to be worth more threads than there are cores.
pub(crate) const BLOCKING_SHARE: f64 = 0.25;
/// Seconds of an item below which being blocked is not looked for: waking a thread would cost as much.
const BLOCKING_ITEM: f64 = 50e-6;
/// Most threads a blocking plan starts with; from there on it grows by what it gains.
pub(crate) const FIRST_BLOCKING_THREADS: usize = 64;

/// Where to run, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) pool: Pool,
    pub(crate) threads: usize,
    /// Expected throughput against the plain loop.
    pub(crate) gain: f64,
    pub(crate) reason: Reason,
}

impl Verdict {
    pub(crate) fn serial(reason: impl Into<Reason>) -> Self {
        Self { pool: Pool::Serial, threads: 1, gain: 1.0, reason: reason.into() }
    }
}

/// Why the options leave no choice but the plain loop, where they do.
pub(crate) fn pinned_serial(options: &Options) -> Option<&'static str> {
    let one = |option: Option<std::num::NonZeroUsize>| option.is_some_and(|value| value.get() == 1);
    match options.pool {
        _ if options.environment_serial => Some("`AMORSIZE=serial` is set in the environment"),
        Some(Pool::Serial) => Some("`pool = serial` was asked for"),
        None if one(options.threads) => Some("one thread was asked for"),
        None if one(options.buffer_size) => Some("a buffer of one item leaves nothing to do at the same time"),
        _ => None,
    }
}

/// Whether the options ask for threads, whatever the costs.
pub(crate) fn is_pinned_parallel(options: &Options) -> bool {
    options.threads.is_some() || options.pool.is_some_and(|pool| pool != Pool::Serial)
}

/// Whether the function waits rather than computes.
pub(crate) fn is_blocking(costs: &Costs, options: &Options) -> bool {
    match options.pool {
        Some(pool) => pool == Pool::Blocking,
        None => costs.blocked >= BLOCKING_SHARE && costs.item >= BLOCKING_ITEM,
    }
}

/// The verdict with as many threads as are to begin on so many items: see [`climb`](super::climb).
pub(crate) fn beginning(verdict: Verdict, costs: &Costs, items: u64, options: &Options, wake: Wake) -> Verdict {
    if verdict.pool != Pool::Cpu || is_pinned_parallel(options) {
        return verdict;
    }
    let threads = Climb::first(verdict.threads, items, costs.item);
    if threads == verdict.threads {
        return verdict;
    }
    let gain = choose::gain(costs, threads, items, options, wake);
    let all = verdict.reason;
    let reason = Reason::when_read(move || format!("{all}, of which {threads} begin"));
    Verdict { threads, gain, reason, ..verdict }
}

/// Decides for `items` more items.
pub(crate) fn reach(costs: &Costs, items: u64, options: &Options, situation: &Situation) -> Verdict {
    if is_pinned_parallel(options) {
        return pinned(costs, options, situation);
    }
    if !situation.fits_threads() {
        let bytes = situation.item_bytes;
        let why = move || format!("{bytes} bytes are too much for the stack of a thread");
        return Verdict::serial(Reason::when_read(why));
    }
    if items == 0 {
        return Verdict::serial("nothing is left to be shared");
    }
    if window::most_threads(costs, options, situation) < 2 {
        return Verdict::serial("there is room for what one thread makes only");
    }
    let item_time = Time(costs.item);
    if is_blocking(costs, options) {
        let verdict = blocking(costs, items, options, situation);
        let most = options.max_blocking_threads.get();
        return verdict
            .unwrap_or_else(|| Verdict::serial(Reason::when_read(move || why_alone(item_time, items, most))));
    }
    match choose::threads(costs, items, options, situation) {
        Some((threads, gain)) => {
            let reason = Reason::when_read(move || format!("items of {item_time} pay for {threads} threads"));
            Verdict { pool: Pool::Cpu, threads, gain, reason }
        }
        None => {
            let (costs, options, situation) = (*costs, options.clone(), *situation);
            Verdict::serial(Reason::when_read(move || why_serial(&costs, items, &options, &situation)))
        }
    }
}

/// The verdict, or the plain loop where threads risk more than they save over `expected` items.
pub(crate) fn if_worth_the_risk(verdict: Verdict, costs: &Costs, expected: u64, situation: &Situation) -> Verdict {
    if verdict.pool != Pool::Cpu || risk::is_worth_it(costs, verdict.gain, expected, situation) {
        return verdict;
    }
    let item_time = Time(costs.item);
    let why = move || format!("{} of {item_time} would be too few to risk what threads may cost", more(expected));
    Verdict::serial(Reason::when_read(why))
}

fn pinned(costs: &Costs, options: &Options, situation: &Situation) -> Verdict {
    let pool = if is_blocking(costs, options) { Pool::Blocking } else { Pool::Cpu };
    let most = window::most_threads(costs, options, situation);
    let threads = match (options.threads, pool) {
        (Some(threads), _) => threads.get(),
        (None, Pool::Blocking) => blocking_threads(costs, options, situation).min(most),
        (None, _) => situation.cores.min(most),
    };
    let pinned = Pinned::from(options);
    let reason = Reason::when_read(move || why_pinned(threads, pinned));
    Verdict { pool, threads, gain: threads.min(most) as f64, reason }
}

/// Why so many threads, where the options ask for some.
pub(crate) fn why_pinned(threads: usize, pinned: Pinned) -> String {
    let counted = count(threads as u64, "thread");
    let were = if threads == 1 { "was" } else { "were" };
    match (pinned.threads, pinned.pool) {
        (None, Some(pool)) => format!("`pool = {pool}` was asked for"),
        (_, None) => format!("{counted} {were} asked for"),
        (_, Some(pool)) => format!("{counted} of the {pool} pool {were} asked for"),
    }
}

fn blocking(costs: &Costs, items: u64, options: &Options, situation: &Situation) -> Option<Verdict> {
    let most = blocking_threads(costs, options, situation).min(usize::try_from(items).unwrap_or(usize::MAX));
    let (threads, gain) = choose::enough_threads(costs, most, items, options, situation)?;
    let (item_time, percent) = (Time(costs.item), costs.blocked * 100.0);
    let reason = Reason::when_read(move || format!("items of {item_time} wait for {percent:.0} % of their time"));
    Some(Verdict { pool: Pool::Blocking, threads, gain, reason })
}

/// Threads that keep the cores busy although each waits: cores × (1 + blocked / CPU) (Goetz et al. 2006, 8.2).
fn blocking_threads(costs: &Costs, options: &Options, situation: &Situation) -> usize {
    let busy = (1.0 - costs.blocked).max(1e-3);
    let most = options.max_blocking_threads.get();
    ((situation.cores as f64 / busy).round() as usize).min(FIRST_BLOCKING_THREADS).clamp(1, most)
}

/// Why a function that waits is run by nobody else.
fn why_alone(item_time: Time, expected: u64, most_threads: usize) -> String {
    if most_threads == 1 {
        return format!("items of {item_time} wait, on one thread at most");
    }
    format!("{} of {item_time} would be over before another thread has begun", more(expected))
}

/// How many items are expected, in words.
fn more(expected: u64) -> String {
    format!("about {}", count(expected, "more item"))
}

fn why_serial(costs: &Costs, expected: u64, options: &Options, situation: &Situation) -> String {
    let item_time = Time(costs.item);
    let started = Situation { wake: Wake { start: 0.0, ..situation.wake }, ..*situation };
    if situation.cores < 2 {
        "this process has one core".to_owned()
    } else if choose::threads(costs, expected, options, &started).is_some() {
        format!("{} of {item_time} would be done before threads are started", more(expected))
    } else if choose::threads(costs, PLENTY, options, situation).is_some() {
        format!("{} of {item_time} would be done before another thread wakes up", more(expected))
    } else if costs.source + costs.consumer > costs.item {
        format!("source and consumer take longer than the function ({item_time} an item)")
    } else {
        format!("items of {item_time} are cheaper than handing them to another thread")
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::decide::situation::Owns;

    const TWO_CORES: Situation = Situation::TWO_CORES;

    fn sleeping(item: f64) -> Costs {
        Costs { source: 1e-8, item, consumer: 1e-8, blocked: 0.98, result_bytes: 8.0, ..Costs::default() }
    }

    #[test]
    fn waiting_functions_get_more_threads_than_cores() {
        let verdict = reach(&sleeping(1e-3), 2_000, &Options::default(), &TWO_CORES);
        assert_eq!(verdict.pool, Pool::Blocking);
        assert!((60..=64).contains(&verdict.threads), "{verdict:?}");
        assert!(verdict.gain > 40.0);
    }

    #[test]
    fn no_more_threads_are_planned_than_memory_has_room_for() {
        for costs in [sleeping(1e-3), Costs { blocked: 0.0, ..sleeping(1e-3) }] {
            let verdict = |result_bytes| {
                let eight = Situation { cores: 8, ..TWO_CORES };
                reach(&Costs { result_bytes, ..costs }, 2_000, &Options::default(), &eight)
            };
            let tenth = TWO_CORES.available_memory as f64 / 10.0;
            assert!((2..=4).contains(&verdict(tenth / 4.5).threads), "{:?}", verdict(tenth / 4.5));
            let alone = verdict(tenth / 1.5);
            assert_eq!((alone.pool, &*alone.reason), (Pool::Serial, "there is room for what one thread makes only"));
        }
    }

    #[test]
    fn no_more_threads_wait_than_may() {
        let eight = Situation { cores: 8, ..TWO_CORES };
        for (most, pool) in [(1, Pool::Serial), (3, Pool::Blocking)] {
            let options = Options { max_blocking_threads: NonZeroUsize::new(most).unwrap(), ..Options::default() };
            let verdict = reach(&sleeping(1e-3), 2_000, &options, &eight);
            assert_eq!((verdict.pool, verdict.threads), (pool, most), "{verdict:?}");
        }
    }

    #[test]
    fn a_function_that_waits_alone_says_why() {
        let reason = |most| {
            let options = Options { max_blocking_threads: NonZeroUsize::new(most).unwrap(), ..Options::default() };
            reach(&sleeping(1e-3), 1, &options, &TWO_CORES).reason.to_string()
        };
        assert_eq!(reason(256), "about 1 more item of 1.0ms would be over before another thread has begun");
        assert_eq!(reason(1), "items of 1.0ms wait, on one thread at most");
    }

    #[test]
    fn no_more_threads_than_items() {
        assert_eq!(reach(&sleeping(10e-3), 3, &Options::default(), &TWO_CORES).threads, 3);
    }

    #[test]
    fn what_is_too_large_for_the_stack_of_a_thread_stays_where_it_is_unless_threads_were_asked_for() {
        let large = Situation { item_bytes: 1 << 20, ..TWO_CORES };
        let reach = |options: Options| reach(&sleeping(10e-3), 2_000, &options, &large);
        let verdict = reach(Options::default());
        assert_eq!(verdict.pool, Pool::Serial);
        assert!(verdict.reason.contains("1048576 bytes"), "{verdict:?}");
        assert_eq!(reach(Options { pool: Some(Pool::Cpu), ..Options::default() }).pool, Pool::Cpu);
    }

    #[test]
    fn a_short_run_risks_nothing() {
        let costs = Costs { item: 1e-6, ..sleeping(0.0) };
        let verdict = || reach(&Costs { blocked: 0.0, ..costs }, 2_000, &Options::default(), &TWO_CORES);
        let owning = Situation { owns: Owns::Anything, ..TWO_CORES };
        let expected = |items| if_worth_the_risk(verdict(), &costs, items, &owning).pool;
        assert_eq!((expected(10_000), expected(100_000)), (Pool::Serial, Pool::Cpu));
        assert_eq!(if_worth_the_risk(verdict(), &costs, 1_000, &TWO_CORES), verdict());
    }

    #[test]
    fn short_runs_say_whether_threads_are_yet_to_be_started() {
        let reason = |start| {
            let wake = Wake { start, ..Wake::USUAL };
            let costs = Costs { item: 1e-6, ..Costs::default() };
            reach(&costs, 200, &Options::default(), &Situation { wake, ..TWO_CORES }).reason.to_string()
        };
        assert!(reason(400e-6).ends_with("would be done before threads are started"), "{}", reason(400e-6));
        assert!(reason(0.0).contains("pay for 2 threads"), "{}", reason(0.0));
    }

    #[test]
    fn one_core_is_enough_for_waiting() {
        let one = Situation { cores: 1, ..TWO_CORES };
        assert_eq!(reach(&sleeping(1e-3), 2_000, &Options::default(), &one).pool, Pool::Blocking);
    }

    #[test]
    fn the_limit_of_threads_holds() {
        let few = Options { max_blocking_threads: NonZeroUsize::new(5).unwrap(), ..Options::default() };
        assert_eq!(reach(&sleeping(1e-3), 2_000, &few, &TWO_CORES).threads, 5);
    }

    #[test]
    fn pinned_values_win() {
        let threads = Options { threads: NonZeroUsize::new(7), ..Options::default() };
        let verdict = reach(&sleeping(1e-9), 2, &threads, &TWO_CORES);
        assert_eq!((verdict.threads, verdict.pool), (7, Pool::Cpu));
        let cpu = Options { pool: Some(Pool::Cpu), ..Options::default() };
        assert_eq!(reach(&sleeping(1e-3), 2_000, &cpu, &TWO_CORES).pool, Pool::Cpu);
    }

    #[test]
    fn cheap_items_are_not_taken_for_waiting() {
        assert_eq!(reach(&sleeping(1e-6), 20, &Options::default(), &TWO_CORES).pool, Pool::Serial);
    }
}
