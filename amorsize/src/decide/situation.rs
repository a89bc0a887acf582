//! What a decision depends on besides the costs: the machine, and the kind of items and results.

use super::costs::Costs;
use super::timing::Wake;

/// Bytes of an item or result itself from which it stays on the caller's stack: a thread of a pool has two megabytes,
/// and there are several copies on them, each of which takes as long as a hand-over anyway.
const LARGEST_ON_THREADS: usize = 128 << 10;

/// What a value of a type owns that is freed when it is dropped, as far as the type tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owns {
    #[default]
    Nothing,
    /// One block of memory at most.
    OneBlock,
    /// Any number of blocks, or something else.
    Anything,
}

/// What a plan must know of items and results besides their costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Kind {
    /// Shallow bytes of an item or a result, whichever is larger.
    pub(crate) bytes: usize,
    /// What items or results own, whichever is more: it is freed by another thread than made it.
    pub(crate) owns: Owns,
}

/// What a decision depends on besides the costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Situation {
    /// Threads that may compute at the same time.
    pub(crate) cores: usize,
    /// Processors' worth of time that this process may get. It may be more than `cores`, where a pool has fewer
    /// threads.
    pub(crate) processors: f64,
    /// Bytes this process may still take.
    pub(crate) available_memory: u64,
    /// Shallow bytes of an item or a result, whichever is larger.
    pub(crate) item_bytes: usize,
    /// What it takes to get a thread to work.
    pub(crate) wake: Wake,
    /// What items or results own, whichever is more: it is freed by another thread than made it.
    pub(crate) owns: Owns,
    /// This process is not known to have another thread than the caller: see [`first_thread`](crate::first_thread).
    pub(crate) is_threadless: bool,
    /// Cores and memory are a guess, until somebody looks: which takes longer than many a run.
    pub(crate) is_guess: bool,
}

impl Situation {
    /// Bytes that an item takes until it is yielded: its own or its result's, as far as is known.
    pub(crate) fn bytes_each(&self, costs: &Costs) -> f64 {
        costs.result_bytes.max(self.item_bytes as f64)
    }

    /// Whether items and results are small enough for the stacks of threads.
    pub(crate) fn fits_threads(&self) -> bool {
        self.item_bytes <= LARGEST_ON_THREADS
    }
}

#[cfg(test)]
impl Situation {
    pub(crate) const TWO_CORES: Self = Self {
        cores: 2,
        processors: 2.0,
        available_memory: 1 << 30,
        item_bytes: 8,
        wake: Wake::USUAL,
        owns: Owns::Nothing,
        is_threadless: false,
        is_guess: false,
    };
}
