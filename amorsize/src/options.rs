//! What the user asked for. Every option is "planned" unless pinned here. Holds values and checks their ranges;
//! decides nothing.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::constants::{
    DEFAULT_ADAPTATION_RATE, DEFAULT_SAMPLE_SIZE, MAX_BLOCKING_THREADS, MAX_SAMPLE_SIZE, MEMORY_THRESHOLD, MOST_THREADS,
};
use crate::plan::Pool;

/// An item that takes longer makes no difference to a plan, and would not fit a `Duration` once that is added to.
const LONGEST_ESTIMATE: Duration = Duration::from_secs(1_000_000_000);

/// In which order results come out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// In the order of the input: output *i* is `f(item i)`. The default.
    #[default]
    Input,
    /// In the order in which results finish.
    Any,
    /// The plan chooses: unordered when the spread of item times is high (coefficient of variation above 0.5) or
    /// the input is large (more than 10,000 items, as far as that is known), in input order otherwise.
    Auto,
}

impl From<bool> for Order {
    fn from(ordered: bool) -> Self {
        if ordered { Order::Input } else { Order::Any }
    }
}

/// Whether and how fast the chunk size follows what is observed; see
/// [`Tuner::adaptive_chunking`](crate::Tuner::adaptive_chunking).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptation(f64);

impl Adaptation {
    /// The share of a new observation in the running estimate, 0.0 (off) to 1.0 (only the last one counts).
    #[must_use]
    pub fn rate(self) -> f64 {
        self.0
    }
}

impl Default for Adaptation {
    fn default() -> Self {
        Self(DEFAULT_ADAPTATION_RATE)
    }
}

impl From<bool> for Adaptation {
    fn from(on: bool) -> Self {
        if on { Self::default() } else { Self(0.0) }
    }
}

impl From<f64> for Adaptation {
    /// # Panics
    /// When `rate` is not within 0.0..=1.0.
    #[track_caller]
    fn from(rate: f64) -> Self {
        Self(unit_interval("adaptive_chunking", rate))
    }
}

/// The options of one tuner; `None` means planned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) ordered: Order,
    pub(crate) threads: Option<NonZeroUsize>,
    pub(crate) chunk_size: Option<NonZeroUsize>,
    pub(crate) buffer_size: Option<NonZeroUsize>,
    pub(crate) pool: Option<Pool>,
    pub(crate) max_blocking_threads: NonZeroUsize,
    pub(crate) sample_size: usize,
    pub(crate) estimated_item_time: Option<Duration>,
    pub(crate) target_chunk_duration: Option<Duration>,
    pub(crate) result_bytes: Option<usize>,
    pub(crate) ml_prediction: bool,
    pub(crate) online_learning: bool,
    pub(crate) confidence_threshold: Option<f64>,
    pub(crate) adaptive_chunking: Adaptation,
    pub(crate) memory_threshold: Option<f64>,
    /// `AMORSIZE=serial` in the environment.
    pub(crate) environment_serial: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ordered: Order::Input,
            threads: None,
            chunk_size: None,
            buffer_size: None,
            pool: None,
            max_blocking_threads: const { NonZeroUsize::new(MAX_BLOCKING_THREADS).unwrap() },
            sample_size: DEFAULT_SAMPLE_SIZE,
            estimated_item_time: None,
            target_chunk_duration: None,
            result_bytes: None,
            ml_prediction: true,
            online_learning: true,
            confidence_threshold: None,
            adaptive_chunking: Adaptation::default(),
            memory_threshold: Some(MEMORY_THRESHOLD),
            environment_serial: crate::environment::is_serial(),
        }
    }
}

#[track_caller]
pub(crate) fn at_least_one(option: &str, value: usize) -> NonZeroUsize {
    // Not a closure: whose panic would be told as this line's.
    match NonZeroUsize::new(value) {
        Some(value) => value,
        None => panic!("`{option}` must be at least 1, got 0"),
    }
}

/// A number of threads, at most [`MOST_THREADS`].
#[track_caller]
pub(crate) fn threads(option: &str, value: usize) -> NonZeroUsize {
    at_least_one(option, value.min(MOST_THREADS))
}

#[track_caller]
pub(crate) fn unit_interval(option: &str, value: f64) -> f64 {
    assert!((0.0..=1.0).contains(&value), "`{option}` must be within 0.0..=1.0, got {value}");
    value
}

#[track_caller]
pub(crate) fn sample_size(value: usize) -> usize {
    assert!((1..=MAX_SAMPLE_SIZE).contains(&value), "`sample_size` must be within 1..={MAX_SAMPLE_SIZE}, got {value}");
    value
}

#[track_caller]
pub(crate) fn estimate(option: &str, value: Duration) -> Duration {
    positive(option, value).min(LONGEST_ESTIMATE)
}

#[track_caller]
pub(crate) fn positive(option: &str, value: Duration) -> Duration {
    assert!(!value.is_zero(), "`{option}` must be longer than zero");
    value
}
