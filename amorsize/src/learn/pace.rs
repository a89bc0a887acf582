//! How much recording may cost: when a run is written down at once, when later, and when not at all. Pure arithmetic
//! on durations and counts; no clock.
//!
//! A run may be delayed at its end by a hundredth of its time. Appending takes some 25 µs, so runs of a few milliseconds
//! are written at once, and the program may be killed right after. Shorter ones are queued, and written some
//! milliseconds later by a thread apart, or by the thread that recorded them when it ends; in a process without threads
//! none is started for that, and what waits is written with every 32nd, or with the first that comes two seconds later.
//! The end of the main thread is the end of the program, and on the usual platforms it is told of it; elsewhere, and on
//! threads for which nobody may wait, short runs are written at once too, if the disk takes them within 50 µs.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Runs of a function, in this process, that are recorded however short they are.
const ALWAYS_RECORDED: u32 = 1024;
/// What recording a run costs in all, in memory and on whatever thread writes it.
const RECORDING: Duration = Duration::from_micros(40);
/// A run may be delayed at its end by its own time divided by this.
const SHARE: u32 = 100;
/// A run may be delayed at its end by this, however short it is, where its thread is not sure to be told of its own
/// end.
const ALLOWED: Duration = Duration::from_micros(50);
/// What appending is thought to take until it has been measured.
const APPENDING: Duration = Duration::from_micros(25);
/// Finding out what machine this is takes about this, the first time.
const KNOWING_THE_MACHINE: Duration = Duration::from_micros(200);
/// Learning from a run takes about this where caches are cold, as they are after a run of some length.
const LEARNING: Duration = Duration::from_micros(25);
/// While streams run, writing pauses for so many times as long as it took.
const GIVES_WAY: u32 = 10;
/// Making a file takes so many times what appending to it does.
pub(crate) const CREATING: u32 = 8;

/// Whether to write on the thread that recorded. `told_of_end`: whether that thread will be told of its end, and of the
/// program's.
pub(crate) fn at_once(run: Duration, appending: Duration, told_of_end: bool) -> bool {
    appending <= run / SHARE || (!told_of_end && appending <= ALLOWED)
}

/// Whether a run is worth finding out at its end what machine this is.
pub(crate) fn worth_knowing_the_machine(run: Duration) -> bool {
    KNOWING_THE_MACHINE <= run / SHARE
}

/// Whether a run is worth learning from at its end, rather than by the writer a little later.
pub(crate) fn worth_learning_at_once(run: Duration) -> bool {
    LEARNING <= run / SHARE
}

/// For how long nothing is written after that took so long, while streams run: they need the processors, and a program
/// may have a hundred functions that are new.
pub(crate) fn give_way(writing: Duration) -> Duration {
    GIVES_WAY * writing
}

/// Thins out what a function with very many short runs records.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    recorded: AtomicU32,
    /// Nanoseconds of runs since the last one that was recorded.
    unrecorded: AtomicU64,
}

impl Pace {
    /// Whether to record a run: the first thousand always, and then only as many as cost a hundredth of the time.
    pub(crate) fn worth(&self, run: Duration) -> bool {
        let run = nanoseconds(run);
        let since = self.unrecorded.fetch_add(run, Relaxed).saturating_add(run);
        let worth = self.recorded.load(Relaxed) < ALWAYS_RECORDED || since >= nanoseconds(RECORDING * SHARE);
        if worth {
            self.recorded.fetch_add(1, Relaxed);
            self.unrecorded.store(0, Relaxed);
        }
        worth
    }
}

/// A running estimate of how long appending takes on this disk.
#[derive(Debug)]
pub(crate) struct Appending(AtomicU64);

impl Appending {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(APPENDING.as_nanos() as u64))
    }

    pub(crate) fn expected(&self) -> Duration {
        Duration::from_nanos(self.0.load(Relaxed))
    }

    /// A quarter of every observation goes in: one hiccup does not change the policy, a slow disk does.
    pub(crate) fn observe(&self, took: Duration) {
        let before = self.0.load(Relaxed);
        self.0.store(before - before / 4 + nanoseconds(took) / 4, Relaxed);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX >> 8)
}

/// Tries something that fails ever more seldom: after the 1st, 2nd, 4th, 8th, … further request. So a broken disk costs
/// nothing to speak of, and a repaired one is noticed.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    /// Requests since the first failure; 0 as long as it works.
    requests: AtomicU32,
}

impl Backoff {
    /// Whether to try.
    pub(crate) fn allows(&self) -> bool {
        self.requests.load(Relaxed) == 0 || self.requests.fetch_add(1, Relaxed).is_power_of_two()
    }

    /// Whether the last attempt failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.requests.load(Relaxed) != 0
    }

    pub(crate) fn failed(&self) {
        // Only the first failure counts: later ones are part of the same trouble.
        let _ = self.requests.compare_exchange(0, 1, Relaxed, Relaxed);
    }

    pub(crate) fn worked(&self) {
        self.requests.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn long_runs_are_written_at_once_and_short_ones_where_nobody_would_tell_of_the_end() {
        assert!(at_once(micros(2_500), micros(25), true));
        assert!(!at_once(micros(2_499), micros(25), true));
        assert!(at_once(micros(1), micros(50), false));
        assert!(!at_once(micros(1), micros(51), false));
    }

    #[test]
    fn a_slow_disk_is_noticed_and_a_hiccup_is_not() {
        let appending = Appending::new();
        appending.observe(micros(100));
        assert!(appending.expected() < ALLOWED);
        (0..20).for_each(|_| appending.observe(micros(10_000)));
        assert!(appending.expected() > micros(9_000));
    }

    #[test]
    fn very_many_short_runs_are_thinned_to_a_hundredth_of_the_time() {
        let pace = Pace::default();
        assert!((0..ALWAYS_RECORDED).all(|_| pace.worth(micros(1))));
        let recorded = (0..1_000_000).filter(|_| pace.worth(micros(1))).count();
        assert_eq!(recorded, 250);
        assert!(pace.worth(Duration::MAX));
    }

    #[test]
    fn failures_are_tried_again_ever_more_seldom() {
        let backoff = Backoff::default();
        assert!((0..3).all(|_| backoff.allows()));
        backoff.failed();
        let tried: Vec<u32> = (1..=16)
            .filter(|_| {
                let t = backoff.allows();
                backoff.failed();
                t
            })
            .collect();
        assert_eq!(tried, [1, 2, 4, 8, 16]);
        assert!(backoff.is_failing());
        backoff.worked();
        assert!((0..3).all(|_| backoff.allows()) && !backoff.is_failing());
    }
}
