//! What the engine and the pilot tell each other.

use crate::decide::costs::Costs;
use crate::decide::verdict::Verdict;
use crate::plan::Origin;

/// What the engine does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Pull so many items, time them, keep the results.
    Try(usize),
    /// Find out what the machine leaves to this process: see [`Pilot::saw_machine`](super::Pilot::saw_machine).
    Look,
    /// Run so many items as a plain loop.
    Loop(usize),
    /// Run chunks on threads.
    Parallel,
}

/// Which clocks a thread reads around a chunk: the more it reads, the longer that takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// Only the wall clock.
    #[default]
    Wall,
    /// Also what the processor did for the thread. That settles that a function computes, and seldom that it waits.
    Cpu,
    /// Also for how long the thread was ready to run and had no processor.
    All,
}

/// Who runs a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Runner {
    /// A thread of a pool.
    #[default]
    Thread,
    /// The consumer, beside others.
    Consumer,
    /// The consumer, while no other thread runs any.
    Alone,
}

/// What a batch of items took, as the engine saw it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ran {
    pub(crate) items: usize,
    /// Seconds in the function, all items together.
    pub(crate) seconds: f64,
    /// Share of them in which the thread was blocked, where that was looked at and could be told.
    pub(crate) blocked: Option<f64>,
    /// Bytes of one result.
    pub(crate) result_bytes: usize,
    pub(crate) runner: Runner,
}

impl Ran {
    pub(super) fn each(&self) -> f64 {
        self.seconds / self.items as f64
    }
}

/// A stretch of the plain loop, everything included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looped {
    pub(crate) items: usize,
    pub(crate) seconds: f64,
}

/// Where a run stands: the time and the results yielded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Position {
    pub(crate) now: f64,
    pub(crate) yielded: u64,
}

/// What earlier runs say of this one.
#[derive(Clone, Debug)]
pub(crate) struct Prior {
    pub(crate) verdict: Verdict,
    pub(crate) costs: Costs,
    pub(crate) chunk_size: usize,
    pub(crate) origin: Origin,
    /// Items that are expected.
    pub(crate) items: u64,
}
