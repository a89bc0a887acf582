//! What a pilot is told before a run, and what it says is to be done.

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

/// Who there is beside the caller for the first items of a function of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Nobody that could be had at once.
    Nobody,
    /// Somebody who looks in on the first items.
    Lookout,
    /// A thread of a pool that runs.
    Thread,
    /// A thread that is started for the first items.
    Own {
        /// A pool runs as well.
        has_pool: bool,
    },
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
    pub(crate) basis: Basis,
}

/// What a recommendation rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Runs with such threads, or of the plain loop.
    Runs,
    /// What items cost.
    Costs,
    /// Nothing, it is only tried: threads that earlier runs speak against and that are due for another attempt, or the
    /// plain loop, to compare with.
    Attempt,
}
