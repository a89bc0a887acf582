//! Who runs chunks of a queue, who sleeps, and how far they are: all under its mutex that knows nothing of items and
//! results. (Generic code is compiled once more for each function, this is not.) Wakes nobody.

use std::time::{Duration, Instant};

use super::Standing;
use super::ahead::Ahead;
use super::held::Held;
use super::overdue::Overdue;
use crate::decide::observed::Delay;
use crate::decide::waiting::Waiting;
use crate::engine::asleep::Thread;
use crate::engine::chunk::BatchCost;
use crate::engine::place::Place;
use crate::engine::wake::Launched;

/// See the module.
pub(super) struct Staff {
    /// Results are yielded in the order of the source.
    pub(super) ordered: bool,
    pub(super) cancelled: bool,
    /// Chunks being run now, the consumer's included.
    pub(super) running: usize,
    /// Most chunks run at the same time; 0 leaves them to the consumer, one after the other.
    pub(super) limit: usize,
    /// Results that are finished, and what they take.
    ready: u64,
    pub(super) held: Held,
    /// Time that all threads together have spent on finished chunks.
    pub(super) worked: Duration,
    delay: Delay,
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
    /// While the consumer runs the first item, or pulls more, and others may take what was pulled.
    pub(super) ahead: Option<Box<Ahead>>,
}

