//! A parallel run: chunks are pulled ahead and handed over, results taken back, and the consumer helps or sleeps.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{Flow, ran};
use crate::decide::input::Remaining;
use crate::decide::observed::{Made, Position, Ran};
use crate::decide::refill::{Refill, Refilled, There};
use crate::decide::waiting::Waiting;
use crate::engine::chunk::{Batch, Chunk};
use crate::engine::heap;
use crate::engine::launch::Launch;
use crate::engine::neighbours;
use crate::engine::place::Place;
use crate::engine::queue::{Polled, Sleeper, Standing};
use crate::engine::target::{Slot, Target};
use crate::engine::wake::Launched;
use crate::machine;
use crate::plan::Pool;
use crate::pool::{self, Crew};
use crate::work::Work;

/// The threads and the pool of a plan.
pub(super) struct Configured {
    threads: usize,
    pool: Pool,
    ordered: bool,
    /// Where all tickets go, if that is one crew. A stream that is kept and not read does not keep its threads.
    crew: Weak<Crew>,
    is_one_crew: bool,
    epoch: u32,
}

impl Configured {
    /// Somebody else has told the queue that items wait, on so many threads of crews of a few each.
    pub(super) fn found_waiting(&mut self, threads: usize, epoch: u32) {
        let ordered = self.ordered;
        *self = Self { threads, pool: Pool::Blocking, ordered, crew: Weak::new(), is_one_crew: false, epoch };
    }
}

/// What the consumer ran while it had nothing to yield.
enum Helped<R> {
    No,
    /// Results that come later.
    Other,
    /// The results that come next.
    Next(Batch<R>, Standing),
}

