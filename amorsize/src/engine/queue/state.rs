//! What a queue holds, under its mutex. Moves chunks and batches, and says who may run what; locks nothing, wakes nobody.

use std::collections::VecDeque;
use std::time::Duration;

use super::Standing;
use crate::decide::pilot::Delay;
use crate::engine::chunk::{Batch, BatchCost, Chunk, Placed};
use crate::engine::place::Place;
use crate::engine::wake::Launched;

pub(super) struct State<I, R> {
    /// By place in the source.
    pub(super) queued: VecDeque<Chunk<I>>,
    /// Ordered: by place in the source. Unordered: as they came.
    pub(super) finished: VecDeque<Batch<R>>,
    pub(super) ordered: bool,
    pub(super) cancelled: bool,
    /// Chunks being run now, the consumer's included.
    pub(super) running: usize,
    /// Most chunks run at the same time; 0 leaves them to the consumer, one after the other.
    pub(super) limit: usize,
    /// Results in `finished`.
    pub(super) ready: u64,
    /// Time that all threads together have spent on finished chunks.
    pub(super) worked: Duration,
    pub(super) delay: Delay,
    /// Jobs handed to a pool that have not ended.
    pub(super) tickets: usize,
    /// When the first of those was handed over that no thread has begun with.
    pub(super) launched: Option<Launched>,
    /// Where the consumer computes, if it helps: a thread that is to help it makes way.
    pub(super) consumer: Option<Place>,
    /// Tickets of an earlier epoch end at the next chunk: the plan has moved to another pool.
    pub(super) epoch: u32,
    pub(super) sleeper: Option<Sleeper>,
}

/// What the sleeping consumer waits for.
#[derive(Clone, Copy)]
pub(super) struct Sleeper {
    pub(super) next: u64,
    pub(super) helps: bool,
}

impl<I, R> State<I, R> {
    pub(super) fn new() -> Self {
        Self {
            queued: VecDeque::new(),
            finished: VecDeque::new(),
            ordered: true,
            cancelled: false,
            running: 0,
            limit: 1,
            ready: 0,
            worked: Duration::ZERO,
            delay: Delay::default(),
            tickets: 0,
            launched: None,
            consumer: None,
            epoch: 0,
            sleeper: None,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        Standing { ready: self.ready, worked: self.worked, delay: self.delay }
    }

    /// Adds what a finished chunk has cost.
    pub(super) fn count(&mut self, cost: &BatchCost) {
        self.worked += cost.elapsed.wall;
        self.delay += cost.delay;
    }

    /// Counts a ticket if another thread would find work for it.
    pub(super) fn claim_ticket(&mut self, most: usize) -> bool {
        let claimed = self.tickets < most.min(self.limit) && self.starting() < self.queued.len();
        self.tickets += usize::from(claimed);
        claimed
    }

    pub(super) fn is_ready(&self, next: u64) -> bool {
        self.finished.front().is_some_and(|batch| !self.ordered || batch.start == next)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running == 0 && self.queued.is_empty()
    }

    /// Tickets that run nothing yet: each will take a queued chunk. (One that runs a chunk comes back for the next.)
    fn starting(&self) -> usize {
        self.tickets.saturating_sub(self.running)
    }

    /// Whether a sleeping consumer has something to do.
    pub(super) fn may_wake(&self, sleeper: Sleeper) -> bool {
        // A chunk that nobody is about to take is the consumer's: to run it, or to launch another ticket.
        let room = self.running < self.limit.max(1);
        let untaken = if sleeper.helps || self.running == 0 { 0 } else { self.starting() };
        self.is_ready(sleeper.next) || (room && self.queued.len() > untaken) || self.is_idle()
    }

    pub(super) fn take_chunk(&mut self, limit: usize) -> Option<Chunk<I>> {
        if self.running >= limit {
            return None;
        }
        let chunk = self.queued.pop_front()?;
        self.running += 1;
        Some(chunk)
    }

    /// Stores results; returns what a cancelled stream no longer wants, to be dropped outside the lock.
    pub(super) fn finish(&mut self, batch: Batch<R>) -> Unwanted<I, R> {
        if self.cancelled {
            return Unwanted { batches: VecDeque::from([batch]), ..Unwanted::default() };
        }
        self.ready += batch.results.len() as u64;
        self.count(&batch.cost);
        let chunks = if batch.panic.is_some() { self.take_behind(batch.start) } else { VecDeque::new() };
        if self.ordered {
            insert_in_place(&mut self.finished, batch);
        } else {
            self.finished.push_back(batch);
        }
        Unwanted { chunks, ..Unwanted::default() }
    }

    /// The chunks that nobody will ever see, because the one at `start` panicked.
    fn take_behind(&mut self, start: u64) -> VecDeque<Chunk<I>> {
        let kept = if self.ordered { self.queued.partition_point(|chunk| chunk.start < start) } else { 0 };
        self.queued.split_off(kept)
    }
}

/// What a stream that ended leaves: to be dropped outside the lock, since a user's `Drop` may do anything.
#[must_use]
pub(super) struct Unwanted<I, R> {
    pub(super) chunks: VecDeque<Chunk<I>>,
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
