//! What this process may use of the machine: processors and memory, with every limit that the system sets. Measures
//! nothing and decides nothing.
//!
//! - [`here`]: the same question asked often: remembers the answer for a while
//! - [`description`]: the machine as a value that can be stored and compared
//! - [`threads_variable`] reads `AMORSIZE_THREADS`
//! - [`everywhere`], [`linux`]: where the answers come from

mod description;
mod everywhere;
mod here;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
mod threads_variable;

pub use description::{Machine, machine};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use here::processors;
pub(crate) use here::{Share, cores, memory, recalled_share, share};
pub(crate) use threads_variable::has_stated_threads;

/// Memory of this process and what it may still take, at one moment. A limit is what both make together: it shrinks
/// when others take more, so "80 % of the limit" means the same in a container, under `ulimit` and on a crowded
/// machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    used: u64,
    limit: u64,
    available: u64,
}

impl Memory {
    /// Memory as one limit has it: bytes used by this process, bytes that it may still take.
    pub(crate) fn new(used: u64, available: u64) -> Self {
        Self { used, limit: used.saturating_add(available), available }
    }

    /// Memory as two limits have it: used and limit as the one used most counts them, available as the one with less
    /// room does.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn and(self, other: Self) -> Self {
        let tighter = if self.share() >= other.share() { self } else { other };
        Self { available: self.available.min(other.available), ..tighter }
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn share(self) -> f64 {
        self.used as f64 / (self.limit as f64).max(1.0)
    }

    /// Bytes that this process uses, as the limit of which it uses the largest share counts them.
    pub(crate) fn used(self) -> u64 {
        self.used
    }

    /// Bytes that the limit of which this process uses the largest share leaves to it in all.
    pub(crate) fn limit(self) -> u64 {
        self.limit
    }

    /// Bytes that every limit lets this process still take.
    pub(crate) fn available(self) -> u64 {
        self.available
    }
}
