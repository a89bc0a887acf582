//! What threads did since an epoch began, and how often they had a processor meanwhile: one that others keep is no
//! fault of the plan, as far as the plain loop would wait for it as well. It would beside many others, but not beside
//! one.

use crate::decide::observed::{Delay, LEAST_RUNNING};

/// Seconds for which a system may let a thread wait for a processor.
const TIME_SLICE: f64 = 2e-3;
/// Seconds of work for which delays are remembered: they come seldom, and are long.
const REMEMBERED: f64 = 50e-3;
/// Seconds of chunks alone that show what share of a processor the loop would have: some time slices.
pub(super) const LONG_ENOUGH: f64 = 20e-3;

/// How far a run is: the time and the results finished.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) now: f64,
    pub(crate) produced: u64,
    /// Seconds that all threads together have worked, the consumer with the source and the results included.
    pub(crate) worked: f64,
    pub(crate) delay: Delay,
}

/// Items, and what they took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) items: u64,
    /// Seconds without those in which nobody got to work.
    pub(super) seconds: f64,
    /// Seconds of all threads together for which they had a processor, or were blocked.
    pub(super) worked: f64,
    /// The same without those in which they were blocked.
    pub(super) computed: f64,
    /// Seconds on the clock.
    pub(super) wall: f64,
}

impl Sum {
    /// What items of the plain loop took, which works all the time.
    pub(super) fn plain(items: u64, seconds: f64) -> Self {
        Self { items, seconds, worked: seconds, computed: seconds, wall: seconds }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.items += other.items;
        self.seconds += other.seconds;
        self.worked += other.worked;
        self.computed += other.computed;
        self.wall += other.wall;
    }

    /// This sum in seconds of a loop that has a processor for such a part of its time.
    pub(super) fn of_loop(self, share: f64) -> Self {
        Self { seconds: share * self.seconds, ..self }
    }

    /// Seconds an item.
    pub(super) fn each(&self) -> f64 {
        self.seconds / self.items as f64
    }

    /// Seconds an item, on the clock.
    pub(super) fn wall_each(&self) -> f64 {
        self.wall / self.items as f64
    }

    /// Work an item, whoever did it.
    pub(super) fn work(&self) -> f64 {
        self.worked / self.items as f64
    }

    /// The processors' time for an item.
    pub(super) fn computing(&self) -> f64 {
        self.computed / self.items as f64
    }
}

/// What threads did in a while, as far as that was looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    seconds: f64,
    worked: f64,
    delay: Delay,
}

impl Seen {
    /// The part of its time for which each thread had a processor.
    fn running(self) -> f64 {
        self.delay.running()
    }

    /// The part of its time for which the plain loop would have a processor, had it run instead on one of so many
    /// `processors`: where threads wait for them, everybody who wants one gets the same share, so that tells how many
    /// others there are.
    fn loop_share(self, processors: f64) -> f64 {
        if self.delay.seconds <= 0.0 {
            return 1.0;
        }
        let ours = self.worked / self.seconds.max(f64::MIN_POSITIVE);
        let others = (processors / self.running() - ours).max(0.0);
        (processors / (1.0 + others)).clamp(LEAST_RUNNING, 1.0)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            worked: self.worked + other.worked,
            delay: self.delay + other.delay,
        }
    }

    fn times(self, part: f64) -> Self {
        let Delay { seconds, blocked, of } = self.delay;
        let delay = Delay { seconds: part * seconds, blocked: part * blocked, of: part * of };
        Self { seconds: part * self.seconds, worked: part * self.worked, delay }
    }
}

/// The begin of an epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    at: Progress,
    /// The last look, and seconds since the epoch began for which nobody worked a time slice long.
    looked: Progress,
    stalled: f64,
    /// Processors' worth of time that the process may get.
    processors: f64,
    /// What epochs before this one were like, and chunks that were run alone.
    past: Seen,
    alone: Delay,
}

