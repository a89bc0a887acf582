//! What a queue holds, under its mutex. Moves chunks and batches, and says who may run what; locks nothing, wakes
//! nobody.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Standing;
use super::ahead::Ahead;
use super::held::Held;
use super::overdue::Overdue;
use crate::decide::observed::Delay;
use crate::decide::waiting::Waiting;
use crate::engine::chunk::{self, Batch, BatchCost, Chunk, Placed};
use crate::engine::place::Place;
use crate::engine::wake::Launched;

/// Most vectors that wait for another use.
const MOST_SPENT: usize = 16;

pub(super) struct State<I, R> {
    /// Chunks that wait, by place in the source.
    pub(super) queued: VecDeque<Chunk<I, R>>,
    /// Vectors of items that threads have run, empty: the consumer's, who made them.
    pub(super) spent: Vec<Vec<I>>,
    /// Finished results. Ordered: by place in the source. Unordered: as they came.
    pub(super) finished: VecDeque<Batch<R>>,
    pub(super) ordered: bool,
    pub(super) cancelled: bool,
    /// Chunks being run now, the consumer's included.
    pub(super) running: usize,
    /// Most chunks run at the same time; 0 leaves them to the consumer, one after the other.
    pub(super) limit: usize,
    /// Results in `finished`, and what they take.
    pub(super) ready: u64,
    pub(super) held: Held,
    /// Time that all threads together have spent on finished chunks.
    pub(super) worked: Duration,
    pub(super) delay: Delay,
    /// Jobs handed to a pool that have not ended.
    pub(super) tickets: usize,
    /// A thread has begun with a chunk.
    pub(super) is_manned: bool,
    /// When the first ticket was handed over that no thread has begun with.
    pub(super) launched: Option<Launched>,
    /// Since when the consumer waits for any thread to begin, while none does.
    pub(super) awaited: Option<Instant>,
    /// Where the consumer computes, if it helps: a thread that is to help it makes way.
    pub(super) consumer: Option<Place>,
    pub(super) overdue: Overdue,
    /// Tickets of an earlier epoch end at the next chunk: the plan has moved to another pool.
    pub(super) epoch: u32,
    pub(super) sleeper: Option<Sleeper>,
    /// What was pulled ahead, while the consumer runs the first item.
    pub(super) ahead: Option<Box<Ahead<I>>>,
}

/// What a consumer that has nothing to do waits for.
#[derive(Clone, Copy)]
pub(crate) struct Sleeper {
    /// Where the results begin that the consumer yields next.
    pub(crate) next: u64,
    pub(crate) waiting: Waiting,
    /// Most tickets that the consumer launches.
    pub(crate) most_tickets: usize,
    /// Chunks left below which the consumer pulls more.
    pub(crate) few_chunks: usize,
    /// Time from which the consumer has something else to do.
    pub(crate) until: Option<Instant>,
}

