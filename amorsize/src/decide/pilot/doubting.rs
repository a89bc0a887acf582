//! Threads that wait: whether they only wait for each other.

use crate::decide::doubt::{Doubt, Shown};
use crate::decide::watch::Progress;

use super::{After, Looped, Mode, Pilot, Position};

impl Pilot {
    /// Whether threads that wait only wait for each other, if that is open.
    fn doubt(&mut self) -> Option<&mut Doubt> {
        self.blocking.as_mut().and_then(|threads| threads.doubt.as_mut())
    }

    /// Looks at what threads that wait have made; whether they may only wait for each other: that is found out at once.
    pub(super) fn raises_doubt(&mut self, progress: Progress) -> bool {
        let (threads, alone) = (self.threads(), self.settled.serial);
        let Some(doubt) = self.doubt() else { return false };
        doubt.judge(threads, progress, alone);
        doubt.is_raised()
    }

    /// What the consumer ran alone while threads that wait, and may only wait for each other, come to their end.
    pub(super) fn check_waiting_alone(&mut self, since: Position, at: Position) {
        match self.blocking.as_mut().and_then(|threads| threads.alone.take()) {
            Some(Shown::Refuted { gain, each }) => {
                self.refute_waiting(each, since);
                self.mode = Mode::Draining(After::Loop { gain });
            }
            kept => self.judge_waiting(kept, since, at),
        }
    }

    /// Threads that waited for each other counted until `until`; a plain loop takes so long for each item.
    fn refute_waiting(&mut self, each: f64, until: Position) {
        // What items took among threads was no time of theirs.
        (self.settled.serial, self.costs.spread) = (each, 0.0);
        self.close_stretch(until);
        self.tally.bound_serial(each);
        self.costs.item = (each - self.costs.source - self.costs.consumer).max(0.0);
    }

    /// A stretch of the plain loop that runs instead of threads which wait, since `since`.
    pub(super) fn looped_in_doubt(&mut self, since: Position, looped: Looped, at: Position) {
        let shown = self.doubt().and_then(|doubt| doubt.looped(looped.items, looped.seconds));
        self.judge_waiting(shown, since, at);
    }

    /// What one thread alone has shown of threads that wait: these go on, or are given up.
    fn judge_waiting(&mut self, shown: Option<Shown>, since: Position, at: Position) {
        match shown {
            None => {}
            Some(Shown::Refuted { gain, each }) => {
                self.refute_waiting(each, since);
                self.adopt_loop(gain, at);
            }
            Some(Shown::Kept { each }) => {
                self.growth().into_iter().for_each(|growth| growth.restart(at.now, at.yielded, each));
                self.go_on(since, at, self.progress(at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::input::Remaining;
    use crate::decide::observed::{Clocks, Made, Ran, Runner};
    use crate::decide::pilot::Step;
    use crate::decide::situation::Situation;
    use crate::options::Options;
    use crate::plan::Pool;

    #[test]
    fn threads_that_wait_for_one_lock_are_given_up_and_remembered_as_what_they_were() {
        const ALONE: f64 = 1e-3;
        let left = |items| Remaining { lower: items, upper: Some(items) };
        let waiting = |seconds: f64, runner| Ran {
            items: 1,
            seconds,
            clocks: Clocks::All,
            blocked: Some(0.99),
            result_bytes: 8,
            runner,
            ..Ran::default()
        };
        let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
        let mut yielded = 0;
        while let Step::Try(_) = pilot.step(Position::default(), left(1_000), usize::MAX) {
            pilot.tried(0.0, waiting(ALONE, Runner::Consumer));
            yielded += 1;
        }
        let threads = pilot.threads();
        assert!(threads > 32 && pilot.plan().is_some_and(|plan| plan.pool == Pool::Blocking));
        let mut runner = Runner::Thread;
        while !matches!(pilot.mode, Mode::Draining(After::Loop { .. })) {
            let seconds = if runner == Runner::Alone { ALONE } else { threads as f64 * ALONE };
            pilot.pulled(1, 1e-9);
            pilot.ran(waiting(seconds, runner));
            yielded += 1;
            let at = Position { now: yielded as f64 * ALONE, yielded };
            pilot.check(at, Made { results: yielded, ..Made::default() }, left(1_000));
            runner = if pilot.concurrency() == 0 { Runner::Alone } else { Runner::Thread };
            assert!(yielded < 100);
        }
        let at = Position { now: yielded as f64 * ALONE, yielded };
        pilot.drained(at);
        assert!(matches!(pilot.step(at, left(900), 1_000), Step::Loop(_)));
        let [stretch] = &pilot.finish(at)[..] else { panic!() };
        assert!((0.9..1.1).contains(&(stretch.serial / ALONE)), "{stretch:?}");
    }
}
