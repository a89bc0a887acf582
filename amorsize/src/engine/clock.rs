//! What a piece of work cost the thread that did it: wall time, and how much of that the thread was blocked. Reads
//! clocks; what follows from them is decided elsewhere.
//!
//! Blocked = wall − CPU − run-queue delay. The wall and the CPU clock alone would take a function that computes on a
//! busy machine for one that sleeps, so the delay is read too where the system counts it (Linux: the second field of
//! `/proc/thread-self/schedstat`). Where it does not, time off the processor counts as blocked only when it is nearly
//! all of the time, which no busy machine does to a thread; without a thread CPU clock (Windows) nothing is known.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use crate::decide::pilot::{Clocks, Delay};

/// Time off the processor that is not worth a second look: a few preemptions by interrupts, and the clocks' own cost.
const NOTABLE: Duration = Duration::from_micros(20);
/// The same as a share of wall time.
const NOTABLE_SHARE: f64 = 0.1;
/// Share of time off the processor from which it counts as blocked where the run-queue delay is not known: a core
/// would have to be wanted by ten threads to do that to one that computes.
const SURELY_BLOCKED_SHARE: f64 = 0.9;

/// Work between two readings of a thread's run-queue delay, which take 0.7 µs each.
const BETWEEN_READINGS: Duration = Duration::from_micros(250);

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
    /// Starts. Wall time costs two readings of 25 ns, processor time three of 0.5 µs, the run-queue delay 0.7 µs and,
    /// if the thread was off the processor, as much again (2026, Linux in a virtual machine); several times that
    /// when caches are cold. For chunks, never for items.
    pub(crate) fn start(clocks: Clocks) -> Self {
        let usage = (clocks != Clocks::Wall).then(|| Usage::at_start(clocks)).flatten();
        // Read last, and first at the end: the other clocks enclose the wall clock, so `blocked` is never too large.
        Self { begin: Instant::now(), usage, not_send: PhantomData }
    }

    /// When it was started.
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

/// The run-queue delays of one thread, read now and then while it runs chunks.
#[derive(Debug)]
pub(crate) struct Delays {
    /// The last reading, and the work since then.
    read: Option<Duration>,
    since: Duration,
    /// Work between two readings.
    between: Duration,
}

impl Delays {
    pub(crate) fn now_and_then() -> Self {
        Self { read: None, since: Duration::ZERO, between: BETWEEN_READINGS }
    }

    /// Read before and after each chunk.
    pub(crate) fn of_each_chunk() -> Self {
        Self { between: Duration::ZERO, ..Self::now_and_then() }
    }

    /// The thread begins with what is `expected` to take so long: a first reading, if another one will follow at its
    /// end.
    pub(crate) fn before(&mut self, expected: Duration) {
        if self.read.is_none() && expected >= self.between {
            self.read = system::run_queue_delay();
        }
    }

    /// The thread has worked for `wall`: its delay since the last reading, once there was enough work to be worth one.
    /// Delays stay with the thread until then.
    pub(crate) fn after(&mut self, wall: Duration) -> Delay {
        self.since += wall;
        if self.since < self.between {
            return Delay::default();
        }
        let (of, before) = (std::mem::take(&mut self.since), self.read);
        self.read = system::run_queue_delay();
        let delay = before.zip(self.read).map(|(before, now)| now.saturating_sub(before));
        delay.map_or(Delay::default(), |delay| Delay { seconds: delay.as_secs_f64(), of: of.as_secs_f64() })
    }
}

/// What a thread had used of the processor, and waited for it, when it was read.
#[derive(Clone, Copy, Debug)]
struct Usage {
    cpu: Duration,
    /// Of the whole process.
    process: Option<Duration>,
    delay: DelayBefore,
}

/// The run-queue delay at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DelayBefore {
    Known(Duration),
    /// Not read: nothing up to what it is at the end.
    Unread,
    /// The system does not count it.
    Uncounted,
}

impl Usage {
    fn at_start(clocks: Clocks) -> Option<Self> {
        let delay = match clocks {
            Clocks::All => system::run_queue_delay().map_or(DelayBefore::Uncounted, DelayBefore::Known),
            _ => DelayBefore::Unread,
        };
        Some(Self { process: system::process_cpu_time(), cpu: system::thread_cpu_time()?, delay })
    }

    fn process(self) -> Option<Duration> {
        Some(system::process_cpu_time()?.saturating_sub(self.process?))
    }