impl<W, I, R, P> Flow<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// The next results of a parallel run; `None` when nothing is in flight.
    pub(super) fn next_batch<S: Iterator<Item = I>>(&mut self, source: &mut S) -> Option<Batch<R>> {
        self.configure();
        heap::expect(self.pilot.bytes_in_flight());
        self.knock(source);
        if let Some(batch) = self.first_item(source) {
            return Some(batch);
        }
        loop {
            let waiting = self.pilot.waiting();
            let most = self.most_beside(waiting);
            let most_tickets = self.tickets.most(most);
            let (next, most_bytes) = (self.next_result(), self.pilot.most_bytes_ready());
            let polled = self.queue.poll(next, most_tickets, most_bytes, &mut self.spare);
            if polled.claimed {
                self.launch();
            }
            let refilled = self.refill(source, &polled, most);
            let (batch, standing) = match polled.batch {
                Some(batch) => (batch, polled.standing),
                None => match self.help(waiting.beside(refilled), most) {
                    Helped::Next(batch, standing) => (batch, standing),
                    Helped::No if refilled != Refilled::Slowly && !self.wait(waiting, refilled, most) => return None,
                    Helped::No | Helped::Other => {
                        self.knock(source);
                        continue;
                    }
                },
            };
            let remaining = self.remaining(source);
            self.observe(&batch, standing, remaining);
            return Some(batch);
        }
    }

    /// Threads that run chunks beside the consumer.
    pub(super) fn most_beside(&self, waiting: Waiting) -> usize {
        self.pilot.concurrency().saturating_sub(usize::from(waiting.helps))
    }

    /// Where the call has to wait for its tickets: finds out who takes the next ones, and whether a thread has time.
    fn knock<S: Iterator<Item = I>>(&mut self, source: &S) {
        if !P::WAITS {
            return;
        }
        let since = self.began.map_or(Duration::MAX, |began| began.elapsed());
        self.tickets.is_own = self.pilot.choose_own_thread(since.as_secs_f64());
        let is_cpu = self.configured.as_ref().is_some_and(|configured| configured.pool == Pool::Cpu);
        let target = if is_cpu && !self.tickets.is_own { self.target() } else { None };
        let bell = target.as_ref().and_then(Target::bell);
        self.tickets.is_shut = target.as_ref().zip(bell).is_some_and(|(target, bell)| {
            let patience = self.pilot.patience_for_thread(self.remaining(source));
            !self.tickets.door.opens(bell, target, patience, || self.queue.is_running())
        });
    }

    /// Tells the queue how many threads there are, and where.
    fn configure(&mut self) {
        let Some((pool, ordered)) = self.pilot.pool() else { return };
        let threads = self.pilot.concurrency();
        let before = self.configured.as_ref();
        if before.is_some_and(|known| (known.threads, known.pool, known.ordered) == (threads, pool, ordered)) {
            return;
        }
        let is_pinned = self.pilot.has_pinned_threads();
        let moves = before.is_some_and(|known| known.pool != pool);
        let epoch = self.queue.configure(threads, ordered, moves);
        let begin = Instant::now();
        let target = self.pilot.plan().and_then(|plan| Target::lasting(plan, is_pinned));
        self.set_up += begin.elapsed();
        let crew = target.as_ref().map_or_else(Weak::new, Target::crew);
        let is_one_crew = matches!(target, Some(Target::Crew(_)));
        self.configured = Some(Configured { threads, pool, ordered, crew, is_one_crew, epoch });
        if moves {
            // Threads that wait are sure to come; of others nobody has asked.
            self.tickets.leave_pool(P::WAITS && pool == Pool::Cpu);
            // What was handed over for the others is for those now. Starting them takes time: results come first.
            while self.queue.claim_meanwhile(self.next_result(), self.tickets.most(usize::MAX)) {
                self.launch();
            }
        }
    }

    /// Hands chunks over, within the window.
    fn refill<S: Iterator<Item = I>>(&mut self, source: &mut S, polled: &Polled<R>, most: usize) -> Refilled {
        let has_work = polled.queued > 0 || polled.standing.ready > 0;
        let there = There { has_results: polled.batch.is_some(), has_work };
        let mut refill = self.pilot.refill(polled.queued, there);
        if let Some(refilled) = refill.begun() {
            return refilled;
        }
        let begin = Instant::now();
        self.look_at_memory(begin);
        while refill.goes_on(|| begin.elapsed().as_secs_f64()) {
            let room = self.pilot.room(self.held());
            let wanted = self.pilot.chunk(self.remaining(source));
            let size = Refill::size(wanted, room, self.in_flight() - self.ahead.len() as u64);
            let Some(size) = size.filter(|_| !self.is_over()) else { return Refilled::All };
            let Some((chunk, pulling)) = self.pull_next(source, size) else { return Refilled::All };
            let seconds = pulling.as_secs_f64();
            self.pilot.pulled(chunk.items.len(), seconds);
            self.hand_over_chunk(chunk, most);
            if let Some(refilled) = refill.pulled(seconds) {
                return refilled;
            }
        }
        Refilled::Enough
    }

    /// Hands a chunk over to threads, of which there are so many at most.
    pub(super) fn hand_over_chunk(&mut self, chunk: Chunk<I, R>, most: usize) {
        if self.queue.push(chunk, self.tickets.most(most)) {
            self.launch();
        }
    }

    /// Sleeps while there is nothing to do; false: and nothing ever will be.
    fn wait(&mut self, waiting: Waiting, refilled: Refilled, most: usize) -> bool {
        let few_chunks = if refilled == Refilled::Enough { self.pilot.threads() } else { 0 };
        let most_tickets = self.tickets.most(most);
        let is_prompt = refilled == Refilled::Promptly;
        let until = is_prompt.then(|| Instant::now() + Duration::from_secs_f64(self.pilot.careful()));
        let sleeper = Sleeper { next: self.next_result(), waiting, most_tickets, few_chunks, until };
        neighbours::rest();
        let goes_on = self.queue.wait(sleeper, &mut self.waits);
        if until.is_some_and(|until| until <= Instant::now()) {
            self.pilot.waited_in_vain();
        }
        goes_on
    }

    pub(super) fn look_at_memory(&mut self, now: Instant) {
        let Position { now, .. } = self.position_at(now);
        if self.pilot.wants_memory(now) {
            self.pilot.saw_memory(now, machine::memory());
        }
    }

    /// Launches a claimed ticket. Where no thread can be had, those that run are all there will be for a while; with
    /// none, the consumer runs everything itself.
    pub(super) fn launch(&mut self) {
        let Some(&Configured { pool, epoch, .. }) = self.configured.as_ref() else { return };
        let is_own = self.tickets.is_own;
        let slot = if is_own { None } else { self.slot() };
        let queue = Arc::clone(&self.queue);
        // Waiting threads are many and soon asleep: what they take says nothing of those that compute.
        let launched = (pool == Pool::Cpu && !is_own).then(Launched::now);
        let helps = self.pilot.waiting().helps;
        if let Some(launched) = launched {
            queue.note_launch(launched, helps.then(Place::here).flatten());
        }
        let is_launched = match slot {
            _ if is_own => self.launcher.start_own(queue, epoch),
            Some(slot) => self.launcher.launch(slot, queue, epoch),
            None => false,
        };
        if let Some(launched) = launched {
            if helps {
                launched.let_by();
            }
            launched.handed_over();
            if self.pilot.plan().is_none() {
                self.set_up += launched.since();
            }
        }
        if !is_launched {
            let left = self.queue.return_ticket(epoch);
            self.tickets.refuse(Instant::now(), left);
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

    /// Runs a waiting chunk on the consumer's own thread.
    fn help(&mut self, waiting: Waiting, most: usize) -> Helped<R> {
        let Some((chunk, runner)) = self.queue.take_chunk(waiting, self.pilot.chunk_alone()) else {
            return Helped::No;
        };
        self.upkeep.look();
        let queue = Arc::clone(&self.queue);
        let mut delays = std::mem::take(&mut self.delays);
        let batch = queue.run_here(chunk, runner, &mut delays, || {
            if queue.claim(self.tickets.most(most)) {
                self.launch();
            }
        });
        self.delays = delays;
        heap::worked(batch.cost.elapsed.wall);
        let deposited = self.queue.deposit(batch, self.next_result());
        deposited.map_or(Helped::Other, |(batch, standing)| Helped::Next(batch, standing))
    }

    pub(super) fn observe(&mut self, batch: &Batch<R>, standing: Standing, remaining: Remaining) {
        self.has_panicked |= batch.panic.is_some();
        self.pilot.ran(Ran { is_undisturbed: !standing.is_manned, ..ran(batch) });
        let at = self.position();
        let results = self.next_result() + batch.results.len() as u64 + standing.ready;
        let made = Made { results, worked: standing.worked.as_secs_f64(), delay: standing.delay };
        self.pilot.check(at, made, remaining);
        // More threads, say: they take part from now on.
        self.configure();
    }
}
