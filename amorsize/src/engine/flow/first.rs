//! The first item of a function of which nothing is known: while the consumer runs it, threads may have those that
//! follow.

use std::sync::Arc;
use std::time::Instant;

use super::Flow;
use crate::decide::early::{self, Pulled};
use crate::decide::input::Remaining;
use crate::decide::observed::{Clocks, Runner};
use crate::decide::pilot::TRIAL_BYTES;
use crate::engine::chunk::{Batch, BatchCost, Chunk};
use crate::engine::launch::Launch;
use crate::engine::queue::{FoundWaiting, Standing, Terms};
use crate::work::Work;

impl<W, I, R, P> Flow<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// Runs the first item after others were pulled ahead; `None` where that is not to be.
    pub(super) fn first_item<S: Iterator<Item = I>>(&mut self, source: &mut S) -> Option<Batch<R>> {
        if self.pulled > 0 || (P::WAITS && !self.pilot.wakes_first()) {
            return None;
        }
        self.look_at_memory(Instant::now());
        let room = self.pilot.items_ahead(self.remaining(source));
        if room == 0 {
            return None;
        }
        let (first, took) = self.pull(source, 1)?;
        let took = took.as_secs_f64();
        let more = self.pull_ahead(source, room, took);
        let each = (took + more) / (1 + self.ahead.len()) as f64;
        self.pilot.pulled_ahead(self.ahead.len(), each);
        if self.ahead.is_empty() {
            self.hand_over_chunk(first, self.most_beside(self.pilot.waiting()));
            return None;
        }
        let items = self.remaining(source).upper.map_or(u64::MAX, |left| left.saturating_add(1));
        let (batch, standing) = self.run_first(first, items, each);
        let remaining = self.remaining(source);
        self.observe(&batch, standing, remaining);
        if self.pilot.goes_on_alone() {
            self.pilot.waive_head_start();
        } else {
            self.hand_over_ahead();
        }
        Some(batch)
    }

    /// Pulls as many more as can be had in no time, and there is `room` for, where the first one `took` so many
    /// seconds; those of all of them.
    fn pull_ahead<S: Iterator<Item = I>>(&mut self, source: &mut S, room: usize, took: f64) -> f64 {
        let is_pinned = self.pilot.is_pinned_parallel();
        let mut pulled = Pulled { last: 1, seconds: took, spent: 0.0 };
        while self.ahead.len() < room && !self.exhausted {
            let remaining = Remaining::from_hint(source.size_hint());
            let more = early::more(pulled, remaining, is_pinned).min(room - self.ahead.len());
            let Some((chunk, took)) = self.pull(source, more) else { break };
            let seconds = took.as_secs_f64();
            pulled = Pulled { last: chunk.items.len(), seconds, spent: pulled.spent + seconds };
            self.ahead.extend(chunk.items);
        }
        pulled.spent
    }

    /// Runs the first of so many items, while threads may take what was pulled ahead, each in so many seconds. What
    /// they leave is the first to be handed over afterwards.
    fn run_first(&mut self, first: Chunk<I, R>, items: u64, each: f64) -> (Batch<R>, Standing) {
        let tickets = self.tickets.most(self.most_beside(self.pilot.waiting()));
        let terms = Terms {
            cores: self.pilot.situation().cores,
            items,
            most: self.pilot.options().max_blocking_threads.get(),
            pinned: self.pilot.options().into(),
            bytes: TRIAL_BYTES,
            tickets,
        };
        let start = first.start;
        let tickets = self.queue.open_ahead(start + 1, std::mem::take(&mut self.ahead), terms);
        (0..tickets).for_each(|_| self.launch());
        if tickets == 0 {
            let begin = Instant::now();
            self.launcher.look_after(&self.queue, terms.cores);
            self.set_up += begin.elapsed();
        }
        let queue = Arc::clone(&self.queue);
        let mut batch = queue.run_here(first, Runner::Consumer, || ());
        let left = self.queue.close_ahead().expect("opened before");
        self.pilot.took_ahead(left.taken, each * left.taken as f64);
        self.ahead = left.items;
        if let Some(waiting) = left.waiting {
            self.found_waiting(waiting, &mut batch.cost);
        }
        self.queue.deposit(batch, start).expect("nothing comes before the first")
    }

    /// Meanwhile somebody has found out that the function waits.
    fn found_waiting(&mut self, waiting: FoundWaiting, first: &mut BatchCost) {
        let FoundWaiting { share, threads, epoch } = waiting;
        self.pilot.found_waiting(threads);
        if first.elapsed.blocked.is_none() {
            first.elapsed.blocked = Some(first.elapsed.wall.mul_f64(share));
            first.clocks = Clocks::All;
        }
        self.configured.iter_mut().for_each(|configured| configured.found_waiting(threads, epoch));
    }

    /// Hands over what threads have left, as far as results of that size may be held.
    fn hand_over_ahead(&mut self) {
        let each = self.pilot.costs().source;
        let mut items = self.ahead.len().min(self.pilot.trial_room(self.held()));
        while items > 0 && !self.has_panicked {
            let chunk = self.take_ahead(self.pilot.chunk_ahead(items));
            items -= chunk.items.len();
            self.pilot.pulled(chunk.items.len(), each * chunk.items.len() as f64);
            self.hand_over_chunk(chunk, self.most_beside(self.pilot.waiting()));
        }
    }

    /// The next items of those that were pulled ahead.
    pub(super) fn take_ahead(&mut self, most: usize) -> Chunk<I, R> {
        let start = self.taken() - self.ahead.len() as u64;
        let taken = most.min(self.ahead.len());
        let mut items = self.room_for_items(taken);
        items.extend(self.ahead.drain(..taken));
        self.chunk_of(start, items)
    }
}
