//! What will be done, and why: the public result of every decision. Holds values and prints them; decides nothing.

use std::fmt;
use std::time::Duration;

use crate::reason::Reason;
use crate::words::count;

/// Where items are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pool {
    /// The caller's thread, one item after the other: a plain loop.
    Serial,
    /// Threads that compute: at most as many as this process has cores, unless a number is stated.
    Cpu,
    /// Threads that mostly wait (disk, network, sleep): more of them than there are cores.
    Blocking,
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Pool::Serial => "serial",
            Pool::Cpu => "cpu",
            Pool::Blocking => "blocking",
        })
    }
}

/// What a plan rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    /// Options or the environment: they leave nothing to decide, or say what an item takes.
    Pinned,
    /// Earlier runs.
    Predicted {
        /// The chance that the plan is within 10 % of the best, 0.0..=1.0.
        confidence: f64,
        /// Recorded runs that the prediction used.
        samples: usize,
    },
    /// Items of this very input, whose results are kept.
    Measured {
        /// Items run by then: the first few, or all so far where the plan has changed.
        items: u64,
        /// Time the function takes per item, as estimated from them.
        item_time: Duration,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Pinned => f.write_str("stated"),
            Origin::Predicted { confidence, samples } => {
                write!(f, "predicted from {}, {:.0} % sure", count(*samples as u64, "record"), confidence * 100.0)
            }
            Origin::Measured { items, item_time } => {
                write!(f, "measured: {} of {item_time:.1?}", count(*items, "item"))
            }
        }
    }
}

/// How a stream runs: pool, threads, chunk and buffer size, order, and the reason in a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(crate) pool: Pool,
    pub(crate) threads: usize,
    pub(crate) chunk_size: usize,
    pub(crate) buffer_size: usize,
    pub(crate) ordered: bool,
    pub(crate) origin: Origin,
    pub(crate) expected_speedup: f64,
    pub(crate) reason: Reason,
}

impl Plan {
    /// Where items are run.
    #[must_use]
    pub fn pool(&self) -> Pool {
        self.pool
    }

    /// Threads that run the function at the same time, at least 1. The consumer counts while it helps.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Items handed to a thread at a time, at least 1.
    #[must_use]
    pub fn chunk_size(&self) -> usize {
        self.chunk_size
    }

    /// Most items taken from the source and not yet yielded, at least 1.
    #[must_use]
    pub fn buffer_size(&self) -> usize {
        self.buffer_size
    }

    /// Whether results come in the order of the input.
    #[must_use]
    pub fn ordered(&self) -> bool {
        self.ordered
    }

    /// What the plan rests on.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Expected end-to-end throughput relative to the plain loop; 1.0 for a serial plan. Where threads or their pool are
    /// stated it is the most there can be: one for each thread that the buffer keeps busy.
    #[must_use]
    pub fn expected_speedup(&self) -> f64 {
        self.expected_speedup
    }

    /// Why this plan, in a sentence.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pool == Pool::Serial {
            write!(f, "plain loop")?;
        } else {
            let (threads, chunk, buffer) = (self.threads, self.chunk_size, self.buffer_size);
            write!(f, "{} pool, {}, ", self.pool, count(threads as u64, "thread"))?;
            write!(f, "chunks of {chunk}, at most {} in flight, ", count(buffer as u64, "item"))?;
            write!(
                f,
                "{}, expected {:.1}x",
                if self.ordered { "in order" } else { "unordered" },
                self.expected_speedup
            )?;
        }
        write!(f, ": {}", self.reason)
    }
}
