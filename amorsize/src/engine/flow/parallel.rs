//! A parallel run: chunks are pulled ahead and handed over, results taken back, and the consumer helps or sleeps.

use std::sync::Arc;
use std::time::Instant;

use super::Flow;
use super::course::{Ticket, ran};
use crate::consumers;
use crate::decide::input::Remaining;
use crate::decide::refill::{Refilled, There};
use crate::decide::waiting::Waiting;
use crate::engine::chunk::{Batch, Chunk};
use crate::engine::heap;
use crate::engine::launch::Launch;
use crate::engine::queue::{Polled, Standing};
use crate::work::Work;

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
        heap::expect(self.course.pilot.bytes_in_flight());
        self.knock(source);
        if let Some(batch) = self.first_item(source) {
            return Some(batch);
        }
        loop {
            let waiting = self.course.pilot.waiting();
            let most = self.course.most_beside(waiting);
            let most_tickets = self.course.tickets.most(most);
            let (next, most_bytes) = (self.course.next_result(), self.course.pilot.most_bytes_ready());
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

    /// Where the call has to wait for its tickets: finds out who takes the next ones, and whether a thread has time.
    fn knock<S: Iterator<Item = I>>(&mut self, source: &S) {
        if P::WAITS {
            self.course.knock(self.remaining(source), || self.queue.is_running());
        }
    }

    /// Tells the queue how many threads there are, and where.
    fn configure(&mut self) {
        let Some(change) = self.course.change() else { return };
        let epoch = self.queue.configure(change.threads, change.ordered, change.moves);
        self.course.changed(change, epoch, P::WAITS);
        // What was handed over for others is for those now. Starting them takes time: results come first.
        while change.moves
            && self.queue.claim_meanwhile(self.course.next_result(), self.course.tickets.most(usize::MAX))
        {
            self.launch();
        }
    }

    /// Hands chunks over, within the window.
    fn refill<S: Iterator<Item = I>>(&mut self, source: &mut S, polled: &Polled<R>, most: usize) -> Refilled {
        let has_work = polled.queued > 0 || polled.standing.ready > 0;
        let there = There { has_results: polled.batch.is_some(), has_work };
        let mut refill = self.course.pilot.refill(polled.queued, there);
        if let Some(refilled) = refill.begun() {
            return refilled;
        }
        let begin = Instant::now();
        self.course.look_at_memory(begin);
        while refill.goes_on(|| begin.elapsed().as_secs_f64()) {
            let size = self.course.next_size(self.remaining(source), self.ahead.len());
            let Some(size) = size.filter(|_| !self.is_over()) else { return Refilled::All };
            let Some((chunk, pulling)) = self.pull_next(source, size) else { return Refilled::All };
            let seconds = pulling.as_secs_f64();
            self.course.pilot.pulled(chunk.items.len(), seconds);
            self.hand_over_chunk(chunk, most);
            if let Some(refilled) = refill.pulled(seconds) {
                return refilled;
            }
        }
        Refilled::Enough
    }

    /// Hands a chunk over to threads, of which there are so many at most.
    pub(super) fn hand_over_chunk(&mut self, chunk: Chunk<I, R>, most: usize) {
        if self.queue.push(chunk, self.course.tickets.most(most)) {
            self.launch();
        }
    }

    /// Sleeps while there is nothing to do; false: and nothing ever will be.
    fn wait(&mut self, waiting: Waiting, refilled: Refilled, most: usize) -> bool {
        let sleeper = self.course.sleeper(waiting, refilled, most);
        consumers::rest();
        let goes_on = self.queue.wait(sleeper, &mut self.course.waits);
        if sleeper.until.is_some_and(|until| until <= Instant::now()) {
            self.course.pilot.waited_in_vain();
        }
        goes_on
    }

    /// Launches a claimed ticket. Where no thread can be had, those that run are all there will be for a while; with
    /// none, the consumer runs everything itself.
    pub(super) fn launch(&mut self) {
        let Some(Ticket { slot, epoch, launched, consumer }) = self.course.ticket() else { return };
        if let Some(launched) = launched {
            self.queue.note_launch(launched, consumer);
        }
        let queue = Arc::clone(&self.queue);
        let is_launched = match slot {
            Some(slot) => self.launcher.launch(slot, queue, epoch),
            None => self.course.tickets.is_own && self.launcher.start_own(queue, epoch),
        };
        if let Some(launched) = launched {
            self.course.launched(launched);
        }
        if !is_launched {
            let left = self.queue.return_ticket(epoch);
            self.course.tickets.refuse(Instant::now(), left);
        }
    }

    /// Runs a waiting chunk on the consumer's own thread.
    fn help(&mut self, waiting: Waiting, most: usize) -> Helped<R> {
        let Some((chunk, runner)) = self.queue.take_chunk(waiting, self.course.pilot.chunk_alone()) else {
            return Helped::No;
        };
        self.course.upkeep.look();
        let queue = Arc::clone(&self.queue);
        let mut delays = std::mem::take(&mut self.course.delays);
        let batch = queue.run_here(chunk, runner, &mut delays, &mut || {
            if queue.claim(self.course.tickets.most(most)) {
                self.launch();
            }
        });
        self.course.delays = delays;
        heap::worked(batch.cost.elapsed.wall);
        let deposited = self.queue.deposit(batch, self.course.next_result());
        deposited.map_or(Helped::Other, |(batch, standing)| Helped::Next(batch, standing))
    }

    pub(super) fn observe(&mut self, batch: &Batch<R>, standing: Standing, remaining: Remaining) {
        self.course.has_panicked |= batch.panic.is_some();
        self.course.observe(ran(batch), standing, remaining);
        // More threads, say: they take part from now on.
        self.configure();
    }
}