impl<I, R> State<I, R> {
    pub(super) fn new() -> Self {
        Self {
            queued: VecDeque::new(),
            spent: Vec::new(),
            finished: VecDeque::new(),
            ordered: true,
            cancelled: false,
            running: 0,
            limit: 1,
            ready: 0,
            held: Held::NOTHING,
            worked: Duration::ZERO,
            delay: Delay::default(),
            tickets: 0,
            is_manned: false,
            launched: None,
            awaited: None,
            consumer: None,
            overdue: Overdue::default(),
            epoch: 0,
            sleeper: None,
            ahead: None,
        }
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

    pub(super) fn standing(&self) -> Standing {
        Standing { ready: self.ready, worked: self.worked, delay: self.delay, is_manned: self.is_manned }
    }

    /// Adds what a finished chunk has cost.
    pub(super) fn count(&mut self, cost: &BatchCost) {
        self.worked += cost.elapsed.wall;
        self.delay += cost.delay;
    }

    /// Counts a ticket if another thread would find work for it.
    pub(super) fn claim_ticket(&mut self, most: usize) -> bool {
        let claimed = self.may_claim(most);
        self.tickets += usize::from(claimed);
        claimed
    }

    fn may_claim(&self, most: usize) -> bool {
        // What still runs of an earlier epoch has a place, and no ticket.
        let most_starting = if self.is_full() { 1 } else { self.queued.len() };
        let has_work = self.starting() < self.queued.len().min(most_starting) && self.has_room();
        self.running < self.limit && self.tickets < most.min(self.limit) && has_work
    }

    /// Whether results take so much that no more are to be made than come next.
    pub(super) fn is_full(&self) -> bool {
        self.held.is_full(self.running)
    }

    /// Whether the results of the chunk that waits first may be made now.
    fn has_room(&self) -> bool {
        let is_next = |chunk: &Chunk<I, R>| self.ordered && self.held.is_next(chunk.start);
        !self.is_full() || self.queued.front().is_some_and(is_next)
    }

    pub(super) fn is_ready(&self, next: u64) -> bool {
        self.finished.front().is_some_and(|batch| !self.ordered || batch.start == next)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running == 0 && self.queued.is_empty()
    }

    /// Tickets that run nothing yet, at least: each will take a queued chunk. (One that runs a chunk comes back for the
    /// next. What the consumer runs counts as if a ticket did: then one thread more may be woken than finds a
    /// chunk.)
    fn starting(&self) -> usize {
        self.tickets.saturating_sub(self.running)
    }

    /// Whether the consumer sleeps and is to be woken.
    pub(super) fn wakes_sleeper(&self) -> bool {
        self.sleeper.is_some_and(|sleeper| self.may_wake(sleeper))
    }

    /// Whether a sleeping consumer has something to do: to yield, to run, to launch, to pull, or to end.
    pub(super) fn may_wake(&self, sleeper: Sleeper) -> bool {
        let helps = sleeper.waiting.helps || self.tickets == 0;
        self.is_ready(sleeper.next)
            || (helps && self.may_run())
            || self.may_claim(sleeper.most_tickets)
            || self.queued.len() < sleeper.few_chunks
            || self.is_idle()
    }

    fn may_run(&self) -> bool {
        !self.queued.is_empty() && self.has_room() && self.running < self.limit.max(1)
    }

    /// Whether the chunks that wait are the consumer's to run.
    pub(super) fn is_left_to_consumer(&mut self, waiting: Waiting) -> bool {
        waiting.helps || self.tickets == 0 || self.patience(waiting).is_some_and(|left| left.is_zero())
    }

    /// How much longer a consumer that does not help leaves the chunks that wait to threads of which none has begun:
    /// all of a pool's may be busy for long, or wait for the very consumer. `None`: one runs, and comes back for
    /// more.
    pub(super) fn patience(&mut self, waiting: Waiting) -> Option<Duration> {
        let is_awaiting = self.running == 0 && !self.queued.is_empty();
        is_awaiting.then(|| waiting.patience.saturating_sub(self.awaited.get_or_insert_with(Instant::now).elapsed()))
    }

    /// Takes the results that come next.
    pub(super) fn take_batch(&mut self, next: u64) -> Option<Batch<R>> {
        if !self.is_ready(next) {
            return None;
        }
        let batch = self.finished.pop_front()?;
        self.ready -= batch.results.len() as u64;
        self.held.remove(&batch);
        Some(batch)
    }

    pub(super) fn take_chunk(&mut self, limit: usize) -> Option<Chunk<I, R>> {
        if self.running >= limit || !self.has_room() {
            return None;
        }
        let chunk = self.queued.pop_front().or_else(|| self.take_ahead())?;
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
        self.held.add(&batch);
        self.count_ahead(if batch.panic.is_some() { usize::MAX } else { batch.bytes() });
        let chunks = if batch.panic.is_some() { self.take_behind(batch.start) } else { VecDeque::new() };
        if self.ordered {
            insert_in_place(&mut self.finished, batch);
        } else {
            self.finished.push_back(batch);
        }
        Unwanted { chunks, ..Unwanted::default() }
    }

    /// The chunks that nobody will ever see, because the one at `start` panicked.
    fn take_behind(&mut self, start: u64) -> VecDeque<Chunk<I, R>> {
        let kept = if self.ordered { self.queued.partition_point(|chunk| chunk.start < start) } else { 0 };
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
