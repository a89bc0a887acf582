//! What this process may use of the machine: processors and memory, with every limit that the system sets. Measures
//! nothing and decides nothing.
//!
//! - [`here`]: the same question asked often: remembers the answer for a while
//! - [`description`]: the machine as a value that can be stored and compared
//! - [`threads_variable`]: `AMORSIZE_THREADS`
//! - [`everywhere`], [`linux`]: where the answers come from

mod description;
mod everywhere;
mod here;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
mod threads_variable;

pub use description::{Machine, machine};
pub(crate) use here::{available_memory, cores, memory};

/// Memory of this process and what it may still take, at one moment. The limit is what both make together: it shrinks
/// when others take more, so "80 % of the limit" means the same in a container, under `ulimit` and on a crowded machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    used: u64,
    available: u64,
}

impl Memory {
    pub(crate) fn new(used: u64, available: u64) -> Self {
        Self { used, available }
    }

    /// Resident bytes of this process.
    pub(crate) fn used(self) -> u64 {
        self.used
    }

    /// Bytes that this process may still take before the tightest limit is reached.
    pub(crate) fn available(self) -> u64 {
        self.available
    }

    /// Bytes that this process could have in all.
    pub(crate) fn limit(self) -> u64 {
        self.used.saturating_add(self.available)
    }
}