/// The part of its time for which the plain loop would have a processor, had it run instead of threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    pub(super) likely: f64,
    /// The most that it may be: more than is likely where threads wait although others want few processors, since the
    /// system makes several share one.
    pub(super) most: f64,
}

impl Share {
    pub(super) fn known(share: f64) -> Self {
        Self { likely: share, most: share }
    }
}

impl Since {
    pub(super) fn new(at: Progress, processors: f64) -> Self {
        Self { at, looked: at, stalled: 0.0, processors, past: Seen::default(), alone: Delay::default() }
    }

    pub(super) fn on(self, processors: f64) -> Self {
        Self { processors, ..self }
    }

    #[cfg(test)]
    pub(super) fn begun(&self) -> Progress {
        self.at
    }

    /// Looks at how far threads have come.
    pub(super) fn look(&mut self, at: Progress) {
        // Threads in each other's way leave one at work, and waking one takes no time slice: where nobody works for so
        // long, what they have begun waits for a processor, and is yet to be counted.
        let idle = (at.now - self.looked.now) - (at.worked - self.looked.worked);
        self.stalled += if idle >= TIME_SLICE { idle } else { 0.0 };
        self.looked = at;
    }

    /// Begins the next epoch; this one is remembered.
    pub(super) fn next(&mut self, at: Progress) {
        let seen = self.past.plus(self.epoch(at));
        self.past = seen.times((REMEMBERED / seen.delay.of).min(1.0));
        self.skip(at);
    }

    /// Begins an epoch after a stretch that does not count.
    pub(super) fn skip(&mut self, at: Progress) {
        (self.at, self.looked, self.stalled) = (at, at, 0.0);
    }

    /// A chunk was run alone.
    pub(super) fn ran_alone(&mut self, delay: Delay) {
        self.alone += delay;
    }

    /// What chunks alone have shown does not count any more.
    pub(super) fn forget_alone(&mut self) {
        self.alone = Delay::default();
    }

    /// The part of its time for which a thread has had a processor of late.
    pub(super) fn running(&self) -> f64 {
        self.past.running()
    }

    /// The part of its time for which the plain loop would have had a processor of late.
    pub(super) fn loop_share(&self) -> Share {
        self.share(self.past)
    }

    /// What threads did in the epoch, and what that says of the plain loop.
    pub(super) fn sum(&self, at: Progress) -> (Sum, Share) {
        let epoch = self.epoch(at);
        let seen = self.past.plus(epoch);
        let sum = Sum {
            items: at.produced - self.at.produced,
            seconds: epoch.seconds,
            worked: seen.running() * epoch.worked,
            computed: seen.delay.computing() * epoch.worked,
            wall: at.now - self.at.now,
        };
        (sum, self.share(seen))
    }

    fn share(&self, seen: Seen) -> Share {
        let likely = seen.loop_share(self.processors);
        if likely < 1.0 && self.alone.of >= LONG_ENOUGH {
            return Share::known(self.alone.running());
        }
        Share { likely, most: 1.0 }
    }

