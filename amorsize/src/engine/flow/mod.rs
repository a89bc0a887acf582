//! The consumer's side of a stream: pulls chunks from the source, hands them over, takes results back, and tells the
//! pilot how long everything took. All of it runs on the thread that asks for the next result.
//!
//! - here: from one call to the next: plain loop, the end, what is learned from it
//! - [`beginning`]: what earlier runs say, and the trial
//! - [`first`]: the first item, and what threads may do meanwhile
//! - [`lending`]: what was pulled ahead of the first item, in the plain loop
//! - [`pulling`]: items from the source, in chunks
//! - [`parallel`]: chunks on threads
//! - [`tickets`]: how many tickets there may be

mod beginning;
mod first;
mod lending;
mod parallel;
mod pulling;
mod tickets;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chunk::{Batch, BatchCost, Payload};
use super::heap::{self, Upkeep};
use super::launch::Launch;
use super::queue::Queue;
use super::wake;
use crate::decide::input::Remaining;
use crate::decide::observed::{Position, Ran};
use crate::decide::pace::Pace;
use crate::decide::pilot::{Pilot, Step};
use crate::decide::situation::Owns;
use crate::engine::clock::Delays;
use crate::engine::neighbours;
use crate::learn::experience::Experience;
use crate::plan::Plan;
use crate::quiet::{drop_each_quietly, drop_quietly, quietly};
use crate::report::Report;
use crate::work::Work;
use parallel::Configured;
use tickets::Tickets;

/// What the stream does until it asks again.
pub(crate) enum Next<R> {
    /// Yield these results.
    Batch(Batch<R>),
    /// Run so many items as a plain loop: of the source, or of those that were pulled ahead of it, if there are any.
    Loop(usize),
    /// The source is exhausted and everything was yielded.
    End,
}

/// See the module. `P` takes tickets to threads.
pub(crate) struct Flow<W, I, R, P> {
    queue: Arc<Queue<W, I, R>>,
    launcher: P,
    pilot: Box<Pilot>,
    experience: Experience,
    /// What the queue was told.
    configured: Option<Configured>,
    tickets: Tickets,
    /// Results that the stream was given before somebody wanted to see the plan, and has not yielded: while it is
    /// made.
    unread: usize,
    /// Items that were pulled before the first one ran, and that nobody has run yet.
    ahead: VecDeque<I>,
    /// How many items that were pulled ahead are lent to the plain loop.
    lent: usize,
    /// Vectors for items, empty, that were in use before.
    spare: Vec<Vec<I>>,
    /// Results of a trial that are not yet yielded.
    backlog: VecDeque<Batch<R>>,
    exhausted: bool,
    /// The function's panic is on its way to the consumer, if it is not there: nothing that comes after it is ever
    /// seen.
    has_panicked: bool,
    source_panic: Option<Payload>,
    began: Option<Instant>,
    /// Time that does not count, since later runs do not have to spend it again: starting a pool.
    set_up: Duration,
    ended: Option<Instant>,
    /// When the consumer was given how many results that it now comes back from.
    handed: Option<(Instant, usize)>,
    /// The plain loop, while it runs.
    pace: Option<Pace>,
    /// The plain loop runs what was pulled ahead.
    is_ahead: bool,
    upkeep: Upkeep,
    /// The consumer's.
    delays: Delays,
    /// Items taken from the source, without those that are lent.
    pulled: u64,
    accepted: u64,
    waits: u64,
}

impl<W, I, R, P> Flow<W, I, R, P> {
    pub(crate) fn new(queue: Arc<Queue<W, I, R>>, launcher: P, pilot: Pilot, experience: Experience) -> Self {
        Self {
            queue,
            launcher,
            upkeep: Upkeep::of_consumer(pilot.situation().owns != Owns::Nothing),
            delays: Delays::default(),
            pilot: Box::new(pilot),
            experience,
            configured: None,
            tickets: Tickets::default(),
            unread: 0,
            ahead: VecDeque::new(),
            lent: 0,
            spare: Vec::new(),
            backlog: VecDeque::new(),
            exhausted: false,
            has_panicked: false,
            source_panic: None,
            began: None,
            set_up: Duration::ZERO,
            ended: None,
            handed: None,
            pace: None,
            is_ahead: false,
            pulled: 0,
            accepted: 0,
            waits: 0,
        }
    }

