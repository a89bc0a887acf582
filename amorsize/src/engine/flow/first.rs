//! The first item of a function of which nothing is known: while the consumer runs it, threads may have those that
//! follow. Where it may have to wait for these, as for a channel, threads may have the first one too.

use std::sync::Arc;
use std::time::Instant;

use super::Flow;
use crate::decide::early::{self, Pulled};
use crate::decide::input::Remaining;
use crate::decide::observed::{Clocks, Runner};
use crate::decide::pilot::TRIAL_BYTES;
use crate::engine::chunk::{Batch, Chunk};
use crate::engine::launch::Launch;
use crate::engine::queue::{Added, FoundWaiting, Terms};
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
        let room = self.pilot.items_ahead();
        if room == 0 {
            return None;
        }
        let (first, took) = self.pull(source, 1)?;
        let (start, took) = (first.start, took.as_secs_f64());
        let remaining = self.remaining(source);
        let terms = self.terms(remaining);
        let (first, each) = if terms.tickets > 0 {
            self.offer_first(source, first, terms, room, took)
        } else {
            let (ahead, each) = self.pull_ahead(source, room, took, |flow, items| {
                flow.ahead.extend(items.drain(..));
                true
            });
            self.pilot.pulled_ahead(ahead, each);
            if ahead == 0 {
                self.hand_over_chunk(first, self.most_beside(self.pilot.waiting()));
                return None;
            }
            self.watch_ahead(start + 1, terms);
            (Some(first), each)
        };
        let queue = Arc::clone(&self.queue);
        let batch = first.map(|first| queue.run_here(first, Runner::Consumer, &mut self.delays, || ()));
        let batch = self.close_ahead(batch, each);
        // Where a thread has the first item nothing is known yet, and what is left goes the usual way.
        let (batch, standing) = batch.and_then(|batch| self.queue.deposit(batch, start))?;
        let remaining = self.remaining(source);
        self.observe(&batch, standing, remaining);
        if self.pilot.goes_on_alone() {
            self.pilot.waive_head_start();
        } else {
            self.hand_over_ahead();
        }
        Some(batch)
    }

    /// What there is for those who take items beside the first one.
    fn terms(&self, remaining: Remaining) -> Terms {
        Terms {
            cores: self.pilot.situation().cores,
            items: remaining.upper.map_or(u64::MAX, |left| left.saturating_add(1)),
            most: self.pilot.options().max_blocking_threads.get(),
            pinned: self.pilot.options().into(),
            bytes: TRIAL_BYTES,
            tickets: self.tickets.most(self.most_beside(self.pilot.waiting())),
        }
    }

    /// Offers the first item to threads while more is pulled: they take some time to come, and the caller may have to
    /// wait for more, since a channel may have nothing for a minute. What the caller runs, the first one or the next, if
    /// threads have left any, and what each took to be pulled.
    fn offer_first<S: Iterator<Item = I>>(
        &mut self,
        source: &mut S,
        first: Chunk<I, R>,
        terms: Terms,
        room: usize,
        took: f64,
    ) -> (Option<Chunk<I, R>>, f64) {
        let start = first.start;
        let tickets = self.queue.offer_ahead(start, first.items.into(), terms);
        (0..tickets).for_each(|_| self.launch());
        let (ahead, each) = self.pull_ahead(source, room, took, |flow, items| {
            let added = flow.queue.add_ahead(items.drain(..));
            if added == Added::WithTicket {
                flow.launch();
            }
            added != Added::WhereTheyWait
        });
        let first = self.queue.take_first().map(|(start, item)| self.chunk_of(start, vec![item]));
        self.pilot.pulled_ahead(ahead, each);
        (first, each)
    }

    /// Pulls as many more as can be had in no time, and there is `room` for, where the first one `took` so many
    /// seconds, for `keep`, which says whether that may go on. How many these are, and the seconds that each of all
    /// took.
    fn pull_ahead<S: Iterator<Item = I>>(
        &mut self,
        source: &mut S,
        room: usize,
        took: f64,
        keep: impl Fn(&mut Self, &mut Vec<I>) -> bool,
    ) -> (usize, f64) {
        let is_pinned = self.pilot.is_pinned_parallel();
        let (mut pulled, mut ahead) = (Pulled { last: 1, seconds: took, spent: 0.0 }, 0);
        let (mut items, mut now) = (Vec::new(), Instant::now());
        while ahead < room && !self.exhausted {
            let remaining = Remaining::from_hint(source.size_hint());
            let more = early::more(pulled, remaining, is_pinned).min(room - ahead);
            self.pull_into(&mut items, source, more, now);
            let (last, begin) = (items.len(), std::mem::replace(&mut now, Instant::now()));
            if last == 0 {
                break;
            }
            let seconds = (now - begin).as_secs_f64();
            pulled = Pulled { last, seconds, spent: pulled.spent + seconds };
            ahead += last;
            if !keep(self, &mut items) {
                break;
            }
        }
        (ahead, (took + pulled.spent) / (1 + ahead) as f64)
    }

    /// Has somebody look in on the first item, who lets threads take what was pulled ahead, from `next` on.
    fn watch_ahead(&mut self, next: u64, terms: Terms) {
        self.queue.open_ahead(next, std::mem::take(&mut self.ahead), terms);
        let begin = Instant::now();
        self.launcher.look_after(&self.queue, terms.cores);
        self.set_up += begin.elapsed();
    }

    /// Takes back what threads have left, each of which took so many seconds to be pulled: it is handed over next. What
    /// the caller ran, with what was found out meanwhile.
    fn close_ahead(&mut self, first: Option<Batch<R>>, each: f64) -> Option<Batch<R>> {
        let left = self.queue.close_ahead().expect("opened before");
        let taken = left.taken - usize::from(first.is_none());
        self.pilot.took_ahead(taken, each * taken as f64);
        self.ahead = left.items;
        let Some(FoundWaiting { share, threads, epoch }) = left.waiting else { return first };
        self.pilot.found_waiting(threads);
        self.configured.iter_mut().for_each(|configured| configured.found_waiting(threads, epoch));
        first.map(|mut batch| {
            if batch.cost.elapsed.blocked.is_none() {
                batch.cost.elapsed.blocked = Some(batch.cost.elapsed.wall.mul_f64(share));
                batch.cost.clocks = Clocks::All;
            }
            batch
        })
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
