//! How many threads a blocking function gets: more while throughput grows with them, fewer when it does not.
//!
//! A climb by doubling and halving (the shape of .NET's thread injection): each step is judged by the throughput of a
//! stretch in which every thread has done a few items. Until the first step is judged, items that take no longer beside
//! others than alone are reason enough to double (the gradient of Netflix' concurrency limits), where so many are left
//! that more threads pay for their start.

use super::timing::THREAD_START;

/// Shortest seconds of a judged stretch.
const STRETCH: f64 = 10e-3;
/// Items for each thread in a judged stretch.
const ROUNDS: u64 = 2;
/// Gain from which twice the threads were worth it.
const WORTH_DOUBLING: f64 = 1.2;
/// Throughput that half the threads must keep to be preferred.
const WORTH_HALVING: f64 = 0.9;
/// Part of a linear gain below which threads are too many; and below which many threads do not become more, since each
/// step may cost a service more than it gives.
const BOUND: f64 = 0.4;
const NEAR_BOUND: f64 = 0.6;
/// Stretches between two attempts to change a settled number.
const REST: u32 = 50;
/// Serial item times and items after which a stretch is judged even if most threads have finished nothing: by then
/// something else than the threads is the bound.
const PATIENCE: f64 = 4.0;
const FEW_ITEMS: u64 = 16;

/// Ratio of an item's time beside others to that alone up to which nothing is the bound yet.
const UNHINDERED: f64 = 1.1;
/// Threads up to which unhindered items are reason enough to double, and from which a gain that is far from linear ends
/// the climb. A server that takes more connections than it listens for drops some for a second, which one of six runs
/// against a loopback server met with 128.
const UNJUDGED: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Nothing was judged so far.
    First,
    /// Twice as many threads as made items at this rate.
    Up(Step),
    /// Half as many threads as made items at this rate.
    Down(Step),
    Settled,
}

/// Where the climb has come from.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    threads: usize,
    /// Items a second.
    rate: f64,
}

/// The state of the climb.
#[derive(Clone, Debug)]
pub(crate) struct Growth {
    threads: usize,
    most: usize,
    phase: Phase,
    since: f64,
    yielded: u64,
    rest: u32,
    /// Seconds an item on one thread alone.
    serial: f64,
    /// The first round of items is over, which starting the threads has made slow.
    is_warm: bool,
}

impl Growth {
    pub(crate) fn new(now: f64, yielded: u64, threads: usize, most: usize, serial: f64) -> Self {
        Self { threads, most, phase: Phase::First, since: now, yielded, rest: 0, serial, is_warm: false }
    }

    /// The number of threads is known to be good: it is only reconsidered now and then.
    pub(crate) fn settle(&mut self) {
        self.phase = Phase::Settled;
    }

    /// One thread alone takes so long for an item, after all. What was run meanwhile does not count.
    pub(crate) fn restart(&mut self, now: f64, yielded: u64, serial: f64) {
        (self.since, self.yielded, self.serial) = (now, yielded, serial);
    }

    /// Doubles before anything is judged: where items take `each` seconds now, and so many are left.
    pub(crate) fn leap(&mut self, now: f64, yielded: u64, each: f64, left: u64) -> Option<usize> {
        let is_seen = 2 * (yielded - self.yielded) >= self.threads as u64;
        let threads = (2 * self.threads).min(self.most).min(UNJUDGED);
        if self.phase != Phase::First || !is_seen || each > UNHINDERED * self.serial || threads <= self.threads {
            return None;
        }
        let saved = left as f64 * each * (1.0 / self.threads as f64 - 1.0 / threads as f64);
        if saved < 2.0 * (threads - self.threads) as f64 * THREAD_START {
            return None;
        }
        self.threads = threads;
        self.since = now;
        self.yielded = yielded;
        self.is_warm = false;
        Some(threads)
    }

    /// Judges the stretch that ends now, once it is long enough; a new number of threads if it should change.
    pub(crate) fn check(&mut self, now: f64, yielded: u64) -> Option<usize> {
        let (seconds, items) = (now - self.since, yielded - self.yielded);
        let (shortest, rounds) = if self.is_warm { (STRETCH, ROUNDS) } else { (0.0, 1) };
        let is_full = items >= rounds * self.threads as u64;
        let is_late = items >= FEW_ITEMS && seconds >= PATIENCE * self.serial;
        if seconds < shortest || !(is_full || is_late) {
            return None;
        }
        self.since = now;
        self.yielded = yielded;
        if !std::mem::replace(&mut self.is_warm, true) {
            return None;
        }
        let threads = self.threads;
        self.judge(items as f64 / seconds);
        (self.threads != threads).then_some(self.threads)
    }

