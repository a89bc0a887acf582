//! Until there is a plan: earlier runs are asked, and each step is the pilot's.

use std::time::{Duration, Instant};

use super::Course;
use crate::consumers;
use crate::decide::input::Remaining;
use crate::decide::pilot::{Beside, Step};
use crate::learn::experience::Advice;

impl Course {
    /// Asks, before the first item, what earlier runs say; `beside` tells who there is for the first items, where the
    /// options ask for threads or do not.
    pub(in crate::engine::flow) fn consult(&mut self, remaining: Remaining, beside: &dyn Fn(bool) -> Beside) {
        let mut advice = self.ask(remaining);
        if advice.as_ref().and_then(Advice::prior).is_some_and(|prior| self.pilot.is_guess(prior, remaining)) {
            self.look();
            advice = self.ask(remaining);
        }
        if let Some(advice) = advice {
            let beside = beside(self.pilot.is_pinned_parallel());
            advice.lead(&mut self.pilot, remaining, beside);
        }
        self.position();
    }

    fn ask(&mut self, remaining: Remaining) -> Option<Advice> {
        self.experience.consult(remaining, self.pilot.options(), self.pilot.situation())
    }

    /// What is to be done next, where so many items were pulled `ahead`.
    pub(in crate::engine::flow) fn step(&mut self, remaining: Remaining, ahead: usize) -> Step {
        // A source that ended during the trial leaves nothing to try, and what follows a panic is never seen.
        let is_over = (self.exhausted && ahead == 0) || self.has_panicked;
        let room = if is_over { 0 } else { self.pilot.trial_room(self.held(ahead)) };
        let now = Instant::now();
        let at = self.position_at(now);
        let mut step = self.pilot.step(at, remaining, room);
        if self.pilot.wants_company(at.now) {
            self.pilot.saw_company(at, consumers::others(now));
            step = self.pilot.step(at, remaining, room);
        }
        consumers::tell(now, self.pilot.most_busy().map(Duration::from_secs_f64));
        step
    }

    pub(in crate::engine::flow) fn conclude(&mut self, remaining: Remaining) {
        let at = self.position();
        self.pilot.conclude(at, remaining);
    }

    pub(in crate::engine::flow) fn look(&mut self) {
        self.pilot.saw_machine(self.pilot.situation().looked_at());
    }
}
