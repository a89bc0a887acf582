//! A recorded stretch of a run: what was planned and what happened. The unit of all history. Holds values.

use crate::decide::costs::Costs;
use crate::plan::Pool;

/// A stretch of one run during which the plan stayed the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Seconds since 1970 at the end of the run.
    pub(crate) time: u64,
    /// [`Site::body`](crate::fingerprint::Site) of the code that ran.
    pub(crate) body: u64,
    /// Debug or release, and the target.
    pub(crate) build: u64,
    /// Which machine: a [`MachineRecord::id`].
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Predicted {
    pub(crate) confidence: f32,
    /// Seconds of the function for an item.
    pub(crate) item_time: f32,
    /// Seconds an item end to end.
    pub(crate) end_to_end: f32,
}

/// A machine that samples come from, kept next to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MachineRecord {
    /// Hash of what is below, bytes to the nearest power of two, without the quota. Kept within 32 bits, which takes
    /// half the space in every sample.
    pub(crate) id: u64,
    /// Cores that the process may use.
    pub(crate) cores: u32,
    pub(crate) l3_bytes: u64,
    pub(crate) numa_nodes: u32,
    pub(crate) memory_bytes: u64,
    /// Cores' worth of time that a control group allows.
    pub(crate) quota: Option<f32>,
    pub(crate) arch: String,
}

/// A number as it is kept: whatever is larger counts as the largest.
pub(crate) fn narrow(size: usize) -> u32 {
    size.try_into().unwrap_or(u32::MAX)
}
