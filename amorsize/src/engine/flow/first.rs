//! The first item of a function of which nothing is known: while the consumer runs it, threads may have those that
//! follow. Where it may have to wait for these, as for a channel, threads may have the first one too.

use std::sync::Arc;
use std::time::Instant;

use super::Flow;
use crate::decide::early::{self, Pulled};
use crate::decide::input::Remaining;
use crate::decide::observed::Runner;
use crate::engine::chunk::{Batch, Chunk};
use crate::engine::launch::Launch;
use crate::engine::queue::{Added, Terms};
use crate::work::Work;

impl<W, I, R, P> Flow<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// Runs the first item after others were pulled ahead; `None` where that is not to be.
    pub(super) fn first_item<S: Iterator<Item = I>>(&mut self, source: &mut S) -> Option<Batch<R>> {
        if self.course.pulled > 0 || (P::WAITS && !self.course.pilot.wakes_first()) {
            return None;
        }
        self.course.look_at_memory(Instant::now());
        let room = self.course.pilot.items_ahead();
        if room == 0 {
            return None;
        }
        let (first, took) = self.pull(source, 1)?;
        let (start, took) = (first.start, took.as_secs_f64());
        let remaining = self.remaining(source);
        let terms = self.course.terms(remaining);
        let (first, each) = if terms.tickets > 0 {
            self.offer_first(source, first, terms, room, took)
        } else {
            let (ahead, each) = self.pull_ahead(source, room, took, &|flow, items| {
                flow.ahead.extend(items.drain(..));
                true
            });
            self.course.pilot.pulled_ahead(ahead, each);
            if ahead == 0 {
                self.hand_over_chunk(first, self.course.most_beside(self.course.pilot.waiting()));
                return None;
            }
            self.watch_ahead(start + 1, terms);
            (Some(first), each)
        };
        let queue = Arc::clone(&self.queue);
        let batch = first.map(|first| queue.run_here(first, Runner::Consumer, &mut self.course.delays, &mut || ()));
        let batch = self.close_ahead(batch, each);
        // Where a thread has the first item nothing is known yet, and what is left goes the usual way.
        let (batch, standing) = batch.and_then(|batch| self.queue.deposit(batch, start))?;
        let remaining = self.remaining(source);
        self.observe(&batch, standing, remaining);
        if self.course.pilot.goes_on_alone() {
            self.course.pilot.waive_head_start();
        } else {
            self.hand_over_ahead();
        }
        Some(batch)
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
        let (ahead, each) = self.pull_ahead(source, room, took, &|flow, items| {
            let added = flow.queue.add_ahead(items.drain(..));
            if added == Added::WithTicket {
                flow.launch();
            }
            added != Added::WhereTheyWait
        });
        let first = self.queue.take_first().map(|(start, item)| self.chunk_of(start, vec![item]));
        self.course.pilot.pulled_ahead(ahead, each);
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
        keep: &dyn Fn(&mut Self, &mut Vec<I>) -> bool,
    ) -> (usize, f64) {
        let is_pinned = self.course.pilot.is_pinned_parallel();
        let (mut pulled, mut ahead) = (Pulled { last: 1, seconds: took, spent: 0.0 }, 0);
        let (mut items, mut now) = (Vec::new(), Instant::now());
        while ahead < room && !self.course.exhausted {
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
        self.course.set_up += begin.elapsed();
    }

    /// Takes back what threads have left, each of which took so many seconds to be pulled: it is handed over next. What
    /// the caller ran, with what was found out meanwhile.
    fn close_ahead(&mut self, first: Option<Batch<R>>, each: f64) -> Option<Batch<R>> {
        let left = self.queue.close_ahead().expect("opened before");
        let taken = left.taken - usize::from(first.is_none());
        self.course.pilot.took_ahead(taken, each * taken as f64);
        self.ahead = left.items;
        let Some(found) = left.waiting else { return first };
        self.course.found_waiting(found);
        first.map(|mut batch| {
            batch.cost.found_waiting(found.share);
            batch
        })
    }

    /// Hands over what threads have left, as far as results of that size may be held.
    fn hand_over_ahead(&mut self) {
        let each = self.course.pilot.costs().source;
        let mut items = self.ahead.len().min(self.course.pilot.trial_room(self.course.held(self.ahead.len())));
        while items > 0 && !self.course.has_panicked {
            let chunk = self.take_ahead(self.course.pilot.chunk_ahead(items));
            items -= chunk.items.len();
            self.course.pilot.pulled(chunk.items.len(), each * chunk.items.len() as f64);
            self.hand_over_chunk(chunk, self.course.most_beside(self.course.pilot.waiting()));
        }
    }

    /// The next items of those that were pulled ahead.
    pub(super) fn take_ahead(&mut self, most: usize) -> Chunk<I, R> {
        let start = self.course.taken() - self.ahead.len() as u64;
        let taken = most.min(self.ahead.len());
        let mut items = self.room_for_items(taken);
        items.extend(self.ahead.drain(..taken));
        self.chunk_of(start, items)
    }
}