/// What there is to run and to yield.
#[derive(Clone, Copy)]
pub(super) struct Stock {
    /// Chunks that wait.
    pub(super) queued: usize,
    /// Where the first one of these begins in the source.
    pub(super) first_queued: Option<u64>,
    /// Where the results begin that are finished, and would be taken next.
    pub(super) first_finished: Option<u64>,
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

/// What others are to be told once the lock is let go.
pub(super) struct News {
    /// The consumer has something to do.
    pub(super) wakes: bool,
    /// The first ticket has begun.
    pub(super) launched: Option<Launched>,
    /// Somebody is to look in on the first item, where there are so many cores.
    pub(super) unwatched: Option<usize>,
    /// The consumer, if it is worth a look.
    pub(super) overdue: Option<Thread>,
}

impl Staff {
    pub(super) fn new() -> Self {
        Self {
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

    /// How many chunks may run at the same time from now on, and whether results keep their order. `moves`: in another
    /// pool, so the tickets of the present one end at their next chunk. The epoch of those that follow.
    pub(super) fn configure(&mut self, limit: usize, ordered: bool, moves: bool) -> u32 {
        self.limit = limit;
        self.ordered = ordered;
        if moves {
            self.epoch += 1;
            self.tickets = 0;
            self.awaited = None;
        }
        self.epoch
    }

    pub(super) fn standing(&self) -> Standing {
        Standing { ready: self.ready, worked: self.worked, delay: self.delay, is_manned: self.is_manned }
    }

    /// Adds what a finished chunk has cost.
    pub(super) fn count(&mut self, cost: &BatchCost) {
        self.worked += cost.elapsed.wall;
        self.delay += cost.delay;
    }

    /// So many results are finished, each of which takes what they say.
    pub(super) fn finished(&mut self, results: usize, cost: &BatchCost) {
        self.ready += results as u64;
        self.count(cost);
        self.held.add(cost.bytes(results));
    }

    /// So many finished results are about to be yielded.
    pub(super) fn taken(&mut self, results: usize, cost: &BatchCost) {
        self.ready -= results as u64;
        self.held.remove(cost.bytes(results));
    }

    /// Counts a ticket if another thread would find work for it.
    pub(super) fn claim_ticket(&mut self, stock: Stock, most: usize) -> bool {
        let claimed = self.may_claim(stock, most);
        self.tickets += usize::from(claimed);
        claimed
    }

    fn may_claim(&self, stock: Stock, most: usize) -> bool {
        // What still runs of an earlier epoch has a place, and no ticket.
        let most_starting = if self.is_full() { 1 } else { stock.queued };
        let has_work = self.starting() < stock.queued.min(most_starting) && self.has_room(stock);
        self.running < self.limit && self.tickets < most.min(self.limit) && has_work
    }

    /// Whether results take so much that no more are to be made than come next.
    fn is_full(&self) -> bool {
        self.held.is_full(self.running)
    }

    /// Whether the results of the chunk that waits first may be made now.
    pub(super) fn has_room(&self, stock: Stock) -> bool {
        let is_next = |first| self.ordered && self.held.is_next(first);
        !self.is_full() || stock.first_queued.is_some_and(is_next)
    }

    pub(super) fn is_ready(&self, stock: Stock, next: u64) -> bool {
        stock.first_finished.is_some_and(|first| !self.ordered || first == next)
    }

    pub(super) fn is_idle(&self, stock: Stock) -> bool {
        self.running == 0 && stock.queued == 0
    }

    /// Whether a thread that has nothing to do would run a part of what another one does.
    pub(super) fn wants_division(&self, stock: Stock) -> bool {
        stock.queued == 0 && self.running < self.limit && !self.is_full() && !self.cancelled
    }

    /// Tickets that run nothing yet, at least: each will take a queued chunk. (One that runs a chunk comes back for the
    /// next. What the consumer runs counts as if a ticket did: then one thread more may be woken than finds a
    /// chunk.)
    fn starting(&self) -> usize {
        self.tickets.saturating_sub(self.running)
    }

    /// Whether the consumer sleeps and is to be woken.
    pub(super) fn wakes_sleeper(&self, stock: Stock) -> bool {
        self.sleeper.is_some_and(|sleeper| self.may_wake(stock, sleeper))
    }

    /// Whether a sleeping consumer has something to do: to yield, to run, to launch, to pull, or to end.
    pub(super) fn may_wake(&self, stock: Stock, sleeper: Sleeper) -> bool {
        let helps = sleeper.waiting.helps || self.tickets == 0;
        self.is_ready(stock, sleeper.next)
            || (helps && self.may_run(stock))
            || self.may_claim(stock, sleeper.most_tickets)
            || stock.queued < sleeper.few_chunks
            || self.is_idle(stock)
    }

    fn may_run(&self, stock: Stock) -> bool {
        stock.queued > 0 && self.has_room(stock) && self.running < self.limit.max(1)
    }

    /// A thread has come back, or come for the first time, and goes on or not.
    pub(super) fn came_back(&mut self, stock: Stock, goes_on: bool) -> News {
        self.awaited = None;
        self.is_manned |= goes_on;
        News {
            launched: self.launched.take(),
            unwatched: self.sign_ahead(goes_on),
            wakes: self.wakes_sleeper(stock),
            overdue: self.overdue(),
        }
    }

    /// For how long a sleeping consumer is not to be woken but for what it waits for; `None`: as long as it takes.
    pub(super) fn rest(&mut self, stock: Stock, sleeper: Sleeper) -> Option<Duration> {
        let left = sleeper.until.map(|until| until.saturating_duration_since(Instant::now()));
        self.patience(stock, sleeper.waiting).into_iter().chain(left).min()
    }

    /// Whether the chunks that wait are the consumer's to run.
    pub(super) fn is_left_to_consumer(&mut self, stock: Stock, waiting: Waiting) -> bool {
        waiting.helps || self.tickets == 0 || self.patience(stock, waiting).is_some_and(|left| left.is_zero())
    }

    /// How much longer a consumer that does not help leaves the chunks that wait to threads of which none has begun:
    /// all of a pool's may be busy for long, or wait for the very consumer. `None`: one runs, and comes back for
    /// more.
    fn patience(&mut self, stock: Stock, waiting: Waiting) -> Option<Duration> {
        let is_awaiting = self.running == 0 && stock.queued > 0;
        is_awaiting.then(|| waiting.patience.saturating_sub(self.awaited.get_or_insert_with(Instant::now).elapsed()))
    }
}