    /// Items taken from the source and not yet handed to the stream.
    pub(crate) fn in_flight(&self) -> u64 {
        self.taken() - self.accepted
    }

    /// Items taken from the source and not yet yielded, without those that can still be taken as if from it.
    fn held(&self) -> usize {
        self.in_flight() as usize + self.unread - self.ahead.len()
    }

    /// Whether nothing is left to be taken, of the source or of what was pulled ahead.
    fn is_over(&self) -> bool {
        self.exhausted && self.ahead.is_empty()
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Source index of the next result that is to be had.
    fn next_result(&self) -> u64 {
        self.accepted + self.backlog.iter().map(|batch| batch.results.len() as u64).sum::<u64>()
    }

    /// Source index of the first item of the plain loop, while it runs.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// The plan, after [`Flow::decide`].
    pub(crate) fn plan(&self) -> &Plan {
        self.pilot.plan().expect("decided before")
    }

    /// The plain loop found the end of the source.
    pub(crate) fn exhaust(&mut self) {
        self.exhausted = true;
    }

    /// No more results will be asked for.
    pub(crate) fn end(&mut self) {
        self.exhausted = true;
        self.take_back();
        if self.configured.is_some() {
            self.queue.cancel();
        }
        drop_each_quietly(self.ahead.drain(..));
        self.backlog.drain(..).for_each(Batch::discard);
        drop_quietly(self.source_panic.take());
        if self.ended.is_none() {
            neighbours::rest();
            let now = Instant::now();
            self.ended = Some(now);
            // Whoever listens to what is told then may panic, and this may be a drop.
            quietly(|| self.leave_experience(now));
        }
    }

    /// The stream is dropped; `left` items of a plain loop were not run.
    pub(crate) fn abandon(&mut self, left: usize) {
        let now = Instant::now();
        self.go_on(now, left);
        self.pace = None;
        self.end();
    }

    /// A panic has ended the plain loop, or came from the source's `size_hint`: how far the run came and what it took
    /// is not known, so it teaches nothing.
    pub(crate) fn interrupt(&mut self, has_item: bool) {
        self.pulled += u64::from(has_item);
        neighbours::rest();
        self.ended.get_or_insert_with(Instant::now);
        self.pace = None;
        self.end();
    }

    /// The plain loop goes on at its pace, without asking anybody; `left` items of it were not run.
    #[inline]
    fn go_on(&mut self, now: Instant, left: usize) -> Option<usize> {
        let pace = self.pace.as_mut()?;
        let ran = (pace.granted() - left) as u64;
        self.pulled += ran;
        self.accepted += ran;
        pace.ran(ran as usize, now).filter(|_| self.is_ahead || !self.exhausted)
    }

    fn leave_experience(&mut self, now: Instant) {
        let Some(began) = self.began else { return };
        let at = self.position_at(now);
        wake::forwent(self.pilot.forgone());
        let stretches = self.pilot.finish(at);
        self.experience.leave(&stretches, self.accepted, now - began);
    }

    pub(crate) fn report(&self, looped: u64, unread: u64) -> Report {
        let plan = self.pilot.plan().cloned();
        let since = |began: Instant| self.ended.unwrap_or_else(Instant::now) - began;
        let (items_in, items_out) = (self.taken() + looped, self.accepted + looped - unread);
        // A window that has just become smaller is still full of what was taken before.
        let buffer_size = self.pilot.bound_now().max((items_in - items_out) as usize).max(1);
        Report {
            threads: self.pilot.threads(),
            chunk_size: self.pilot.usual_chunk(),
            buffer_size,
            plan,
            items_in,
            items_out,
            elapsed: self.began.map_or(Duration::ZERO, since),
            item_time: Duration::from_secs_f64(self.pilot.item_time(self.ended.is_some())),
            waits: self.waits,
            plans: self.pilot.plans(),
        }
    }

    fn position(&mut self) -> Position {
        let now = Instant::now();
        self.position_at(now)
    }

    fn position_at(&mut self, now: Instant) -> Position {
        let began = *self.began.get_or_insert(now);
        let running = (now - began).saturating_sub(self.set_up);
        Position { now: running.as_secs_f64(), yielded: self.accepted }
    }
}

impl<W, I, R, P> Flow<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// What the stream does next; `left` items of a plain loop were not run, because the source ended.
    pub(crate) fn next<S: Iterator<Item = I>>(&mut self, source: &mut S, left: usize) -> Next<R> {
        let called = Instant::now();
        if let Some(items) = self.go_on(called, left) {
            return self.grant(items);
        }
        self.settle_account(source, called);
        loop {
            if let Some(batch) = self.backlog.pop_front() {
                return self.hand_over(batch);
            }
            if self.exhausted && self.in_flight() == 0 {
                return self.finish();
            }
            match self.step(source) {
                Step::Try(items) => self.try_batch(source, items),
                Step::Look => self.look(),
                Step::Loop(_) if !self.ahead.is_empty() => return self.hand_loop(self.ahead.len()),
                Step::Loop(items) => return self.hand_loop(items),
                Step::Parallel => match self.next_batch(source) {
                    Some(batch) => return self.hand_over(batch),
                    None => self.drained(),
                },
            }
        }
    }

