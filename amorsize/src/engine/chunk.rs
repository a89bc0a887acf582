//! A run of consecutive items on its way to a thread, and what comes back. Holds data; the queue moves it.

use std::any::Any;
use std::time::Duration;

use super::clock::Elapsed;
use super::heap;
use crate::decide::observed::{Clocks, Delay, Runner};
use crate::quiet::{drop_each_quietly, drop_quietly};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Consecutive items of the source, and room for what becomes of them. Both vectors are the consumer's, whoever runs
/// the chunk: they come back to it.
pub(crate) struct Chunk<I, R> {
    /// Index of the first item in the source.
    pub(crate) start: u64,
    pub(crate) items: Vec<I>,
    pub(crate) results: Vec<R>,
    pub(crate) how: How,
}

/// How a chunk is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct How {
    /// The clocks that are read around the chunk.
    pub(crate) clocks: Clocks,
    /// Items run before another look at the signal.
    pub(crate) stride: usize,
    /// What the whole chunk is thought to take.
    pub(crate) expected: Duration,
    /// The size was asked for: the chunk is not cut short.
    pub(crate) has_pinned_size: bool,
}

impl How {
    /// Items of which nobody knows what they take.
    pub(crate) fn unknown(clocks: Clocks, has_pinned_size: bool) -> Self {
        Self { clocks, stride: 1, expected: Duration::ZERO, has_pinned_size }
    }

    /// Leaves what the first items of a chunk take, of which they are this part; the others'.
    fn split_off(&mut self, part: f64) -> Self {
        let whole = self.expected;
        self.expected = whole.mul_f64(part);
        Self { clocks: Clocks::Wall, expected: whole - self.expected, ..*self }
    }
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

/// What a vector has room for besides its items: blocks of some sizes had better be left to the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Exact,
    /// For an item that is run as in the plain loop: what its result owns is mostly smaller, and is then made of the
    /// blocks that the loop would get.
    LikeLoop,
    /// For what another thread makes and the consumer frees: a block that is not [at hand](super::heap) to the consumer
    /// from then on.
    Apart,
}

impl Room {
    fn least_bytes(self) -> usize {
        match self {
            Self::Exact => 0,
            Self::LikeLoop => 500,
            Self::Apart => heap::KEPT_NOWHERE,
        }
    }
}

/// Bytes of a vector up to which there is one for a chunk that waits, and an empty one is kept for another use: they
/// are no part of what may be in flight.
const MOST_BYTES_WAITING: usize = 64 << 10;

/// Whether a vector with room for so many items is small enough to wait.
pub(crate) fn may_wait<T>(items: usize) -> bool {
    items.saturating_mul(size_of::<T>()) <= MOST_BYTES_WAITING
}

/// An empty vector for the results of so many items. It gets room for large ones when they are made.
pub(crate) fn for_results<R>(items: usize, room: Room) -> Vec<R> {
    if may_wait::<R>(items) { with_room(items, room) } else { Vec::new() }
}

/// An empty vector with room for so many items.
pub(crate) fn with_room<T>(items: usize, room: Room) -> Vec<T> {
    Vec::with_capacity(items.max(room.least_bytes().div_ceil(size_of::<T>().max(1))))
}

impl<I, R> Chunk<I, R> {
    /// A chunk of items of which nobody knows what they take, made by a thread that runs chunks.
    pub(crate) fn apart(start: u64, items: Vec<I>, clocks: Clocks, has_pinned_size: bool) -> Self {
        let results = with_room(items.len(), Room::Apart);
        Self { start, items, results, how: How::unknown(clocks, has_pinned_size) }
    }

    /// Leaves so many items, at least one, and returns the others if there are any.
    pub(crate) fn split_off(&mut self, items: usize) -> Option<Self> {
        let items = items.max(1);
        if self.items.len() <= items {
            return None;
        }
        let how = self.how.split_off(items as f64 / self.items.len() as f64);
        let rest = self.items.split_off(items);
        let results = for_results(rest.len(), Room::Exact);
        Some(Self { start: self.start + items as u64, items: rest, results, how })
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

/// What running a chunk cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchCost {
    /// Time spent in the function, all items together.
    pub(crate) elapsed: Elapsed,
    /// The clocks that were read around the chunk.
    pub(crate) clocks: Clocks,
    /// The thread's run-queue delay in the chunk, or since that was last read.
    pub(crate) delay: Delay,
    /// Bytes of one result, with what it owns.
    pub(crate) result_bytes: usize,
    /// Who ran the chunk.
    pub(crate) runner: Runner,
}

impl BatchCost {
    /// Bytes of so many results with what they own, about.
    pub(crate) fn bytes(&self, results: usize) -> usize {
        results.saturating_mul(self.result_bytes)
    }

    /// Others have found that the function waits for this share of its time: it counts where nobody has measured it.
    pub(crate) fn found_waiting(&mut self, share: f64) {
        if self.elapsed.blocked.is_none() {
            self.elapsed.blocked = Some(self.elapsed.wall.mul_f64(share));
            self.clocks = Clocks::All;
        }
    }
}

/// Something ordered by its place in the source.
pub(crate) trait Placed {
    fn start(&self) -> u64;
}

impl<I, R> Placed for Chunk<I, R> {
    fn start(&self) -> u64 {
        self.start
    }
}

impl<R> Placed for Batch<R> {
    fn start(&self) -> u64 {
        self.start
    }
}