    fn judge(&mut self, rate: f64) {
        let of_linear = rate * self.serial / self.threads as f64;
        match self.phase {
            // Far from a linear gain means that something else is the bound.
            Phase::First if of_linear < BOUND => self.halve(rate),
            Phase::First if of_linear < NEAR_BOUND && self.threads >= UNJUDGED => self.settle(),
            Phase::First => self.double(rate),
            Phase::Up(before) if rate >= WORTH_DOUBLING * before.rate => self.double(rate),
            Phase::Down(before) if rate >= WORTH_HALVING * before.rate => self.halve(rate),
            Phase::Up(before) | Phase::Down(before) => {
                self.threads = before.threads;
                self.settle();
            }
            Phase::Settled => self.reconsider(rate),
        }
    }

    fn reconsider(&mut self, rate: f64) {
        self.rest += 1;
        if self.rest >= REST {
            self.rest = 0;
            self.double(rate);
        }
    }

    fn double(&mut self, rate: f64) {
        self.step((2 * self.threads).min(self.most), Phase::Up(Step { threads: self.threads, rate }));
    }

    fn halve(&mut self, rate: f64) {
        self.step((self.threads / 2).max(1), Phase::Down(Step { threads: self.threads, rate }));
    }

    fn step(&mut self, threads: usize, phase: Phase) {
        self.phase = if threads == self.threads { Phase::Settled } else { phase };
        self.threads = threads;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs two seconds against a service of the given throughput for a number of threads; where it ends.
    fn climb(start: usize, rate: impl Fn(usize) -> f64) -> usize {
        let mut growth = Growth::new(0.0, 0, start, 256, 1.0 / rate(1));
        let (mut threads, mut items) = (start, 0.0);
        for step in 1..2_000 {
            items += rate(threads) * 1e-3;
            if let Some(changed) = growth.check(f64::from(step) * 1e-3, items as u64) {
                threads = changed;
            }
        }
        threads
    }

    #[test]
    fn sleeping_functions_get_as_many_threads_as_allowed() {
        assert_eq!(climb(32, |threads| threads as f64 * 1_000.0), 256);
    }

    #[test]
    fn a_server_that_answers_one_at_a_time_does_not_get_many() {
        // One, or two while another attempt is made.
        let threads = climb(32, |_| 200.0);
        assert!(threads <= 2, "{threads}");
    }

    #[test]
    fn a_slow_start_is_not_taken_for_the_most_there_is() {
        let mut growth = Growth::new(0.0, 0, 64, 256, 1e-3);
        assert_eq!(growth.check(20e-3, 200), None, "five milliseconds of it started threads");
        assert_eq!(growth.check(40e-3, 200 + 1_200), Some(128));
    }

    #[test]
    fn many_threads_that_are_far_from_a_linear_gain_do_not_become_more() {
        let first_step = |threads: usize, part: f64| {
            let mut growth = Growth::new(0.0, 0, threads, 256, 5e-3);
            growth.is_warm = true;
            let items = part * threads as f64 / 5e-3 * 20e-3;
            growth.check(20e-3, items as u64)
        };
        assert_eq!([first_step(64, 0.5), first_step(64, 0.7)], [None, Some(128)]);
        assert_eq!([first_step(64, 0.3), first_step(32, 0.5)], [Some(32), Some(64)]);
    }

    #[test]
    fn items_as_fast_as_alone_are_reason_enough_for_more_threads() {
        let start = || Growth::new(0.0, 0, 32, 256, 1e-3);
        assert_eq!(start().leap(1e-3, 15, 1e-3, 10_000), None, "too few have come back");
        assert_eq!(start().leap(1e-3, 16, 1e-3, 10_000), Some(64));
        assert_eq!(start().leap(1e-3, 16, 2e-3, 10_000), None, "something is the bound");
        assert_eq!(start().leap(1e-3, 16, 1e-3, 100), None, "the rest is over before threads have started");
        let mut settled = start();
        settled.settle();
        assert_eq!(settled.leap(1e-3, 16, 1e-3, 10_000), None);
        let mut many = Growth::new(0.0, 0, 64, 256, 1e-3);
        assert_eq!(many.leap(1e-3, 64, 1e-3, 10_000), None, "a server may not listen for more");
    }

    #[test]
    fn the_climb_stops_where_throughput_does() {
        let threads = climb(8, |threads| threads.min(40) as f64 * 1_000.0);
        assert!((32..=64).contains(&threads), "{threads}");
    }
}
