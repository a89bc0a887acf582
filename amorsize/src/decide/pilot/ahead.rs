//! Items that were pulled before the first one ran, so that others may take them meanwhile: how many, and what becomes
//! of those that nobody has taken. Who takes them is the affair of the [head start](super::head_start).

use crate::decide::early;
use crate::decide::input::Remaining;
use crate::decide::pace;
use crate::decide::verdict::FIRST_BLOCKING_THREADS;

use super::{FIRST_CHUNK, Looped, Mode, Pilot, Position, SMALL_BLOCK};

impl Pilot {
    /// Items that are pulled ahead before the first one begins, for whoever looks in on it. None once anything has run.
    pub(crate) fn items_ahead(&self) -> usize {
        if self.first.head_start.is_none() || self.done + self.in_flight > 0 {
            return 0;
        }
        let waiting = FIRST_BLOCKING_THREADS.min(self.options.max_blocking_threads.get());
        let waiting = self.options.threads.map_or(waiting, usize::from);
        let bytes = self.situation.item_bytes.max(self.options.result_bytes.unwrap_or(0));
        early::items(self.situation.cores.max(waiting), bytes).min(self.trial_room(1))
    }

    /// The first item was pulled, and so many ahead, each in so many seconds.
    pub(crate) fn pulled_ahead(&mut self, ahead: usize, each: f64) {
        self.pulled(1, each);
        self.granted = 1 + ahead;
    }

    /// Whether items that were pulled ahead are tried one by one, after the first one: no thread has taken any.
    pub(crate) fn goes_on_alone(&self) -> bool {
        self.in_flight == 0 && self.holds_one()
    }

    /// Items of a chunk of those that were pulled ahead and no thread has taken.
    pub(crate) fn chunk_ahead(&self, items: usize) -> usize {
        if let Some(pinned) = self.options.chunk_size {
            return pinned.get().min(items);
        }
        let by_time = (FIRST_CHUNK / self.costs.item.max(1e-9)) as usize;
        let by_bytes = SMALL_BLOCK / self.situation.item_bytes.max(1);
        self.in_one_go(by_time.min(by_bytes).clamp(1, items.max(1)))
    }

    /// The plain loop ran some items that were pulled ahead. They are too few to show more than that they are far
    /// dearer than was thought.
    pub(crate) fn looped_ahead(&mut self, ran: Looped, at: Position, remaining: Remaining) {
        let is_dear = ran.items > 0 && ran.seconds > pace::patience(ran.items, self.costs.serial());
        match self.mode {
            Mode::Looping if is_dear => return self.looped(ran, at, remaining),
            Mode::Calibrating if is_dear => self.try_again(),
            _ => {}
        }
        self.done += ran.items as u64;
        self.spent += ran.seconds;
    }

    /// Counts from here once what went ahead is out.
    pub(super) fn leave_ahead_behind(&mut self, at: Position) {
        if self.first.ahead_until.take_if(|until| *until <= at.yielded).is_some() {
            self.tally.grow(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::super::head_start::tests::{ITEMS, begun, came_back, left};
    use super::*;
    use crate::decide::observed::{Clocks, Ran, Runner};
    use crate::decide::pilot::Step;
    use crate::decide::situation::{Owns, Situation};
    use crate::options::Options;

    /// A pilot that has had so many items pulled ahead of the first one, of which the consumer has run that alone, in
    /// so many seconds.
    fn after_first(owns: Owns, ahead: usize, seconds: f64) -> Pilot {
        let mut pilot = begun(Options::default(), Situation { owns, ..Situation::TWO_CORES }, ITEMS);
        pilot.pulled_ahead(ahead, 1e-9);
        came_back(&mut pilot, seconds, Runner::Consumer);
        pilot
    }

    #[test]
    fn what_was_pulled_ahead_is_tried_one_by_one_after_a_cheap_item_that_owns_memory() {
        let after_one_of = |seconds, owns| after_first(owns, 3, seconds).goes_on_alone();
        assert!(after_one_of(1e-6, Owns::Anything));
        assert!(!after_one_of(1e-3, Owns::Anything) && !after_one_of(1e-6, Owns::Nothing));
    }

    #[test]
    fn a_pinned_chunk_size_is_that_of_items_that_were_pulled_ahead_too() {
        let chunk = |chunk_size| {
            let options = Options { chunk_size, ..Options::default() };
            let mut pilot = begun(options, Situation::TWO_CORES, ITEMS);
            pilot.pulled_ahead(63, 1e-9);
            came_back(&mut pilot, 100e-9, Runner::Consumer);
            pilot.chunk_ahead(63)
        };
        assert_eq!([None, NonZeroUsize::new(1), NonZeroUsize::new(70)].map(chunk), [63, 1, 63]);
    }

    #[test]
    fn items_that_turn_out_dear_are_noticed_among_those_that_were_pulled_ahead() {
        for each in [2e-6, 6e-6] {
            let mut pilot = after_first(Owns::Anything, 63, each);
            pilot.waive_head_start();
            let mut ahead = 63;
            let mut seconds = each;
            let plan = loop {
                assert!(ahead > 50, "{each}: {ahead}");
                let at = Position { now: seconds, yielded: 64 - ahead as u64 };
                match pilot.step(at, left(ITEMS - at.yielded), 1) {
                    Step::Try(items) => {
                        let clocks = Clocks::All;
                        let seconds = if pilot.done < 5 { each } else { 120e-6 };
                        assert_eq!(items, 1);
                        pilot.tried(0.0, Ran { items, seconds, clocks, blocked: Some(0.0), ..Ran::default() });
                    }
                    Step::Loop(_) => {
                        let ran = Looped { items: 1, seconds: 120e-6 };
                        pilot.looped_ahead(ran, at, left(ITEMS - at.yielded - 1));
                    }
                    _ => break pilot.plan().cloned(),
                }
                (ahead, seconds) = (ahead - 1, seconds + 120e-6);
            };
            assert_eq!(plan.map(|plan| plan.threads), Some(2), "{each}");
        }
    }
}
