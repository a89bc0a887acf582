//! A run that the library did not see, told by hand. Holds values; what they must be is checked when it is recorded.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::constants::DEFAULT_BUFFER_SIZE_MULTIPLIER;
use crate::decide::costs::Costs;
use crate::error::Error;
use crate::fingerprint::{self, Identity};
use crate::learn::check;
use crate::learn::machines;
use crate::learn::sample::{Sample, narrow};
use crate::plan::Pool;

/// How a run went, to be learned from: measured elsewhere, or by a program that does not stream.
///
/// What is not said is taken to be the plain loop's. Values are checked by `record`, which returns an
/// [`Error::Value`] for those that cannot be true.
///
/// ```
/// use std::time::Duration;
/// use amorsize::Outcome;
///
/// // 10,000 items of 2 ms, which 4 threads ran 3.5 times as fast as the loop.
/// let outcome = Outcome::new(10_000, Duration::from_millis(2)).threads(4).chunk_size(50).speedup(3.5);
/// # let _ = outcome;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an outcome does nothing until it is recorded"]
pub struct Outcome {
    items: u64,
    item_time: Duration,
    threads: usize,
    chunk_size: usize,
    buffer_size: Option<usize>,
    ordered: bool,
    speedup: Option<f64>,
    spread: f64,
    result_bytes: usize,
}

impl Outcome {
    /// A run over so many items, 1..=2^60, for each of which the function took `item_time` on average: more than
    /// nothing (a nanosecond, if it is less than one), and three centuries at most.
    pub fn new(items: u64, item_time: Duration) -> Self {
        Self {
            items,
            item_time,
            threads: 1,
            chunk_size: 1,
            buffer_size: None,
            ordered: true,
            speedup: None,
            spread: 0.0,
            result_bytes: 0,
        }
    }

    /// Threads that ran the function, 1..=65,535. Default: 1, the plain loop. More than this process has cores means
    /// that the function waits rather than computes.
    pub fn threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Items that a thread took at a time, at least 1. Default: 1.
    pub fn chunk_size(self, chunk_size: usize) -> Self {
        Self { chunk_size, ..self }
    }

    /// Most items taken from the source and not yet yielded, at least 1. Default: three chunks a thread.
    pub fn buffer_size(self, buffer_size: usize) -> Self {
        Self { buffer_size: Some(buffer_size), ..self }
    }

    /// Whether results came in the order of the input. Default: `true`.
    pub fn ordered(self, ordered: bool) -> Self {
        Self { ordered, ..self }
    }

    /// Throughput from end to end against the plain loop, 1e-6..=1e6. Default: as many times as
    /// there were threads, or cores if there are fewer. One thread is the plain loop itself: about 1, within
    /// 0.75..=1.33.
    pub fn speedup(self, speedup: f64) -> Self {
        Self { speedup: Some(speedup), ..self }
    }

    /// Coefficient of variation of the item times, 0.0..=1e6: 0 if all were the same. Default: 0.
    pub fn spread(self, spread: f64) -> Self {
        Self { spread, ..self }
    }

    /// Bytes of a result with everything it owns, at most 2^60. Default: 0, so little that it does not matter.
    pub fn result_bytes(self, result_bytes: usize) -> Self {
        Self { result_bytes, ..self }
    }

    /// What is recorded of the outcome.
    pub(crate) fn sample(&self, identity: &Identity, call_site: u64) -> Result<Sample, Error> {
        let item = self.item_time.as_secs_f64();
        let speedup = self.speedup.unwrap_or_else(|| self.threads.min(crate::machine::cores()).max(1) as f64);
        check::stated(self.threads, item, speedup)?;
        let window = self.threads.saturating_mul(self.chunk_size).saturating_mul(DEFAULT_BUFFER_SIZE_MULTIPLIER);
        let sample = Sample {
            time: now(),
            body: identity.body(),
            build: fingerprint::build(),
            machine: machines::this().id,
            call_site,
            length: self.items,
            items: self.items,
            pool: self.pool(),
            threads: narrow(self.threads),
            chunk_size: narrow(self.chunk_size),
            buffer_size: narrow(self.buffer_size.unwrap_or(window)),
            ordered: self.ordered,
            costs: Costs { item, spread: self.spread, result_bytes: self.result_bytes as f64, ..Costs::default() },
            end_to_end: (item / speedup) as f32,
            speedup: speedup as f32,
            predicted: None,
        };
        check::told(&sample).map(|()| sample)
    }

