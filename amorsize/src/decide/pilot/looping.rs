//! The plain loop: whether it goes on.

use crate::decide::choose;
use crate::decide::costs::{Costs, blend};
use crate::decide::input::Remaining;
use crate::decide::risk;
use crate::decide::situation::Situation;
use crate::decide::timing::Wake;
use crate::decide::verdict::{self, Verdict};
use crate::decide::watch::Undone;
use crate::plan::{Origin, Pool};

use super::{Looped, Mode, Pilot, Position, Settled};

/// Longest seconds of the plain loop between two looks at the clock.
const LONGEST_STRETCH: f64 = 400e-6;
/// Part of the time before from which on the loop gets no faster.
const STEADY: f64 = 0.8;
/// How much of what an item is thought to take comes from the last stretch.
pub(super) const PACE_RATE: f64 = 0.5;
/// Ratio from which a change of item time makes the plan worth another thought; where earlier runs say that nothing
/// beats the plain loop, it takes more; and stretches in a row that must show it, since one may have been interrupted.
const NOTABLE: f64 = 1.5;
const REMARKABLE: f64 = 4.0;
const SURELY_DEAR: u32 = 2;
/// More items than were expected, by one of so many parts of those, make the plan worth another thought, too: what
/// threads may cost is weighed against all of them.
const LONGER: u64 = 4;
/// Threads that lost against the plain loop are tried again divided by this: contention is what most often made them
/// lose.
const FEWER: usize = 4;

impl Pilot {
    /// A stretch of the plain loop: `items` in `seconds`, everything included.
    pub(crate) fn looped(&mut self, ran: Looped, at: Position, remaining: Remaining) {
        let Looped { items, seconds } = ran;
        self.done += items as u64;
        self.spent += seconds;
        let each = seconds / items as f64;
        match self.mode {
            Mode::Calibrating => return self.calibrated(each, at, remaining),
            Mode::Probing(since) => return self.probed(since, ran, at),
            Mode::Doubting(since) => return self.looped_in_doubt(since, ran, at),
            Mode::GivingWay(_) => return self.looped_meanwhile(each),
            _ => {}
        }
        self.stretch = (2.0 * self.stretch).min(LONGEST_STRETCH);
        if self.plan.as_ref().is_some_and(|plan| plan.origin == Origin::Pinned) {
            return;
        }
        let undone = self.computing.as_mut().filter(|threads| threads.watch.is_undone());
        let undone = undone.map(|threads| threads.watch.looped(at.now, items, seconds));
        self.keep_pace(each);
        match undone {
            Some(Undone::GoOn) => {}
            Some(Undone::Over) => self.resume(at),
            Some(Undone::Outdated) => self.try_again(),
            None => self.rethink(each, at, remaining),
        }
    }

    /// The loop took `each` seconds an item. What owns memory is slow at first, while caches and the heap are cold, and
    /// threads would be tried for that: there the loop goes on until it gets no faster.
    fn calibrated(&mut self, each: f64, at: Position, remaining: Remaining) {
        let gets_faster = each < STEADY * self.costs.serial();
        self.costs = self.costs.of_loop(each);
        if gets_faster && self.needs_proof() {
            return;
        }
        if self.wants_look(remaining) {
            self.looks = true;
            return;
        }
        self.decide(at, remaining);
        self.computing.iter_mut().for_each(|threads| threads.watch.see_the_loop());
    }

    /// Expects less of a loop whose items take less than the first ones did: looks at the clock as often as for those
    /// would show.
    fn keep_pace(&mut self, each: f64) {
        let serial = self.costs.serial();
        if each < serial {
            self.costs = self.costs.of_loop(blend(serial, each, PACE_RATE));
            self.settled.serial = self.settled.serial.min(self.costs.serial());
        }
    }

