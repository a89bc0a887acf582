//! Live figures of a stream. Holds values and prints them.

use std::fmt;
use std::time::Duration;

use crate::plan::{Plan, Pool};
use crate::words::{Rate, count};

/// What a stream has done so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub(crate) plan: Option<Plan>,
    pub(crate) items_in: u64,
    pub(crate) items_out: u64,
    pub(crate) elapsed: Duration,
    pub(crate) item_time: Duration,
    pub(crate) threads: usize,
    pub(crate) chunk_size: usize,
    pub(crate) buffer_size: usize,
    pub(crate) waits: u64,
    pub(crate) plans: u64,
}

impl Report {
    /// The plan in force; `None` until there is one.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Items taken from the source.
    #[must_use]
    pub fn items_in(&self) -> u64 {
        self.items_in
    }

    /// Results yielded to the consumer.
    #[must_use]
    pub fn items_out(&self) -> u64 {
        self.items_out
    }

    /// Items taken and not yet yielded.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.items_in - self.items_out
    }

    /// Time since the first item was asked for, until now or the end of the stream.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Results a second since the first item was asked for; 0.0 before that.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { self.items_out as f64 / self.elapsed.as_secs_f64() }
    }

    /// Time of the function for an item: a running estimate, and the mean once the stream has ended.
    #[must_use]
    pub fn item_time(&self) -> Duration {
        self.item_time
    }

    /// Threads in use now, at least 1.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Items of a chunk far from the end of the input, at least 1.
    #[must_use]
    pub fn chunk_size(&self) -> usize {
        self.chunk_size
    }

    /// Items that may be in flight now, at least as many as are: at most the plan's buffer size, once there is one.
    #[must_use]
    pub fn buffer_size(&self) -> usize {
        self.buffer_size
    }

    /// Times the consumer slept because no result was there.
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.waits
    }

    /// Plans made so far: 1 unless the stream changed its mind. Another number of threads is no other plan.
    #[must_use]
    pub fn plans(&self) -> u64 {
        self.plans
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, elapsed, rate) = (count(self.items_out, "item"), self.elapsed, Rate(self.throughput()));
        write!(f, "{done} in {elapsed:.1?} ({rate} a second)")?;
        match &self.plan {
            Some(plan) if plan.pool == Pool::Serial => write!(f, ", plain loop")?,
            Some(plan) => {
                let threads = count(self.threads as u64, "thread");
                write!(f, ", {threads} ({} pool), chunks of {}", plan.pool, self.chunk_size)?;
            }
            None => write!(f, ", no plan yet")?,
        }
        write!(f, ", {:.1?} an item, {} in flight", self.item_time, self.in_flight())?;
        if self.plans > 1 { write!(f, ", {} plans", self.plans) } else { Ok(()) }
    }
}
