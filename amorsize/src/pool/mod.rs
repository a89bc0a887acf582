//! The dedicated pools: started when a plan asks for one, shared by all streams, ended when idle.
//!
//! Functions that compute run on rayon's own pools (the one the caller is in, or the global one) unless the number of
//! threads is stated; only such and blocking plans come here. A blocking plan of many threads is made of several
//! pools of ours, so that it can grow without starting over.

mod bell;
mod crew;
mod global;
mod manager;

use std::fmt;

pub(crate) use bell::Bell;
pub(crate) use crew::{Crew, Post, asked_here};
pub(crate) use global::{is_running, start_global, threads_here};
pub(crate) use manager::{Hired, blocking_crew, cpu_crew, is_one_crew};

use crate::plan::Pool;
use crate::words::count;

/// What the dedicated pools are doing; see [`stats`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Stats {
    pub(crate) pools: Vec<PoolStats>,
}

/// A dedicated pool and what it is doing; see [`Stats::pools`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolStats {
    pub(crate) kind: Pool,
    pub(crate) threads: usize,
    pub(crate) running: usize,
}

impl Stats {
    /// The pools, in the order in which they were started.
    #[must_use]
    pub fn pools(&self) -> &[PoolStats] {
        &self.pools
    }

    /// Threads of all dedicated pools, idle ones included.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pools.iter().map(|pool| pool.threads).sum()
    }

    /// Jobs that were handed to these pools and have not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        self.pools.iter().map(|pool| pool.running).sum()
    }
}

impl PoolStats {
    /// What the pool is for.
    #[must_use]
    pub fn kind(&self) -> Pool {
        self.kind
    }

    /// Threads of the pool.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Jobs that were handed to the pool and have not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pools.is_empty() {
            return f.write_str("no dedicated pools");
        }
        for (place, pool) in self.pools.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(f, "{separator}{pool}")?;
        }
        Ok(())
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pool: {}, {} busy", self.kind, count(self.threads as u64, "thread"), self.running)
    }
}

/// The dedicated pools and what they are doing now. (Rayon's own pools, where most streams run, are not listed.)
///
/// ```
/// println!("{}", amorsize::pool::stats());
/// ```
pub fn stats() -> Stats {
    manager::stats()
}

/// Ends all dedicated pools: waits until the jobs that they run now have ended, which a stream's do when it has no
/// chunk for them, and lets their threads end. Never kills work. Streams that start later get new pools, and so do
/// those that are still read. So this is for programs that want to be quiet, and for tests. Not to be called under a
/// lock that a function needs.
///
/// From within a thread of such a pool it returns at once, since it cannot wait for itself.
pub fn shutdown() {
    manager::shutdown();
}
