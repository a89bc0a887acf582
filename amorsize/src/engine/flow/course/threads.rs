//! Where a run's tickets go, and how long its consumer waits for threads.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::Course;
use crate::decide::input::Remaining;
use crate::decide::pilot::TRIAL_BYTES;
use crate::decide::refill::Refilled;
use crate::decide::waiting::Waiting;
use crate::engine::place::Place;
use crate::engine::queue::{FoundWaiting, Sleeper, Terms};
use crate::engine::target::{Slot, Target};
use crate::engine::wake::Launched;
use crate::plan::Pool;
use crate::pool::{self, Crew};

/// The threads and the pool of a plan.
pub(in crate::engine::flow) struct Configured {
    threads: usize,
    pool: Pool,
    ordered: bool,
    /// Where all tickets go, if that is one crew. A stream that is kept and not read does not keep its threads.
    crew: Weak<Crew>,
    is_one_crew: bool,
    epoch: u32,
}

/// A ticket that is to be handed over.
pub(in crate::engine::flow) struct Ticket {
    /// Where it goes, if it gets no thread of its own, and one can be had.
    pub(in crate::engine::flow) slot: Option<Slot>,
    pub(in crate::engine::flow) epoch: u32,
    /// Since when, to a pool of threads that compute.
    pub(in crate::engine::flow) launched: Option<Launched>,
    /// Where the consumer computes, if it helps.
    pub(in crate::engine::flow) consumer: Option<Place>,
}

/// What the queue is to be told of a plan.
#[derive(Clone, Copy)]
pub(in crate::engine::flow) struct Change {
    pub(in crate::engine::flow) threads: usize,
    pool: Pool,
    pub(in crate::engine::flow) ordered: bool,
    /// From now on in another pool.
    pub(in crate::engine::flow) moves: bool,
}

impl Course {
    /// Whether the queue was told of a plan.
    pub(in crate::engine::flow) fn is_configured(&self) -> bool {
        self.configured.is_some()
    }

    /// What the queue has not been told.
    pub(in crate::engine::flow) fn change(&self) -> Option<Change> {
        let (pool, ordered) = self.pilot.pool()?;
        let threads = self.pilot.concurrency();
        let before = self.configured.as_ref();
        if before.is_some_and(|known| (known.threads, known.pool, known.ordered) == (threads, pool, ordered)) {
            return None;
        }
        Some(Change { threads, pool, ordered, moves: before.is_some_and(|known| known.pool != pool) })
    }

    /// The queue was told, which is in this epoch now.
    pub(in crate::engine::flow) fn changed(&mut self, change: Change, epoch: u32, waits: bool) {
        let Change { threads, pool, ordered, moves } = change;
        let is_pinned = self.pilot.has_pinned_threads();
        let begin = Instant::now();
        let target = self.pilot.plan().and_then(|plan| Target::lasting(plan, is_pinned));
        self.set_up += begin.elapsed();
        let crew = target.as_ref().map_or_else(Weak::new, Target::crew);
        let is_one_crew = matches!(target, Some(Target::Crew(_)));
        self.configured = Some(Configured { threads, pool, ordered, crew, is_one_crew, epoch });
        if moves {
            // Threads that wait are sure to come; of others nobody has asked.
            self.tickets.leave_pool(waits && pool == Pool::Cpu);
        }
    }

    /// Somebody else has told the queue that items wait, on so many threads of crews of a few each.
    pub(in crate::engine::flow) fn found_waiting(&mut self, FoundWaiting { threads, epoch, .. }: FoundWaiting) {
        self.pilot.found_waiting(threads);
        if let Some(configured) = &mut self.configured {
            let ordered = configured.ordered;
            let (pool, crew) = (Pool::Blocking, Weak::new());
            *configured = Configured { threads, pool, ordered, crew, is_one_crew: false, epoch };
        }
    }

    /// Threads that run chunks beside the consumer.
    pub(in crate::engine::flow) fn most_beside(&self, waiting: Waiting) -> usize {
        self.pilot.concurrency().saturating_sub(usize::from(waiting.helps))
    }