    fn drained(&mut self) {
        if self.pilot.situation().owns != Owns::Nothing {
            heap::settle();
        }
        let at = self.position();
        self.pilot.drained(at);
    }

    fn remaining<S: Iterator>(&self, source: &S) -> Remaining {
        let remaining = if self.exhausted { Remaining::NONE } else { Remaining::from_hint(source.size_hint()) };
        remaining.and(self.ahead.len() as u64)
    }

    /// Tells the pilot what the consumer did since the last call.
    fn settle_account<S: Iterator<Item = I>>(&mut self, source: &S, called: Instant) {
        if self.began.is_none() {
            return;
        }
        let at = self.position_at(called);
        if let Some((handed, items)) = self.handed.take() {
            self.pilot.consumed(items, (called - handed).as_secs_f64());
        }
        if let Some(looped) = self.pace.take().and_then(|pace| pace.total(called)) {
            let remaining = self.remaining(source);
            if self.is_ahead {
                self.pilot.looped_ahead(looped, at, remaining);
            } else {
                self.pilot.looped(looped, at, remaining);
            }
        }
    }

    fn hand_loop(&mut self, items: usize) -> Next<R> {
        if self.is_over() {
            return self.finish();
        }
        self.is_ahead = !self.ahead.is_empty();
        let pace = self.pace.insert(Pace::new(items, self.pilot.costs().serial(), Instant::now()));
        let granted = pace.granted();
        self.grant(granted)
    }

    fn hand_over(&mut self, batch: Batch<R>) -> Next<R> {
        self.accepted += batch.results.len() as u64;
        if !batch.results.is_empty() {
            self.handed = Some((Instant::now(), batch.results.len()));
        }
        Next::Batch(batch)
    }

    /// Everything was yielded: the source's own panic comes at its place, after all results.
    fn finish(&mut self) -> Next<R> {
        let panic = self.source_panic.take();
        self.end();
        match panic {
            Some(payload) => Next::Batch(Batch::panicked(self.pulled, payload)),
            None => Next::End,
        }
    }
}

fn ran<R>(batch: &Batch<R>) -> Ran {
    let BatchCost { elapsed, clocks, delay, result_bytes, runner } = batch.cost;
    let (blocked, busy) = (elapsed.blocked_share(), elapsed.busy());
    let (items, seconds) = (batch.results.len(), elapsed.wall.as_secs_f64());
    Ran { items, seconds, clocks, blocked, busy, delay, result_bytes, runner, is_undisturbed: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::pilot::SMALL_BLOCK;
    use crate::engine::launch::Detached;
    use crate::engine::scope::Scoped;

    type Function = fn(u64) -> u64;
    type FlowOf<P> = Flow<Function, u64, u64, P>;
    type QueueOf = Queue<Function, u64, u64>;

    #[test]
    fn a_stream_begins_with_small_blocks() {
        let sizes = [size_of::<FlowOf<Detached>>(), size_of::<FlowOf<Scoped<'_, '_, '_>>>(), size_of::<QueueOf>()];
        assert!(sizes.iter().all(|size| size + 64 <= SMALL_BLOCK), "{sizes:?}, and what goes with them");
        // A block that begins with a cache line is no small one.
        assert!(align_of::<QueueOf>() <= align_of::<u128>());
    }
}
