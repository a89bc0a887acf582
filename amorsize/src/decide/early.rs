//! What is done while the first item runs of a function of which nothing is known. Its caller can decide nothing
//! meanwhile, and that may be a minute: so some items are pulled ahead, and somebody else looks in on them, ever more
//! seldom. The longer the first one takes, the more threads it is worth waking for the others (the ski-rental rule);
//! and if all who run one are found asleep, the function waits, and gets the threads of one that does.

use super::climb::Climb;
use super::input::Remaining;
use super::risk;
use super::situation::{Owns, Situation};
use super::verdict::BLOCKING_SHARE;
use crate::options::Options;
use crate::plan::Pool;

/// Seconds after which somebody first looks in, where there are threads to be woken: some times what that takes. Each
/// further look comes after twice the time, until [`LATE_LOOK`].
const FIRST_LOOK: f64 = 100e-6;
/// Seconds after which somebody first looks in where all threads there can be are awake anyway. Setting a timer for the
/// time before the system's next tick, which is up to four milliseconds away, takes ten times as long (6 instead of 0.6
/// µs on a virtual machine). From there on looks cost next to nothing, and each further one comes after [`LATER`] times
/// the time.
const LATE_LOOK: f64 = 4e-3;
const LATER: f64 = 1.25;
/// Threads of a head start, the consumer included, where a pool runs.
pub(crate) const HEAD_START: usize = 2;
/// Seconds that waking a thread costs everybody else.
const WAKING: f64 = 5e-6;
/// Bytes of items that are pulled ahead: moving them shows in short runs.
const AHEAD_BYTES: usize = 16 << 10;
/// Seconds that pulling items ahead may take, and where threads are pinned, which have them whatever the first shows.
const PULLING: f64 = 15e-6;
const PULLING_PINNED: f64 = 1e-3;
/// Seconds that pulling one item ahead may take, where it is the only one.
const PULLING_ONE: f64 = 200e-6;

/// Items for each processor up to which a first one that nobody helps with is a notable part of all.
const FEW_ITEMS: u64 = 64;

/// How somebody who runs an item is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    /// Seconds since the item began, and those of a processor that were spent on it.
    pub(crate) since: f64,
    pub(crate) used: f64,
    pub(crate) sleeps: bool,
}

/// What the options state of threads, whatever the first item shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pinned {
    pub(crate) pool: Option<Pool>,
    pub(crate) threads: Option<usize>,
}

impl Pinned {
    /// The share of its time for which a function waits, if it gets threads for that: `found` is what was found out.
    pub(crate) fn waiting_share(self, found: Option<f64>) -> Option<f64> {
        match self.pool {
            None => found,
            Some(Pool::Blocking) => Some(found.unwrap_or(0.0)),
            Some(_) => None,
        }
    }
}

impl From<&Options> for Pinned {
    fn from(options: &Options) -> Self {
        Self { pool: options.pool, threads: options.threads.map(usize::from) }
    }
}

/// Whether first items are worth a thread before anything is known. The first thread of a process makes all of its
/// allocations dearer, so that one is not started where items or results are known to own memory. Functions may
/// allocate in other ways, which no type tells, so it is not started for more than a few items either.
pub(crate) fn is_worth_a_thread(remaining: Remaining, situation: &Situation) -> bool {
    !situation.is_threadless || (situation.owns == Owns::Nothing && has_few(remaining, situation) == Some(true))
}

/// Whether a thread is woken for first items where a pool runs. Where memory may matter, threads hardly pay in runs
/// that are so short that waking one early shows. So it is woken only for the sake of first items that are long, and of
/// many items these are a small part.
pub(crate) fn is_worth_waking(remaining: Remaining, situation: &Situation) -> bool {
    !risk::may_be_of_memory(situation) || has_few(remaining, situation) != Some(false)
}

/// Whether a thread is started for first items, which takes twice as long as waking one and holds up the end of a run
/// that is over before. Of items that are known to be many, first ones that are long are a small part.
pub(crate) fn is_worth_starting(remaining: Remaining, situation: &Situation) -> bool {
    match remaining.exact() {
        Some(_) => has_few(remaining, situation) == Some(true),
        None => is_worth_waking(remaining, situation),
    }
}

