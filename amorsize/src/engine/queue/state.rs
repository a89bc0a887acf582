//! What a queue holds, under its mutex: chunks, results, and the [staff](super::staff). Moves them; locks nothing, wakes
//! nobody.

use std::collections::VecDeque;

use super::staff::{Staff, Stock};
use crate::engine::chunk::{self, Batch, Chunk, Placed};

/// Most vectors that wait for another use.
const MOST_SPENT: usize = 16;

pub(super) struct State<I, R> {
    /// Chunks that wait, by place in the source.
    pub(super) queued: VecDeque<Chunk<I, R>>,
    /// Items that were pulled ahead, while the consumer runs the first one: after the chunks that wait.
    pub(super) ahead: VecDeque<I>,
    /// Vectors of items that threads have run, empty: the consumer's, who made them.
    pub(super) spent: Vec<Vec<I>>,
    /// Finished results. Ordered: by place in the source. Unordered: as they came.
    pub(super) finished: VecDeque<Batch<R>>,
    pub(super) staff: Staff,
}

impl<I, R> State<I, R> {
    pub(super) fn new() -> Self {
        Self {
            queued: VecDeque::new(),
            ahead: VecDeque::new(),
            spent: Vec::new(),
            finished: VecDeque::new(),
            staff: Staff::new(),
        }
    }

    /// What there is to run and to yield.
    pub(super) fn stock(&self) -> Stock {
        Stock {
            queued: self.queued.len(),
            first_queued: self.queued.front().map(Placed::start),
            first_finished: self.finished.front().map(Placed::start),
        }
    }

    /// Counts a ticket if another thread would find work for it.
    pub(super) fn claim_ticket(&mut self, most: usize) -> bool {
        self.staff.claim_ticket(self.stock(), most)
    }

    /// Gives the consumer a vector of items that were run; returns one that it has no use for, to be dropped outside
    /// the lock.
    pub(super) fn give_back(&mut self, spent: Vec<I>) -> Option<Vec<I>> {
        if chunk::may_wait::<I>(spent.capacity()) && self.spent.len() < MOST_SPENT {
            self.spent.push(spent);
            return None;
        }
        Some(spent)
    }

    /// Takes the results that come next.
    pub(super) fn take_batch(&mut self, next: u64) -> Option<Batch<R>> {
        if !self.staff.is_ready(self.stock(), next) {
            return None;
        }
        let batch = self.finished.pop_front()?;
        self.staff.taken(batch.results.len(), &batch.cost);
        Some(batch)
    }

    /// Takes the first chunk that waits, or the next item that was pulled ahead, where fewer than so many run.
    pub(super) fn take_chunk(&mut self, limit: usize) -> Option<Chunk<I, R>> {
        if self.staff.running >= limit || !self.staff.has_room(self.stock()) {
            return None;
        }
        let chunk = self.queued.pop_front().or_else(|| self.take_ahead())?;
        self.staff.running += 1;
        Some(chunk)
    }

    /// Stores results; returns what a cancelled stream no longer wants, to be dropped outside the lock.
    pub(super) fn finish(&mut self, batch: Batch<R>) -> Unwanted<I, R> {
        if self.staff.cancelled {
            return Unwanted { batches: VecDeque::from([batch]), ..Unwanted::default() };
        }
        let panicked = batch.panic.is_some();
        self.staff.finished(batch.results.len(), &batch.cost);
        self.staff.count_ahead(if panicked { usize::MAX } else { batch.cost.bytes(batch.results.len()) });
        let chunks = if panicked { self.take_behind(batch.start) } else { VecDeque::new() };
        if self.staff.ordered {
            insert_in_place(&mut self.finished, batch);
        } else {
            self.finished.push_back(batch);
        }
        Unwanted { chunks, ..Unwanted::default() }
    }

    /// The chunks that nobody will ever see, because the one at `start` panicked.
    fn take_behind(&mut self, start: u64) -> VecDeque<Chunk<I, R>> {
        let kept = if self.staff.ordered { self.queued.partition_point(|chunk| chunk.start < start) } else { 0 };
        self.queued.split_off(kept)
    }
}

/// What a stream that ended leaves: to be dropped outside the lock, since a user's `Drop` may do anything.
#[must_use]
pub(super) struct Unwanted<I, R> {
    pub(super) chunks: VecDeque<Chunk<I, R>>,
    pub(super) batches: VecDeque<Batch<R>>,
}

impl<I, R> Unwanted<I, R> {
    pub(super) fn discard(self) {
        self.chunks.into_iter().for_each(Chunk::discard);
        self.batches.into_iter().for_each(Batch::discard);
    }
}

impl<I, R> Default for Unwanted<I, R> {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), batches: VecDeque::new() }
    }
}

pub(super) fn insert_in_place<T: Placed>(sorted: &mut VecDeque<T>, value: T) {
    let at = sorted.partition_point(|other| other.start() < value.start());
    sorted.insert(at, value);
}