    /// Where the call has to wait for its tickets: finds out who takes the next ones, and whether a thread has time.
    pub(in crate::engine::flow) fn knock(&mut self, remaining: Remaining, is_running: impl FnOnce() -> bool) {
        let since = self.began.map_or(Duration::MAX, |began| began.elapsed());
        self.tickets.is_own = self.pilot.choose_own_thread(since.as_secs_f64());
        let is_cpu = self.configured.as_ref().is_some_and(|configured| configured.pool == Pool::Cpu);
        let target = if is_cpu && !self.tickets.is_own { self.target() } else { None };
        let bell = target.as_ref().and_then(Target::bell);
        self.tickets.is_shut = target.as_ref().zip(bell).is_some_and(|(target, bell)| {
            let patience = self.pilot.patience_for_thread(remaining);
            !self.tickets.door.opens(bell, target, patience, is_running)
        });
    }

    /// What there is for those who take items beside the first one.
    pub(in crate::engine::flow) fn terms(&self, remaining: Remaining) -> Terms {
        Terms {
            cores: self.pilot.situation().cores,
            items: remaining.upper.map_or(u64::MAX, |left| left.saturating_add(1)),
            most: self.pilot.options().max_blocking_threads.get(),
            pinned: self.pilot.options().into(),
            bytes: TRIAL_BYTES,
            tickets: self.tickets.most(self.most_beside(self.pilot.waiting())),
        }
    }

    /// What a consumer that has nothing to do waits for.
    pub(in crate::engine::flow) fn sleeper(&self, waiting: Waiting, refilled: Refilled, most: usize) -> Sleeper {
        let few_chunks = if refilled == Refilled::Enough { self.pilot.threads() } else { 0 };
        let most_tickets = self.tickets.most(most);
        let is_prompt = refilled == Refilled::Promptly;
        let until = is_prompt.then(|| Instant::now() + Duration::from_secs_f64(self.pilot.careful()));
        Sleeper { next: self.next_result(), waiting, most_tickets, few_chunks, until }
    }

    /// The next ticket, if the queue was told of a plan.
    pub(in crate::engine::flow) fn ticket(&mut self) -> Option<Ticket> {
        let &Configured { pool, epoch, .. } = self.configured.as_ref()?;
        let is_own = self.tickets.is_own;
        let slot = if is_own { None } else { self.slot() };
        // Waiting threads are many and soon asleep: what they take says nothing of those that compute.
        let launched = (pool == Pool::Cpu && !is_own).then(Launched::now);
        let consumer = if launched.is_some() && self.pilot.waiting().helps { Place::here() } else { None };
        Some(Ticket { slot, epoch, launched, consumer })
    }

    /// A ticket was handed over to a pool that computes.
    pub(in crate::engine::flow) fn launched(&mut self, launched: Launched) {
        if self.pilot.waiting().helps {
            launched.let_by();
        }
        launched.handed_over();
        if self.pilot.plan().is_none() {
            self.set_up += launched.since();
        }
    }

    /// The crew that all tickets go to, if there is one.
    fn crew(&self) -> Option<Arc<Crew>> {
        let crew = self.configured.as_ref()?.crew.upgrade();
        crew.filter(|crew| !crew.is_dismissed())
    }

    /// The pool that the next ticket goes to; `None` if no thread can be had.
    fn target(&mut self) -> Option<Target> {
        let crew = self.crew().map(Target::Crew);
        crew.or_else(|| self.slot().map(|slot| slot.target))
    }

    /// Where the next ticket goes; `None` if no thread can be had.
    fn slot(&mut self) -> Option<Slot> {
        let crew = self.crew();
        let configured = self.configured.as_mut()?;
        // Waiting threads come in crews of a few, so each ticket goes where one is free.
        let anew = || match self.pilot.plan() {
            Some(plan) => Slot::of(plan, self.pilot.has_pinned_threads()),
            None if configured.pool == Pool::Blocking => pool::blocking_crew(self.pilot.threads()).map(Slot::from),
            None => Some(Slot::CURRENT),
        };
        let slot = crew.map(Slot::with).or_else(anew);
        if configured.is_one_crew {
            configured.crew = slot.as_ref().map_or_else(Weak::new, |slot| slot.target.crew());
        }
        slot
    }
}