/// Whether there are so few items that a first one which nobody helps with is a notable part of them; `None` where
/// nothing is known.
fn has_few(remaining: Remaining, situation: &Situation) -> Option<bool> {
    remaining.upper.map(|items| items <= FEW_ITEMS * situation.cores as u64)
}

/// Seconds since the first item began at which the first look is due.
pub(crate) fn first_look(cores: usize) -> f64 {
    if cores > HEAD_START { FIRST_LOOK } else { LATE_LOOK }
}

/// Seconds since the first item began at which the next look after one at `since` is due.
pub(crate) fn next_look(since: f64) -> f64 {
    if since < LATE_LOOK { 2.0 * since } else { LATER * since }
}

/// Threads, the caller among them, that are worth waking for so many items of which the first has run for so long; no
/// more than begin otherwise, since they may be in each other's way.
pub(crate) fn threads(since: f64, cores: usize, items: u64) -> usize {
    // A conversion from floating point saturates.
    ((since / WAKING) as usize).min(Climb::first(cores, items, since)).max(1)
}

/// The share of their time so far for which all who run first items wait, if they do.
pub(crate) fn waiting_share(seen: &[Seen]) -> Option<f64> {
    let share = |seen: &Seen| {
        if seen.sleeps && seen.since > 0.0 { (1.0 - seen.used / seen.since).clamp(0.0, 1.0) } else { 0.0 }
    };
    seen.iter().map(share).reduce(f64::min).filter(|&share| share >= BLOCKING_SHARE)
}

/// Items of so many bytes that are pulled ahead for `threads` threads.
pub(crate) fn items(threads: usize, item_bytes: usize) -> usize {
    threads.min(AHEAD_BYTES / item_bytes.max(1))
}

/// What pulling items ahead took so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulled {
    /// Items of the last go, or the first item itself, and their seconds.
    pub(crate) last: usize,
    pub(crate) seconds: f64,
    /// Seconds of all that were pulled ahead: none before the first of them.
    pub(crate) spent: f64,
}

