//! What it takes to get a thread to work, here and now: from some microseconds, while the pool's threads still look for
//! work, to a millisecond on a virtual machine whose other processors were given back to the host. Measured at every
//! launch, apart for threads that have just worked and threads that are asleep, so that short runs are not shared where
//! they would be over before another thread has begun.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::decide::timing::Wake;
use crate::epoch::nanos_now;

/// Weight of a new observation. Means are geometric: one thread in a hundred begins only when the core that it was put
/// on is free, a hundred times later than usual, and that is no reason to expect it of the next.
const NEWEST: f64 = 0.25;
/// What one observation may say: below, the clock is not good enough, and beyond, the machine stood still.
const SHORTEST: f64 = 100e-9;
const LONGEST: f64 = 2e-3;
/// What was observed counts half after this time: machines change, and short runs that no longer wake anybody would
/// never find out.
const HALF_LIFE: Duration = Duration::from_secs(1);
/// What starting the pool adds the first time, and looking at the machine.
const START: Duration = Duration::from_micros(400);
const LOOK: Duration = Duration::from_micros(200);
/// Time after its last work from which a thread of a pool is taken to be asleep.
const ASLEEP: Duration = Duration::from_micros(100);
/// Time from which letting a thread by has let others by as well: a single one takes less.
const CROWD: Duration = Duration::from_micros(500);

/// Threads that have just worked, and threads that are asleep.
static AWAKE: Threads = Threads::new();
static SLEEPING: Threads = Threads::new();
/// [Nanoseconds](nanos_now) when a thread last ended its work.
static LAST_WORK: AtomicU64 = AtomicU64::new(0);
/// [Nanoseconds](nanos_now) until when nobody is let by.
static CROWDED: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds that runs have lost because the pool was not started yet, or the machine not looked at. None of many
/// short runs would be worth it.
static FORGONE: AtomicU64 = AtomicU64::new(0);

struct Threads {
    call: Estimate,
    latency: Estimate,
}

impl Threads {
    const fn new() -> Self {
        Self { call: Estimate::new(), latency: Estimate::new() }
    }

    /// What is to be expected of threads at such a [time](nanos_now): that they are awake, or asleep.
    fn at(now: u64) -> &'static Self {
        if age(&LAST_WORK, now) < ASLEEP { &AWAKE } else { &SLEEPING }
    }
}

/// What it is expected to take to get a thread to work. `runs`: whether the pool's threads have been started;
/// `is_unseen`: whether the machine has never been looked at, as has to be before threads are used.
pub(crate) fn expected(runs: bool, is_unseen: bool) -> Wake {
    let now = nanos_now();
    let Threads { call, latency } = Threads::at(now);
    let once = |is_due: bool, takes: Duration| if is_due { takes } else { Duration::ZERO };
    let first = once(!runs, START) + once(is_unseen, LOOK);
    let start = first.saturating_sub(Duration::from_nanos(FORGONE.load(Relaxed)));
    Wake {
        call: call.value(Wake::USUAL.call, now),
        latency: latency.value(Wake::USUAL.latency, now),
        start: start.as_secs_f64(),
    }
}

/// A run lost so many seconds because starting the pool, or looking at the machine, was not worth it. Once all that was
/// lost reaches what that takes, it is: so no more than twice the least is ever spent, however many runs there will be
/// (the ski-rental rule).
pub(crate) fn forwent(seconds: f64) {
    FORGONE.fetch_add((seconds.max(0.0) * 1e9) as u64, Relaxed);
}

/// A job that is handed to a pool.
#[derive(Clone, Copy)]
pub(crate) struct Launched {
    at: Instant,
    threads: &'static Threads,
}

impl Launched {
    /// A job that is handed to a pool now.
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), threads: Threads::at(nanos_now()) }
    }

    /// Makes room for the thread that was woken: if the system put it on the caller's processor, it comes to run, and
    /// can step aside, only once the caller does so: now, rather than at the end of its work. Others may be waiting for
    /// the processor as well, and then that takes milliseconds; so it is not done again for a while.
    pub(crate) fn let_by(self) {
        let is_asleep = std::ptr::eq(self.threads, &raw const SLEEPING);
        if is_asleep && CROWDED.load(Relaxed) <= nanos_now() {
            let begin = Instant::now();
            thread::yield_now();
            if begin.elapsed() > CROWD {
                CROWDED.store(nanos_now() + HALF_LIFE.as_nanos() as u64, Relaxed);
            }
        }
    }

    /// How long ago handing the job over began.
    pub(crate) fn since(self) -> Duration {
        self.at.elapsed()
    }

    /// Handing the job over is done.
    pub(crate) fn handed_over(self) {
        self.threads.call.observe(self.at.elapsed(), Wake::USUAL.call);
    }

    /// A thread has begun with the job.
    pub(crate) fn began(self) {
        self.threads.latency.observe(self.at.elapsed(), Wake::USUAL.latency);
    }

    /// Nobody needs the job any more, and no thread has begun with it.
    pub(crate) fn abandoned(self) {
        if self.at.elapsed().as_secs_f64() > self.threads.latency.value(Wake::USUAL.latency, nanos_now()) {
            self.began();
        }
    }
}

/// A thread has ended its work, and soon falls asleep.
pub(crate) fn worked() {
    LAST_WORK.store(nanos_now(), Relaxed);
}

/// How long ago a time is, `now`; both in [nanoseconds](nanos_now).
fn age(at: &AtomicU64, now: u64) -> Duration {
    Duration::from_nanos(now.saturating_sub(at.load(Relaxed)))
}

/// A running mean that fades to what is usual. Races between threads lose an observation, no more.
struct Estimate {
    /// Nanoseconds; 0 is unknown.
    mean: AtomicU64,
    /// [Nanoseconds](nanos_now) at the last observation.
    at: AtomicU64,
}

impl Estimate {
    const fn new() -> Self {
        Self { mean: AtomicU64::new(0), at: AtomicU64::new(0) }
    }

    fn value(&self, usual: f64, now: u64) -> f64 {
        match self.mean.load(Relaxed) {
            0 => usual,
            mean => faded(mean as f64 * 1e-9, usual, age(&self.at, now)),
        }
    }

    fn observe(&self, took: Duration, usual: f64) {
        let now = nanos_now();
        let before = self.value(usual, now);
        let mean = before * (took.as_secs_f64().clamp(SHORTEST, LONGEST) / before).powf(NEWEST);
        self.mean.store(((mean * 1e9) as u64).max(1), Relaxed);
        self.at.store(now, Relaxed);
    }
}

fn faded(mean: f64, usual: f64, age: Duration) -> f64 {
    usual + (mean - usual) * (-(age.as_secs_f64() / HALF_LIFE.as_secs_f64())).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_follows_what_is_observed_and_one_hiccup_is_bounded() {
        let estimate = Estimate::new();
        assert_eq!(estimate.value(35e-6, nanos_now()), 35e-6);
        (0..20).for_each(|_| estimate.observe(Duration::from_micros(500), 35e-6));
        assert!((400e-6..=500e-6).contains(&estimate.value(35e-6, nanos_now())));
        let calm = Estimate::new();
        calm.observe(Duration::from_secs(9), 35e-6);
        assert!(calm.value(35e-6, nanos_now()) < 100e-6);
    }

    #[test]
    fn what_was_observed_fades() {
        assert!((faded(100e-6, 20e-6, HALF_LIFE) - 60e-6).abs() < 1e-9);
        assert!((faded(100e-6, 20e-6, 20 * HALF_LIFE) - 20e-6).abs() < 1e-9);
    }
}
