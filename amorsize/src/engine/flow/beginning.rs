//! Until there is a plan: earlier runs are asked, and the first items timed.

use std::time::{Duration, Instant};

use super::{Flow, ran};
use crate::decide::input::Remaining;
use crate::decide::pilot::Step;
use crate::engine::launch::Launch;
use crate::engine::neighbours;
use crate::learn::experience::Advice;
use crate::work::Work;

impl<W, I, R, P> Flow<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// Goes on with the trial until there is a plan, while the stream holds so many results.
    pub(crate) fn decide<S: Iterator<Item = I>>(&mut self, source: &mut S, unread: usize) {
        self.unread = unread;
        if self.began.is_none() {
            self.begin(source);
            self.pilot.waive_head_start();
        }
        while self.pilot.plan().is_none() {
            match self.step(source) {
                _ if self.pilot.plan().is_some() => {}
                Step::Try(items) => self.try_batch(source, items),
                Step::Look => self.look(),
                Step::Loop(_) => self.conclude(source),
                Step::Parallel if self.has_panicked => self.conclude(source),
                Step::Parallel => match self.next_batch(source) {
                    Some(batch) => self.backlog.push_back(batch),
                    None => self.conclude(source),
                },
            }
        }
        self.unread = 0;
    }

    fn conclude<S: Iterator<Item = I>>(&mut self, source: &S) {
        let (at, remaining) = (self.position(), self.remaining(source));
        self.pilot.conclude(at, remaining);
    }

    pub(super) fn step<S: Iterator<Item = I>>(&mut self, source: &S) -> Step {
        if self.began.is_none() {
            self.begin(source);
        }
        // A source that ended during the trial leaves nothing to try, and what follows a panic is never seen.
        let is_over = self.is_over() || self.has_panicked;
        let room = if is_over { 0 } else { self.pilot.trial_room(self.held()) };
        let now = Instant::now();
        let (at, remaining) = (self.position_at(now), self.remaining(source));
        let mut step = self.pilot.step(at, remaining, room);
        if self.pilot.wants_company(at.now) {
            self.pilot.saw_company(at, neighbours::others(now));
            step = self.pilot.step(at, remaining, room);
        }
        neighbours::tell(now, self.pilot.most_busy().map(Duration::from_secs_f64));
        step
    }

    fn begin<S: Iterator<Item = I>>(&mut self, source: &S) {
        self.consult(source);
        self.position();
    }

    /// Asks, before the first item, what earlier runs say.
    fn consult<S: Iterator<Item = I>>(&mut self, source: &S) {
        let remaining = self.remaining(source);
        let mut advice = self.ask(remaining);
        if advice.as_ref().and_then(Advice::prior).is_some_and(|prior| self.pilot.is_guess(prior, remaining)) {
            self.look();
            advice = self.ask(remaining);
        }
        if let Some(advice) = advice {
            let beside = self.launcher.beside(self.pilot.is_pinned_parallel());
            advice.lead(&mut self.pilot, remaining, beside);
        }
    }

    fn ask(&mut self, remaining: Remaining) -> Option<Advice> {
        self.experience.consult(remaining, self.pilot.options(), self.pilot.situation())
    }

    pub(super) fn look(&mut self) {
        self.pilot.saw_machine(self.pilot.situation().looked_at());
    }

    pub(super) fn try_batch<S: Iterator<Item = I>>(&mut self, source: &mut S, items: usize) {
        let Some((chunk, pulled)) = self.pull_next(source, items) else { return };
        let batch = self.queue.run_whole(chunk);
        self.has_panicked |= batch.panic.is_some();
        if !batch.results.is_empty() {
            self.pilot.tried(pulled.as_secs_f64(), ran(&batch));
        }
        self.backlog.push_back(batch);
    }
}
