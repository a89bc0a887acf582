//! One recorded stretch of a run: what was planned and what happened. The unit of all history. Holds values.

use serde::{Deserialize, Serialize};

use crate::decide::costs::Costs;
use crate::plan::Pool;

/// A stretch of one run during which the plan stayed the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Seconds since 1970 at the end of the run.
    pub(crate) time: u64,
    /// [`Site::body`](crate::fingerprint::Site) of the code that ran.
    pub(crate) body: u64,
    /// Debug or release, and the target.
    pub(crate) build: u64,
    /// Which machine (an index into the machines that the file knows).
    pub(crate) machine: u64,
    /// Where the stream was made.
    pub(crate) call_site: u64,
    /// Items of the whole run.
    pub(crate) length: u64,
    /// Items of this stretch.
    pub(crate) items: u64,
    pub(crate) pool: Pool,
    pub(crate) threads: u32,
    pub(crate) chunk_size: u32,
    pub(crate) buffer_size: u32,
    pub(crate) ordered: bool,
    /// Seconds and bytes an item, as the run estimated them at its end.
    pub(crate) costs: Costs,
    /// Seconds an item end to end, everything included.
    pub(crate) end_to_end: f32,
    /// Throughput against the plain loop, measured or else estimated.
    pub(crate) speedup: f32,
    /// What had been predicted, where the plan was a prediction.
    pub(crate) predicted: Option<Predicted>,
}

/// What a prediction said of the stretch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Predicted {
    pub(crate) confidence: f32,
    /// Seconds of the function for an item.
    pub(crate) item_time: f32,
    /// Seconds an item end to end.
    pub(crate) end_to_end: f32,
}