    /// The plain loop goes on, unless items became dearer or the input turned out longer.
    fn rethink(&mut self, each: f64, at: Position, remaining: Remaining) {
        let expected = remaining.expected(self.done);
        let notable = if self.follows { REMARKABLE } else { NOTABLE };
        let settled = &mut self.settled;
        settled.dear_stretches = if each > notable * settled.serial { settled.dear_stretches + 1 } else { 0 };
        let is_dearer = settled.dear_stretches >= SURELY_DEAR;
        let is_longer = expected > self.settled.items.saturating_add(self.settled.items / LONGER);
        if !is_dearer && !is_longer {
            return;
        }
        let dearer = Costs { item: self.costs.item + (each - self.costs.serial()).max(0.0), ..self.costs };
        let items = self.worth_sharing(remaining);
        let pays = self.gain(&dearer, items, expected, &self.situation).is_some();
        if pays && self.situation.is_guess {
            self.looks = true;
            return;
        }
        self.settled = Settled::at(expected, each);
        if pays && is_dearer {
            self.try_again();
        } else if pays {
            self.decide(at, remaining);
        }
    }

    /// Seconds that threads would have saved this run of the plain loop, had they been started, and the machine been
    /// looked at, before it.
    pub(crate) fn forgone(&self) -> f64 {
        let wake = Wake { start: 0.0, ..self.situation.wake };
        let started = Situation { wake, ..self.situation };
        let is_open = wake != self.situation.wake && verdict::pinned_serial(&self.options).is_none();
        if !is_open || self.computing.is_some() || !self.is_looping() {
            return 0.0;
        }
        let gain = self.gain(&self.costs, self.done, self.done, &started);
        gain.map_or(0.0, |gain| choose::saved(&self.costs, gain, self.done))
    }

    /// What threads would gain over so many items, if `expected` items are worth what they risk.
    fn gain(&self, costs: &Costs, items: u64, expected: u64, situation: &Situation) -> Option<f64> {
        let (_, gain) = choose::threads(costs, items, &self.options, situation)?;
        risk::is_worth_it(costs, gain, expected, situation).then_some(gain)
    }

    /// Another attempt at threads after a pause.
    fn resume(&mut self, at: Position) {
        let threads = self.options.threads.map_or((self.refuted / FEWER).max(2), usize::from);
        let progress = self.progress(at);
        self.computing.iter_mut().for_each(|watched| watched.watch.resume(progress, threads));
        let reason = "trying threads again after a pause".into();
        self.adopt(Verdict { pool: Pool::Cpu, threads, gain: 1.0, reason }, self.origin(), at);
    }
}

#[cfg(test)]
mod tests {
    use super::super::trying::tests::{exactly, lead};
    use super::*;
    use crate::decide::situation::Owns;
    use crate::options::Options;

    /// A pilot that has tried a few of so many items, which took 240 ns each.
    fn tried(owns: Owns, items: u64) -> Pilot {
        let mut pilot = Pilot::new(Options::default(), Situation { owns, ..Situation::TWO_CORES });
        lead(&mut pilot, 240e-9, exactly(items));
        pilot
    }

    fn loops(pilot: &mut Pilot, each: f64) {
        let ran = Looped { items: 100, seconds: 100.0 * each };
        pilot.looped(ran, Position { now: 1e-3, yielded: pilot.done + 100 }, exactly(10_000));
    }

    #[test]
    fn a_loop_over_what_owns_memory_is_judged_once_it_gets_no_faster() {
        let judged_after = |owns| {
            let mut pilot = tried(owns, 10_000);
            let mut stretches = [100e-9, 40e-9, 39e-9, 39e-9].into_iter();
            stretches.position(|each| {
                loops(&mut pilot, each);
                pilot.plan().is_some()
            })
        };
        assert_eq!([judged_after(Owns::Anything), judged_after(Owns::Nothing)], [Some(2), Some(0)]);
    }

    #[test]
    fn the_clock_is_looked_at_by_what_items_take_now() {
        let mut pilot = tried(Owns::Anything, 10_000);
        (0..2).for_each(|_| loops(&mut pilot, 240e-9));
        assert!(pilot.plan().is_some() && pilot.is_looping());
        (0..8).for_each(|_| loops(&mut pilot, 30e-9));
        let serial = pilot.costs().serial();
        assert!((29e-9..33e-9).contains(&serial), "{serial}");
        loops(&mut pilot, 300e-9);
        assert_eq!(pilot.costs().serial(), serial, "one may have been interrupted");
    }
}
