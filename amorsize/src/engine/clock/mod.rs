//! What a piece of work cost the thread that did it: wall time, and how much of that the thread was blocked. Reads
//! clocks; what follows from them is decided elsewhere.
//!
//! Blocked = wall − CPU − run-queue delay. The wall and the CPU clock alone would take a function that computes on a
//! busy machine for one that sleeps, so the delay is read too where the system counts it (Linux: the second field of
//! `/proc/thread-self/schedstat`). Where it does not, time off the processor counts as blocked only when it is nearly
//! all of the time, which no busy machine does to a thread; without a thread CPU clock (Windows) nothing is known.

mod cpu_time;
mod delays;
mod schedstat;

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use crate::decide::observed::Clocks;

use cpu_time::process_cpu_time;
use schedstat::run_queue_delay;

pub(super) use cpu_time::thread_cpu_time;
pub(super) use delays::Delays;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use schedstat::parse as parse_schedstat;

/// Time off the processor that is not worth a second look: a few preemptions by interrupts, and the clocks' own cost.
const NOTABLE: Duration = Duration::from_micros(20);
/// Share of wall time off the processor that is not worth a second look.
const NOTABLE_SHARE: f64 = 0.1;
/// Share of time off the processor from which it counts as blocked where the run-queue delay is not known: a core
/// would have to be wanted by ten threads to do that to one that computes.
const SURELY_BLOCKED_SHARE: f64 = 0.9;

/// Measures from its start to its stop, on one thread.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    begin: Instant,
    usage: Option<Usage>,
    /// The clocks are the thread's own: it must not be stopped by another one.
    not_send: PhantomData<*const ()>,
}

/// What [`Stopwatch::stop`] read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Elapsed {
    pub(crate) wall: Duration,
    /// The part of `wall` in which the thread was blocked; `None` where it was not measured or cannot be.
    pub(crate) blocked: Option<Duration>,
    /// The processors' time that the whole process had meanwhile, where the thread may have been blocked.
    pub(crate) process: Duration,
}

impl Elapsed {
    /// Share of `wall` in which the thread was blocked, 0.0..=1.0.
    pub(crate) fn blocked_share(self) -> Option<f64> {
        let blocked = self.blocked?.as_secs_f64();
        Some(if blocked > 0.0 { (blocked / self.wall.as_secs_f64()).min(1.0) } else { 0.0 })
    }

    /// Processors' worth of time that the process had meanwhile.
    pub(crate) fn busy(self) -> f64 {
        if self.process.is_zero() { 0.0 } else { self.process.as_secs_f64() / self.wall.as_secs_f64() }
    }
}

impl Stopwatch {
    /// Starts. Wall time costs two readings of 25 ns, processor time two of 0.5 µs and a third one for what takes longer
    /// than is worth a look, the run-queue delay 0.7 µs and, if the thread was off the processor, as much again (2026,
    /// Linux in a virtual machine); several times that when caches are cold. For chunks, never for items.
    pub(crate) fn start(clocks: Clocks) -> Self {
        let usage = (clocks != Clocks::Wall).then(|| Usage::at_start(clocks)).flatten();
        // Read last, and first at the end: the other clocks enclose the wall clock, so `blocked` is never too large.
        Self { begin: Instant::now(), usage, not_send: PhantomData }
    }

    /// When the stopwatch was started.
    pub(crate) fn begin(&self) -> Instant {
        self.begin
    }

    /// Reads the clocks.
    pub(crate) fn stop(self) -> Elapsed {
        let wall = self.begin.elapsed();
        let blocked = self.usage.and_then(|usage| usage.blocked(wall));
        let may_be_blocked = blocked.is_none_or(|blocked| !blocked.is_zero());
        let usage = self.usage.filter(|_| may_be_blocked);
        Elapsed { wall, blocked, process: usage.and_then(Usage::process).unwrap_or_default() }
    }
}

/// What a thread had used of the processor, and waited for it, when it was read.
#[derive(Clone, Copy, Debug)]
struct Usage {
    cpu: Duration,
    /// Processor time of the whole process.
    process: Option<Duration>,
    delay: DelayBefore,
}

/// The run-queue delay at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DelayBefore {
    Known(Duration),
    /// Not read: anything from nothing to what it is at the end.
    Unread,
    /// The system does not count it.
    Uncounted,
}

