//! A run of consecutive items on its way to a thread, and what comes back. Holds data; the queue moves it.

use std::any::Any;
use std::time::Duration;

use super::clock::Elapsed;
use crate::decide::pilot::{Clocks, Delay, Runner};
use crate::quiet::{drop_each_quietly, drop_quietly};

/// Bytes of the vectors of an item that is run as in the plain loop. What its result owns is mostly smaller, and is then
/// made of the blocks that the loop would get.
const UNLIKE_OTHERS: usize = 500;

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Consecutive items of the source.
pub(crate) struct Chunk<I> {
    /// Index of the first item in the source.
    pub(crate) start: u64,
    pub(crate) items: Vec<I>,
    /// What is read around it.
    pub(crate) clocks: Clocks,
    /// Items run before another look at the signal.
    pub(crate) stride: usize,
    /// What all of it is thought to take.
    pub(crate) expected: Duration,
    /// Its size was asked for: it is not cut short.
    pub(crate) is_pinned: bool,
    /// It is run as the plain loop would run it.
    pub(crate) is_like_loop: bool,
}

/// The results of a chunk, or of its front part where the rest was given away.
pub(crate) struct Batch<R> {
    /// Source index of the first result.
    pub(crate) start: u64,
    pub(crate) results: Vec<R>,
    /// The function panicked at the item behind the last result.
    pub(crate) panic: Option<Payload>,
    pub(crate) cost: BatchCost,
}

/// An empty vector with room for so many.
pub(crate) fn with_room<T>(items: usize, is_like_loop: bool) -> Vec<T> {
    let least = if is_like_loop { UNLIKE_OTHERS / size_of::<T>().max(1) } else { 0 };
    Vec::with_capacity(items.max(least))
}

impl<I> Chunk<I> {
    /// Leaves so many items, at least one, and returns the others if there are any.
    pub(crate) fn split_off(&mut self, items: usize) -> Option<Self> {
        let items = items.max(1);
        if self.items.len() <= items {
            return None;
        }
        let rest = self.items.split_off(items);
        let whole = self.expected;
        self.expected = whole.mul_f64(items as f64 / (items + rest.len()) as f64);
        let (start, expected) = (self.start + items as u64, whole - self.expected);
        let &mut Self { stride, is_pinned, is_like_loop, .. } = self;
        Some(Self { start, items: rest, clocks: Clocks::Wall, stride, expected, is_pinned, is_like_loop })
    }

    /// Drops what nobody will run.
    pub(crate) fn discard(self) {
        drop_each_quietly(self.items);
    }
}

impl<R> Batch<R> {
    /// Drops what nobody will see.
    pub(crate) fn discard(self) {
        drop_each_quietly(self.results);
        drop_quietly(self.panic);
    }

    /// No results, only a panic.
    pub(crate) fn panicked(start: u64, payload: Payload) -> Self {
        Self { start, results: Vec::new(), panic: Some(payload), cost: BatchCost::default() }
    }
}

impl<R> Batch<R> {
    /// Of its results with what they own, about.
    pub(crate) fn bytes(&self) -> usize {
        self.results.len().saturating_mul(self.cost.result_bytes)
    }
}

/// What running a chunk cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchCost {
    /// Time spent in the function, all items together.
    pub(crate) elapsed: Elapsed,
    /// What was read around it.
    pub(crate) clocks: Clocks,
    /// The thread's run-queue delay in it, or since that was last read.
    pub(crate) delay: Delay,
    /// Bytes of one result, with what it owns.
    pub(crate) result_bytes: usize,
    /// On which thread.
    pub(crate) runner: Runner,
}

/// Something ordered by its place in the source.
pub(crate) trait Placed {
    fn start(&self) -> u64;
}

impl<I> Placed for Chunk<I> {
    fn start(&self) -> u64 {
        self.start
    }
}

impl<R> Placed for Batch<R> {
    fn start(&self) -> u64 {
        self.start
    }
}