    fn epoch(&self, at: Progress) -> Seen {
        let from = &self.at;
        let seconds = (at.now - from.now - self.stalled).max(0.0);
        Seen { seconds, worked: at.worked - from.worked, delay: at.delay - from.delay }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESSORS: f64 = 2.0;

    fn start() -> Since {
        Since::new(Progress::default(), PROCESSORS)
    }

    /// 10 ms in which threads worked for so many seconds, and waited for `delay` in all that was looked at.
    fn sum(worked: f64, delay: Delay) -> Sum {
        likely(&start(), Progress { now: 10e-3, produced: 10, worked, delay })
    }

    fn likely(since: &Since, at: Progress) -> Sum {
        let (sum, share) = since.sum(at);
        sum.of_loop(share.likely)
    }

    fn assert_near(is: f64, expected: f64) {
        assert!((is - expected).abs() < 1e-9, "{is} instead of {expected}");
    }

    #[test]
    fn what_was_looked_at_stands_for_all() {
        assert_near(sum(20e-3, Delay::ready(6e-3, 8e-3)).worked, 5e-3);
    }

    #[test]
    fn the_loop_gets_what_others_leave_to_one() {
        // Two threads and so many others on two processors.
        let seconds = |others: f64| {
            let share = PROCESSORS / (2.0 + others);
            sum(20e-3, Delay::ready((1.0 - share) * 20e-3, 20e-3)).seconds
        };
        assert_near(seconds(0.0), 10e-3);
        assert_near(seconds(1.0), 10e-3);
        assert_near(seconds(6.0), 10e-3 * 2.0 / 7.0);
    }

    #[test]
    fn a_consumer_beside_all_threads_causes_delays_itself() {
        assert_near(sum(30e-3, Delay::ready(10e-3, 30e-3)).seconds, 10e-3);
    }

    #[test]
    fn a_quota_is_no_fault_of_others() {
        let at = Progress { now: 10e-3, worked: 20e-3, delay: Delay::ready(8e-3, 20e-3), ..Progress::default() };
        let seconds = |processors| likely(&Since::new(Progress::default(), processors), at).seconds;
        assert_near(seconds(1.2), 10e-3);
        assert_near(seconds(3.0), 7.5e-3);
    }

    #[test]
    fn where_nobody_works_for_a_time_slice_everybody_waits() {
        let mut since = start();
        let at = |now, worked| Progress { now, worked, ..Progress::default() };
        since.look(at(10e-3, 4e-3));
        assert_near(likely(&since, at(11e-3, 5e-3)).seconds, 5e-3);
        (1..=10).for_each(|chunk| since.look(at(11e-3 + f64::from(chunk) * 1e-3, 5e-3)));
        assert_near(likely(&since, at(21e-3, 5e-3)).seconds, 15e-3);
    }

    #[test]
    fn delays_are_remembered_for_a_while() {
        let mut since = start();
        let later =
            |steps: f64, delay: Delay| Progress { now: steps * 10e-3, worked: steps * 20e-3, delay, produced: 0 };
        // As beside six others.
        let busy = Delay::ready(15e-3, 20e-3);
        since.next(later(1.0, busy));
        let shares = |since: &Since| (since.running(), since.loop_share().likely);
        assert_eq!(shares(&since), (0.25, 2.0 / 7.0));
        since.skip(later(100.0, busy));
        assert_eq!(shares(&since), (0.25, 2.0 / 7.0), "what was skipped does not count");
        let idle = |steps: f64| Delay::ready(15e-3, 20e-3 * steps);
        since = start();
        since.next(later(1.0, busy));
        (2..20).for_each(|step| since.next(later(f64::from(step), idle(f64::from(step)))));
        let sum = likely(&since, later(20.0, idle(20.0)));
        assert!((19.9e-3..=20e-3).contains(&sum.worked), "{sum:?}");
        assert_near(sum.seconds, 10e-3);
    }

    #[test]
    fn where_few_may_share_one_processor_chunks_alone_tell_what_the_loop_gets() {
        let mut since = start();
        let delay = Delay::ready(10e-3, 20e-3);
        since.next(Progress { now: 10e-3, worked: 20e-3, delay, produced: 10 });
        assert_eq!(since.loop_share(), Share { likely: 2.0 / 3.0, most: 1.0 }, "two others, or none");
        since.ran_alone(Delay::ready(0.0, 19e-3));
        assert!(since.loop_share().likely < 1.0, "too little to tell");
        since.ran_alone(Delay::ready(0.0, 1e-3));
        assert_eq!(since.loop_share(), Share::known(1.0));
        since.forget_alone();
        assert!(since.loop_share().likely < 1.0);
    }

    #[test]
    fn nothing_is_something_to_judge_by() {
        let sum = likely(&start(), Progress::default());
        assert!(sum.seconds >= 0.0 && sum.worked == 0.0, "{sum:?}");
        assert_eq!(start().loop_share(), Share::known(1.0));
    }
}
