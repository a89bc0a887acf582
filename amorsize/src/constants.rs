//! The constants that users are told of, or that several modules share. Holds no logic.

use std::time::Duration;

/// Items timed before the first decision, unless the time bound of the trial ends it earlier.
pub(crate) const DEFAULT_SAMPLE_SIZE: usize = 5;
/// Upper end of the `sample_size` option.
pub(crate) const MAX_SAMPLE_SIZE: usize = 10_000;
/// Chunks in flight per thread: one running, one ready to run, one finished and waiting to be yielded.
pub(crate) const DEFAULT_BUFFER_SIZE_MULTIPLIER: usize = 3;
/// Share of the available memory that results in flight may take.
pub(crate) const STREAMING_BUFFER_MEMORY_FRACTION: f64 = 0.1;
/// Coefficient of variation of item times above which `Order::Auto` stops keeping order.
pub(crate) const HETEROGENEOUS_CV_THRESHOLD: f64 = 0.5;
/// Input length above which `Order::Auto` stops keeping order.
pub(crate) const LARGE_DATASET_THRESHOLD: u64 = 10_000;
/// Share of a new observation in running estimates.
pub(crate) const DEFAULT_ADAPTATION_RATE: f64 = 0.3;
/// Share of the memory limit above which the source is paused.
pub(crate) const MEMORY_THRESHOLD: f64 = 0.8;
/// Most threads of the blocking pool, unless the option says otherwise.
pub(crate) const MAX_BLOCKING_THREADS: usize = 256;
/// Most threads of any pool: rayon starts no more.
pub(crate) const MOST_THREADS: usize = 65_535;
/// Fewest samples a prediction is made from.
pub(crate) const MIN_SAMPLES: usize = 3;
/// Confidence below which a prediction is doubted, until calibration moves it.
pub(crate) const CONFIDENCE_THRESHOLD: f64 = 0.7;
/// Fewest predictions compared with their outcome from which the default threshold moves.
pub(crate) const MIN_CALIBRATION_SAMPLES: u64 = 10;
/// Share of the way that the default threshold moves with each prediction that is compared with its outcome.
pub(crate) const CALIBRATION_FACTOR: f64 = 0.1;
/// Bounds of the default threshold.
pub(crate) const LOWEST_THRESHOLD: f64 = 0.5;
pub(crate) const HIGHEST_THRESHOLD: f64 = 0.95;
/// An idle dedicated pool ends after this time.
pub(crate) const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(300);