    fn pool(&self) -> Pool {
        match self.threads {
            0 | 1 => Pool::Serial,
            threads if threads <= crate::machine::cores() => Pool::Cpu,
            _ => Pool::Blocking,
        }
    }
}

/// Seconds since 1970; 0 on a machine whose clock says that it is earlier.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(outcome: &Outcome) -> Result<Sample, Error> {
        outcome.sample(&Identity::of_closure::<()>("f"), 7)
    }

    #[test]
    fn what_was_said_is_what_is_recorded() {
        let outcome = Outcome::new(100, Duration::from_millis(2)).threads(4).chunk_size(50).buffer_size(12);
        let sample = sample(&outcome.ordered(false).speedup(0.5).spread(0.25).result_bytes(8)).unwrap();
        assert_eq!((sample.items, sample.length, sample.call_site), (100, 100, 7));
        assert_eq!((sample.threads, sample.chunk_size, sample.buffer_size, sample.ordered), (4, 50, 12, false));
        assert_eq!((sample.costs.item, sample.costs.spread, sample.costs.result_bytes), (0.002, 0.25, 8.0));
        assert_eq!((sample.end_to_end, sample.speedup), (0.004, 0.5));
    }

    #[test]
    fn what_was_not_said_is_the_plain_loop() {
        let sample = sample(&Outcome::new(1, Duration::from_nanos(1))).unwrap();
        assert_eq!((sample.pool, sample.threads, sample.chunk_size, sample.buffer_size), (Pool::Serial, 1, 1, 3));
        assert_eq!((sample.speedup, sample.ordered), (1.0, true));
    }

    #[test]
    fn what_cannot_be_true_is_refused_by_name() {
        let outcome = Outcome::new(100, Duration::from_millis(2));
        let refused = |outcome: Outcome| sample(&outcome).unwrap_err().to_string();
        assert_eq!(refused(Outcome::new(0, Duration::ZERO)), "`items` must be within 1..=2^60, got 0");
        assert!(refused(Outcome::new((1 << 60) + 1, Duration::ZERO)).contains("`items`"));
        assert_eq!(refused(outcome.clone().threads(0)), "`threads` must be within 1..=65535, got 0");
        assert!(
            refused(outcome.clone().threads(5_000_000_000))
                .ends_with("`threads` must be within 1..=65535, got 5000000000")
        );
        for (speedup, said) in [(2e6, "2000000"), (1e-7, "0.0000001")] {
            let told = refused(outcome.clone().speedup(speedup));
            assert_eq!(told, format!("`speedup` must be within 1e-6..=1e6, got {said}"));
        }
        let long = Outcome::new(1, Duration::from_secs(10_000_000_000)).threads(2).speedup(1e-3);
        assert!(
            refused(long).starts_with("`speedup` must be so much that an item of `item_time` takes three centuries")
        );
        assert!(refused(outcome.clone().chunk_size(0)).contains("`chunk_size`"));
        assert!(refused(outcome.clone().buffer_size(0)).contains("`buffer_size`"));
        assert!(refused(outcome.clone().spread(f64::NAN)).contains("`spread` must be within 0.0..=1e6, got NaN"));
        for speedup in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(refused(outcome.clone().speedup(speedup)).contains("`speedup`"));
        }
    }

    #[test]
    fn what_would_teach_nothing_is_refused_with_what_to_do() {
        let refused = |outcome: Outcome| sample(&outcome).unwrap_err().to_string();
        let told = "`item_time` must be more than 0: a nanosecond, if it is less than one, got 0";
        assert_eq!(refused(Outcome::new(100, Duration::ZERO).threads(2)), told);
        let outcome = Outcome::new(100, Duration::from_millis(3));
        for speedup in [3.0, 0.3] {
            let told = refused(outcome.clone().speedup(speedup));
            assert!(told.contains("`speedup` must be about 1 for one thread") && told.contains("`threads`"), "{told}");
            assert!(told.ends_with(&format!("got {speedup}")), "{told}");
            sample(&outcome.clone().threads(2).speedup(speedup)).unwrap();
        }
        for measured in [0.9, 1.0, 1.1] {
            sample(&outcome.clone().speedup(measured)).unwrap();
        }
    }
}
