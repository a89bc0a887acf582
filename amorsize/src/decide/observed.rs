//! What the engine has observed of a run, as decisions are told it.

use std::ops::{Add, AddAssign, Sub};

/// The least share of its time for which a thread is thought to have had a processor.
pub(crate) const LEAST_RUNNING: f64 = 0.02;

/// Which clocks a thread reads around a chunk: the more it reads, the longer that takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// Only the wall clock.
    #[default]
    Wall,
    /// The wall clock, and what the processor did for the thread. That settles that a function computes, and seldom
    /// that it waits.
    Cpu,
    /// All clocks: also for how long the thread was ready to run and had no processor.
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

/// For how long threads were ready to run and had no processor (the run-queue delay), as far as that was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Delay {
    pub(crate) seconds: f64,
    /// Seconds for which threads were not ready to run: they waited for each other, or for something else.
    pub(crate) blocked: f64,
    /// Seconds of work that were looked at, all of these included.
    pub(crate) of: f64,
}

impl Delay {
    /// Nobody was blocked.
    #[cfg(test)]
    pub(crate) fn ready(seconds: f64, of: f64) -> Self {
        Self { seconds, blocked: 0.0, of }
    }

    /// The part of work that was delay, 0.0..=1.0; 0 where nothing is known.
    pub(crate) fn share(self) -> f64 {
        if self.of > 0.0 { (self.seconds / self.of).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The part of work for which threads had a processor, or wanted none. Some always is: delays may be those of
    /// earlier work.
    pub(crate) fn running(self) -> f64 {
        (1.0 - self.share()).max(LEAST_RUNNING)
    }

    /// The part of work for which threads had a processor.
    pub(crate) fn computing(self) -> f64 {
        (self.running() + self.unblocked() - 1.0).max(LEAST_RUNNING)
    }

    /// The part of work for which threads had a processor, or wanted one.
    pub(crate) fn unblocked(self) -> f64 {
        if self.of > 0.0 { (1.0 - self.blocked / self.of).max(LEAST_RUNNING) } else { 1.0 }
    }
}

impl Add for Delay {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { seconds: self.seconds + other.seconds, blocked: self.blocked + other.blocked, of: self.of + other.of }
    }
}

impl AddAssign for Delay {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Delay {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { seconds: self.seconds - other.seconds, blocked: self.blocked - other.blocked, of: self.of - other.of }
    }
}

/// What a batch of items took, as the engine saw it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ran {
    pub(crate) items: usize,
    /// Seconds in the function, all items together.
    pub(crate) seconds: f64,
    /// The clocks that were read around the items.
    pub(crate) clocks: Clocks,
    /// Share of `seconds` in which the thread was blocked, where that was looked at and could be told.
    pub(crate) blocked: Option<f64>,
    /// Processors' worth of time that the whole process had meanwhile, where the thread may have been blocked.
    pub(crate) busy: f64,
    /// The thread's delays in `seconds`, or since delays were last looked at.
    pub(crate) delay: Delay,
    /// Bytes of one result.
    pub(crate) result_bytes: usize,
    pub(crate) runner: Runner,
    /// No thread had begun with any item by then.
    pub(crate) is_undisturbed: bool,
}

impl Ran {
    pub(crate) fn each(&self) -> f64 {
        self.seconds / self.items as f64
    }

    /// Seconds an item without the delays.
    pub(crate) fn running(&self) -> f64 {
        self.each() * self.delay.running()
    }

    /// Seconds of a processor an item.
    pub(crate) fn computing(&self) -> f64 {
        self.each() * self.delay.computing()
    }
}

/// A stretch of the plain loop, everything included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looped {
    pub(crate) items: usize,
    pub(crate) seconds: f64,
}

/// What threads have made so far, the consumer's own chunks included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Made {
    /// Results, yielded or not.
    pub(crate) results: u64,
    /// Seconds in the function, all threads together.
    pub(crate) worked: f64,
    pub(crate) delay: Delay,
}

/// Where a run stands: the time and the results yielded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Position {
    pub(crate) now: f64,
    pub(crate) yielded: u64,
}