    fn blocked(self, wall: Duration) -> Option<Duration> {
        let cpu = system::thread_cpu_time()?.saturating_sub(self.cpu);
        let off = wall.saturating_sub(cpu);
        if off <= NOTABLE || off <= wall.mul_f64(NOTABLE_SHARE) {
            return Some(Duration::ZERO);
        }
        blocked_of(wall, off, self.delay, system::run_queue_delay())
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

pub(super) use system::thread_cpu_time;

mod system {
    // Where rustix has the clock.
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "openbsd"
    ))]
    mod cpu_time {
        use std::time::Duration;

        use rustix::time::{ClockId, clock_gettime};

        pub(in crate::engine) fn thread_cpu_time() -> Option<Duration> {
            of(ClockId::ThreadCPUTime)
        }

        pub(in crate::engine) fn process_cpu_time() -> Option<Duration> {
            of(ClockId::ProcessCPUTime)
        }

        fn of(clock: ClockId) -> Option<Duration> {
            let time = clock_gettime(clock);
            Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
        }
    }

    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "openbsd"
    )))]
    mod cpu_time {
        use std::time::Duration;

        pub(in crate::engine) fn thread_cpu_time() -> Option<Duration> {
            None
        }

        pub(in crate::engine) fn process_cpu_time() -> Option<Duration> {
            None
        }
    }

    pub(in crate::engine) use cpu_time::{process_cpu_time, thread_cpu_time};

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) use super::schedstat::run_queue_delay;

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn run_queue_delay() -> Option<std::time::Duration> {
        None
    }
}

/// Linux's count of the time for which a thread was ready to run and had no processor.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod schedstat {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Most files kept open, one a thread: opening costs ten times what reading does, but a program may have few file
    /// descriptors, and what the first threads of a pool see speaks for the others.
    const MOST_FILES: usize = 32;
    static FILES: AtomicUsize = AtomicUsize::new(0);

    thread_local! {
        static STATISTICS: Option<Statistics> = Statistics::open();
    }

    /// The open file of one thread. It stands for the thread that opened it, whoever reads it.
    struct Statistics(File);

    fn open_own() -> io::Result<File> {
        File::open("/proc/thread-self/schedstat")
    }

    impl Statistics {
        fn open() -> Option<Self> {
            if FILES.fetch_add(1, Ordering::Relaxed) < MOST_FILES
                && let Ok(file) = open_own()
            {
                return Some(Self(file));
            }
            FILES.fetch_sub(1, Ordering::Relaxed);
            None
        }
    }

    impl Drop for Statistics {
        fn drop(&mut self) {
            FILES.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn run_queue_delay() -> Option<Duration> {
        let read = |statistics: &Option<Statistics>| {
            // Three numbers of at most 20 digits.
            let mut text = [0; 64];
            let length = statistics.as_ref()?.0.read_at(&mut text, 0).ok()?;
            parse(text.get(..length)?)
        };
        STATISTICS.try_with(read).ok().flatten()
    }

    /// The second of the three numbers, in nanoseconds.
    fn parse(text: &[u8]) -> Option<Duration> {
        let delay = str::from_utf8(text).ok()?.split_ascii_whitespace().nth(1)?;
        delay.parse().ok().map(Duration::from_nanos)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_delay_is_the_second_number() {
            assert_eq!(parse(b"135524 84118 2\n"), Some(Duration::from_nanos(84_118)));
            assert_eq!(parse(b""), None);
            assert_eq!(parse(b"135524"), None);
            assert_eq!(parse(b"1 x 2"), None);
            assert_eq!(parse(b"\xff\xff \xff"), None);
        }

        #[test]
        fn the_open_file_stands_for_the_thread_that_opened_it() {
            let mine = open_own().unwrap();
            let runs = |file: &File| {
                let mut text = [0; 64];
                let length = file.read_at(&mut text, 0).unwrap();
                let text = str::from_utf8(&text[..length]).unwrap();
                text.split_ascii_whitespace().nth(2).unwrap().parse::<u64>().unwrap()
            };
            let before = runs(&mine);
            std::thread::scope(|scope| {
                // A new thread has run a handful of times; each of its sleeps would count if the file were its own.
                let mine = &mine;
                let seen = scope.spawn(move || {
                    (0..50).for_each(|_| std::thread::sleep(Duration::from_micros(1)));
                    runs(mine)
                });
                assert!(seen.join().unwrap() < before + 50);
            });
        }
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
    #[test]
    fn delays_are_read_after_enough_work_and_none_of_that_is_left_out() {
        let mut delays = Delays::now_and_then();
        let part = BETWEEN_READINGS / 4;
        delays.before(part);
        assert_eq!(
            [0; 4].map(|_| delays.after(part).of),
            [0.0; 4],
            "what the first reading is held against is not known"
        );
        assert_eq!([0; 4].map(|_| delays.after(part).of)[3], BETWEEN_READINGS.as_secs_f64());
        let mut delays = Delays::now_and_then();
        delays.before(BETWEEN_READINGS);
        assert_eq!(delays.after(BETWEEN_READINGS).of, BETWEEN_READINGS.as_secs_f64());
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
