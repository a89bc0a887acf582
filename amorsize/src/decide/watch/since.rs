//! What threads did since an epoch began, as far as they had processors: one that others keep is no fault of the plan, and
//! the plain loop would wait for it as well.

use crate::decide::pilot::{Delay, LEAST_RUNNING};

/// Seconds for which a system may let a thread wait for one.
const TIME_SLICE: f64 = 2e-3;
/// Seconds of work for which delays are remembered: they come seldom, and are long.
const REMEMBERED: f64 = 50e-3;

/// How far a run is: the time and the results finished.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) now: f64,
    pub(crate) produced: u64,
    /// Seconds that all threads together have worked, and those of the consumer with the source and the results.
    pub(crate) worked: f64,
    pub(crate) own: f64,
    pub(crate) delay: Delay,
}

/// Items, and what they took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) items: u64,
    /// Seconds, and seconds of all threads together, without those for which others had the processors.
    pub(super) seconds: f64,
    pub(super) worked: f64,
    /// Seconds on the clock.
    pub(super) wall: f64,
}

impl Sum {
    pub(super) fn add(&mut self, other: Self) {
        self.items += other.items;
        self.seconds += other.seconds;
        self.worked += other.worked;
        self.wall += other.wall;
    }

    /// Seconds an item.
    pub(super) fn each(&self) -> f64 {
        self.seconds / self.items as f64
    }

    /// The same on the clock.
    pub(super) fn wall_each(&self) -> f64 {
        self.wall / self.items as f64
    }

    /// Work an item, whoever did it.
    pub(super) fn work(&self) -> f64 {
        self.worked / self.items as f64
    }
}

/// The begin of an epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    at: Progress,
    /// Delays before it.
    delay: Delay,
}

impl Since {
    pub(super) fn new(at: Progress) -> Self {
        Self { at, delay: Delay::default() }
    }

    /// Begins the next epoch.
    pub(super) fn begin(&mut self, at: Progress) {
        let delay = self.delay_until(at);
        let part = (REMEMBERED / delay.of).min(1.0);
        *self = Self { at, delay: Delay { seconds: part * delay.seconds, of: part * delay.of } };
    }

    /// The part of its time for which a thread has had a processor of late.
    pub(super) fn running(&self) -> f64 {
        self.delay.running()
    }

    /// What so many `threads` did in the epoch, where the process gets so many `processors` at most.
    pub(super) fn sum(&self, at: Progress, threads: usize, processors: f64) -> Sum {
        let (seconds, worked) = (at.now - self.at.now, at.worked - self.at.worked);
        // Beside all threads, the consumer takes a processor from one of them.
        let by_consumer = (worked - threads as f64 * seconds).clamp(0.0, at.own - self.at.own);
        // A quota makes threads wait that are more than it, where the plain loop would not.
        let by_us = by_consumer.max(worked - processors * seconds);
        let by_others = self.delay_until(at).share() - by_us / worked.max(f64::MIN_POSITIVE);
        let running = (1.0 - by_others).clamp(LEAST_RUNNING, 1.0);
        // Threads in each other's way leave one at work, and waking one takes no time slice: where nobody works for so
        // long, what they have begun waits for a processor, and is yet to be counted.
        let uncounted = if seconds >= TIME_SLICE { (seconds - worked).max(0.0) } else { 0.0 };
        let items = at.produced - self.at.produced;
        Sum { items, seconds: running * (seconds - uncounted), worked: running * worked, wall: seconds }
    }

    fn delay_until(&self, at: Progress) -> Delay {
        self.delay + (at.delay - self.at.delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREADS: usize = 2;

    /// 10 ms in which threads worked for so many seconds, the consumer for `own` of them, and waited for `delay` in all that
    /// was looked at.
    fn sum(worked: f64, own: f64, delay: Delay) -> Sum {
        let at = Progress { now: 10e-3, produced: 10, worked, own, delay };
        Since::new(Progress::default()).sum(at, THREADS, f64::INFINITY)
    }

    fn assert_near(is: f64, expected: f64) {
        assert!((is - expected).abs() < 1e-9, "{is} instead of {expected}");
    }

    #[test]
    fn what_was_looked_at_stands_for_all() {
        let sum = sum(20e-3, 0.0, Delay { seconds: 6e-3, of: 8e-3 });
        assert_near(sum.seconds, 2.5e-3);
        assert_near(sum.worked, 5e-3);
    }

    #[test]
    fn a_consumer_beside_all_threads_causes_delays_itself() {
        let sum = sum(30e-3, 10e-3, Delay { seconds: 10e-3, of: 30e-3 });
        assert_near(sum.seconds, 10e-3);
        assert_near(sum.worked, 30e-3);
    }

    #[test]
    fn a_quota_is_no_fault_of_others() {
        let at =
            Progress { now: 10e-3, worked: 20e-3, delay: Delay { seconds: 8e-3, of: 20e-3 }, ..Progress::default() };
        let seconds = |processors| Since::new(Progress::default()).sum(at, THREADS, processors).seconds;
        assert_near(seconds(1.2), 10e-3);
        assert_near(seconds(2.0), 6e-3);
    }

    #[test]
    fn where_nobody_works_for_a_time_slice_everybody_waits() {
        assert_near(sum(4e-3, 0.0, Delay::default()).seconds, 4e-3);
        let shortly = Progress { now: 100e-6, worked: 40e-6, ..Progress::default() };
        assert_near(Since::new(Progress::default()).sum(shortly, THREADS, 2.0).seconds, 100e-6);
    }

    #[test]
    fn delays_are_remembered_for_a_while() {
        let mut since = Since::new(Progress::default());
        let later = |steps: f64, delay: Delay| Progress {
            now: steps * 10e-3,
            worked: steps * 20e-3,
            delay,
            ..Progress::default()
        };
        let busy = Delay { seconds: 15e-3, of: 20e-3 };
        since.begin(later(1.0, busy));
        assert_near(since.sum(later(2.0, busy), THREADS, 2.0).seconds, 2.5e-3);
        let idle = |steps: f64| Delay { seconds: 15e-3, of: 20e-3 * steps };
        (2..20).for_each(|step| since.begin(later(f64::from(step), idle(f64::from(step)))));
        let seconds = since.sum(later(20.0, idle(20.0)), THREADS, 2.0).seconds;
        assert!((9.9e-3..=10e-3).contains(&seconds), "{seconds}");
    }

    #[test]
    fn nothing_is_something_to_judge_by() {
        let sum = sum(0.0, 0.0, Delay::default());
        assert!(sum.seconds >= 0.0 && sum.worked == 0.0, "{sum:?}");
    }
}