impl Usage {
    fn at_start(clocks: Clocks) -> Option<Self> {
        let delay = match clocks {
            Clocks::All => run_queue_delay().map_or(DelayBefore::Uncounted, DelayBefore::Known),
            _ => DelayBefore::Unread,
        };
        Some(Self { process: process_cpu_time(), cpu: thread_cpu_time()?, delay })
    }

    fn process(self) -> Option<Duration> {
        Some(process_cpu_time()?.saturating_sub(self.process?))
    }

    fn blocked(self, wall: Duration) -> Option<Duration> {
        if wall <= NOTABLE {
            return Some(Duration::ZERO);
        }
        let cpu = thread_cpu_time()?.saturating_sub(self.cpu);
        let off = wall.saturating_sub(cpu);
        if off <= NOTABLE || off <= wall.mul_f64(NOTABLE_SHARE) {
            return Some(Duration::ZERO);
        }
        blocked_of(wall, off, self.delay, run_queue_delay())
    }
}

/// The blocked part of the time `off` the processor; `None` where that cannot be told.
fn blocked_of(wall: Duration, off: Duration, before: DelayBefore, now: Option<Duration>) -> Option<Duration> {
    match (before, now) {
        (DelayBefore::Known(before), Some(now)) => Some(off.saturating_sub(now.saturating_sub(before))),
        // At most all of the thread's delays ever fell into this time, and most probably none did.
        (DelayBefore::Unread, Some(now)) => (2 * off.saturating_sub(now) >= wall).then_some(off),
        (DelayBefore::Uncounted, _) | (_, None) if off >= wall.mul_f64(SURELY_BLOCKED_SHARE) => Some(off),
        _ => Some(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_run_queue_delay_is_not_blocked() {
        let blocked = |delay| blocked_of(10 * MS, 8 * MS, DelayBefore::Known(5 * MS), Some(5 * MS + delay));
        assert_eq!(blocked(7 * MS), Some(MS));
        assert_eq!(blocked(9 * MS), Some(Duration::ZERO));
    }

    #[test]
    fn an_uncounted_delay_needs_nearly_all_of_the_time() {
        assert_eq!(blocked_of(10 * MS, 8 * MS, DelayBefore::Uncounted, None), Some(Duration::ZERO));
        assert_eq!(blocked_of(10 * MS, 9 * MS, DelayBefore::Uncounted, None), Some(9 * MS));
    }

    #[test]
    fn an_unread_delay_settles_what_all_delays_ever_would_not_change() {
        assert_eq!(blocked_of(10 * MS, 9 * MS, DelayBefore::Unread, Some(2 * MS)), Some(9 * MS));
        assert_eq!(blocked_of(10 * MS, 9 * MS, DelayBefore::Unread, Some(6 * MS)), None);
    }

    #[test]
    fn a_quick_look_knows_the_wall_time_only() {
        let elapsed = Stopwatch::start(Clocks::Wall).stop();
        assert_eq!((elapsed.blocked, elapsed.blocked_share()), (None, None));
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        let elapsed = Elapsed { blocked: Some(Duration::ZERO), ..Elapsed::default() };
        assert_eq!(elapsed.blocked_share(), Some(0.0));
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    mod linux {
        use std::hint::black_box;
        use std::sync::atomic::{AtomicBool, Ordering};
        use std::thread;

        use super::super::*;
        use super::MS;

        /// Computes; the number of steps is fixed, the time is not.
        fn spin(steps: u64) -> u64 {
            (0..steps).fold(1, |sum: u64, step| black_box(sum.wrapping_mul(6_364_136_223_846_793_005) ^ step))
        }

        #[test]
        fn sleeping_is_blocked() {
            let watch = Stopwatch::start(Clocks::All);
            thread::sleep(5 * MS);
            // Not the share: on a busy machine it may wait for a core as long again, and that is not blocked.
            let blocked = watch.stop().blocked.unwrap();
            assert!(blocked > 4 * MS, "{blocked:?}");
        }

        #[test]
        fn computing_beside_six_busy_threads_is_not_blocked() {
            let stop = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..6 {
                    scope.spawn(|| {
                        while !stop.load(Ordering::Relaxed) {
                            spin(1_000);
                        }
                    });
                }
                let watch = Stopwatch::start(Clocks::All);
                spin(20_000_000);
                let elapsed = watch.stop();
                stop.store(true, Ordering::Relaxed);
                let share = elapsed.blocked_share().unwrap();
                assert!(share < 0.3, "{share} of {:?}", elapsed.wall);
            });
        }
    }
}
