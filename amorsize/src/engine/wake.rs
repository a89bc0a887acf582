//! What it takes to get a thread to work, here and now: from some microseconds, while the pool's threads still look for
//! work, to a millisecond on a virtual machine whose other processors were given back to the host. Measured at every
//! launch, so that short runs are not shared where they would be over before another thread has begun.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::decide::model::Wake;

/// Weight of a new observation.
const NEWEST: f64 = 0.25;
/// Longest that one observation may say: beyond, it is the machine that stood still.
const LONGEST: Duration = Duration::from_millis(2);
/// What was observed counts half after this time: machines change, and short runs that no longer wake anybody would
/// never find out.
const HALF_LIFE: Duration = Duration::from_secs(1);
/// What starting the pool adds the first time.
const START: f64 = 400e-6;

static CALL: Estimate = Estimate::new();
static LATENCY: Estimate = Estimate::new();

/// What to expect. `runs`: whether the pool's threads have been started.
pub(crate) fn expected(runs: bool) -> Wake {
    let start = if runs { 0.0 } else { START };
    Wake { call: CALL.value(Wake::USUAL.call) + start, latency: LATENCY.value(Wake::USUAL.latency) }
}

/// Handing a job to the pool took so long.
pub(crate) fn observe_call(took: Duration) {
    CALL.observe(took, Wake::USUAL.call);
}

/// A thread has begun with a job so long after it was handed to the pool.
pub(crate) fn observe_latency(took: Duration) {
    LATENCY.observe(took, Wake::USUAL.latency);
}

/// No thread has begun with a job that was handed to the pool so long ago.
pub(crate) fn observe_waiting(since: Duration) {
    if since.as_secs_f64() > LATENCY.value(Wake::USUAL.latency) {
        observe_latency(since);
    }
}

/// A running mean that fades to what is usual. Races between threads lose an observation, no more.
struct Estimate {
    /// Nanoseconds; 0 is unknown.
    mean: AtomicU64,
    /// Nanoseconds since [`EPOCH`] at the last observation.
    at: AtomicU64,
}

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Estimate {
    const fn new() -> Self {
        Self { mean: AtomicU64::new(0), at: AtomicU64::new(0) }
    }

    fn value(&self, usual: f64) -> f64 {
        match self.mean.load(Relaxed) {
            0 => usual,
            mean => {
                let age = EPOCH.elapsed().saturating_sub(Duration::from_nanos(self.at.load(Relaxed)));
                faded(mean as f64 * 1e-9, usual, age)
            }
        }
    }

    fn observe(&self, took: Duration, usual: f64) {
        let before = self.value(usual);
        let mean = before + NEWEST * (took.min(LONGEST).as_secs_f64() - before);
        self.mean.store(((mean * 1e9) as u64).max(1), Relaxed);
        self.at.store(EPOCH.elapsed().as_nanos() as u64, Relaxed);
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
        assert_eq!(estimate.value(35e-6), 35e-6);
        (0..20).for_each(|_| estimate.observe(Duration::from_micros(500), 35e-6));
        assert!((400e-6..=500e-6).contains(&estimate.value(35e-6)));
        let calm = Estimate::new();
        calm.observe(Duration::from_secs(9), 35e-6);
        assert!(calm.value(35e-6) < 600e-6);
    }

    #[test]
    fn what_was_observed_fades() {
        assert!((faded(100e-6, 20e-6, HALF_LIFE) - 60e-6).abs() < 1e-9);
        assert!((faded(100e-6, 20e-6, 20 * HALF_LIFE) - 20e-6).abs() < 1e-9);
    }
}