/// How many more to pull in one go: one by one where it is not sure that there is another one, since it may have to be
/// waited for. One is worth more time than many, since a second thread is, and all are where threads are pinned: a
/// first pull may be slow for being the first.
pub(crate) fn more(pulled: Pulled, remaining: Remaining, is_pinned: bool) -> usize {
    let Pulled { last, seconds, spent } = pulled;
    let is_sure = remaining.lower > 0;
    let each = (seconds / last.max(1) as f64).max(1e-9);
    let most = if is_sure { 2 * last } else { 1 };
    let least = usize::from(spent == 0.0 && is_sure && (is_pinned || each <= PULLING_ONE));
    let budget = if is_pinned { PULLING_PINNED } else { PULLING };
    most.min(((budget - spent) / each).max(0.0) as usize).max(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_the_first_item_takes_the_more_threads_are_worth_it() {
        assert_eq!([1e-6, 101e-6, 1.0].map(|since| threads(since, 64, 64)), [1, 20, 64]);
        assert_eq!([threads(0.0, 8, 99), threads(f64::MAX, 8, 99), threads(1.0, 0, 99)], [1, 8, 1]);
        assert_eq!(
            [threads(1e-3, 64, 100), threads(1.0, 64, 100)],
            [16, 64],
            "two rounds are over before more could follow"
        );
    }

    #[test]
    fn what_is_pinned_of_the_pool_counts_more_than_what_is_found() {
        let shares = |pool| [None, Some(0.9)].map(|found| Pinned { pool, threads: None }.waiting_share(found));
        assert_eq!(shares(None), [None, Some(0.9)]);
        assert_eq!(shares(Some(Pool::Cpu)), [None, None]);
        assert_eq!(shares(Some(Pool::Blocking)), [Some(0.0), Some(0.9)]);
    }

    #[test]
    fn the_first_thread_of_a_process_is_started_for_few_items_that_own_nothing() {
        let is_worth = |items, owns| {
            let remaining = Remaining { lower: items, upper: Some(items) };
            is_worth_a_thread(remaining, &Situation { owns, is_threadless: true, ..Situation::TWO_CORES })
        };
        assert!(is_worth(8, Owns::Nothing) && !is_worth(1_000, Owns::Nothing) && !is_worth(8, Owns::OneBlock));
        assert!(is_worth_a_thread(Remaining::UNKNOWN, &Situation::TWO_CORES), "there are threads");
    }

    #[test]
    fn one_is_woken_unless_many_items_that_own_memory_are_known_to_follow() {
        let is_worth = |upper, situation| is_worth_waking(Remaining { lower: 0, upper }, &situation);
        let owning = Situation { owns: Owns::OneBlock, ..Situation::TWO_CORES };
        assert!(!is_worth(Some(129), owning) && is_worth(Some(128), owning) && is_worth(None, owning));
        assert!(!is_worth(Some(129), Situation { item_bytes: 4096, ..Situation::TWO_CORES }));
        assert!(is_worth(Some(u64::MAX), Situation::TWO_CORES));
    }

    #[test]
    fn looks_become_ever_more_seldom() {
        let looks = |cores| std::iter::successors(Some(first_look(cores)), |&since| Some(next_look(since)));
        assert_eq!(looks(2).take(3).collect::<Vec<_>>(), [4e-3, 5e-3, 6.25e-3]);
        assert_eq!(looks(8).take(3).collect::<Vec<_>>(), [100e-6, 200e-6, 400e-6]);
        assert!(looks(8).take_while(|&since| since < 60.0).count() < 60);
    }

    #[test]
    fn a_function_waits_if_all_who_run_it_sleep_and_have_done_so_most_of_the_time() {
        let asleep = Seen { since: 1e-3, used: 0.0, sleeps: true };
        let share = |other: Seen| waiting_share(&[asleep, other]);
        assert_eq!(share(asleep), Some(1.0));
        assert_eq!(share(Seen { used: 0.25e-3, ..asleep }), Some(0.75));
        assert_eq!(share(Seen { used: 0.9e-3, ..asleep }), None);
        assert_eq!(share(Seen { sleeps: false, ..asleep }), None, "one holds what the others wait for");
        assert_eq!(share(Seen { since: 0.0, ..asleep }), None, "it has just begun");
        assert_eq!(waiting_share(&[]), None);
    }

    #[test]
    fn little_is_pulled_ahead_of_a_slow_source_and_of_large_items() {
        let go = |last, seconds, spent| Pulled { last, seconds, spent };
        let sure = Remaining { lower: 99, upper: None };
        let more = |pulled| super::more(pulled, sure, false);
        assert_eq!([more(go(1, 1e-9, 0.0)), more(go(8, 1e-7, 1e-6))], [2, 16]);
        assert_eq!(more(go(32, 4e-6, 14.1e-6)), 7, "as far as the time goes");
        assert_eq!([more(go(1, 30e-6, 0.0)), more(go(1, 30e-6, 30e-6)), more(go(1, 1.0, 0.0))], [1, 0, 0]);
        assert_eq!([items(64, 8), items(64, 4_000), items(64, 1 << 20), items(64, 0)], [64, 4, 0, 64]);
    }

    #[test]
    fn threads_that_are_pinned_have_more_pulled_for_them() {
        let more = |is_pinned, seconds, spent| {
            super::more(Pulled { last: 1, seconds, spent }, Remaining { lower: 99, upper: None }, is_pinned)
        };
        assert_eq!([more(true, 1.0, 0.0), more(true, 1.0, 1.0)], [1, 0], "one however long it takes");
        assert_eq!([more(true, 100e-6, 100e-6), more(false, 100e-6, 100e-6)], [2, 0]);
    }

    #[test]
    fn what_may_have_to_be_waited_for_is_pulled_one_by_one_and_only_while_that_takes_no_time() {
        let more = |last, seconds| super::more(Pulled { last, seconds, spent: 0.0 }, Remaining::UNKNOWN, false);
        assert_eq!([more(8, 1e-7), more(1, 30e-6)], [1, 0]);
    }
}
