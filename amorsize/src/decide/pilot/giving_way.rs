//! Threads give way to other streams of this process: the plain loop runs instead, under the same plan.

use crate::decide::company;
use crate::decide::costs::blend;
use crate::decide::verdict::BLOCKING_SHARE;

use super::employing::Computing;
use super::looping::PACE_RATE;
use super::{After, Mode, Pilot, Position};

/// Seconds for which a consumer may be busy with something else, beside what it is known to do.
const SHORT_BREAK: f64 = 1e-3;
/// How many times as long as it should it may take, and seconds of the longest time.
const LATE: f64 = 2.0;
const LONGEST_BUSY: f64 = 1.0;

impl Pilot {
    /// Seconds from now for which the consumer is at work, at most, before it can be heard of again; `None` if it waits
    /// for most of that.
    pub(crate) fn most_busy(&self) -> Option<f64> {
        if self.costs.blocked > BLOCKING_SHARE {
            return None;
        }
        let known = if self.is_looping() { self.stretch() as f64 * self.costs.serial() } else { self.chunk_seconds() };
        Some((SHORT_BREAK + LATE * known).min(LONGEST_BUSY))
    }

    /// Whether the next step wants to know how many other streams are at work.
    pub(crate) fn wants_company(&self, now: f64) -> bool {
        let is_concerned = matches!(self.mode, Mode::Parallel | Mode::GivingWay(_));
        is_concerned && self.computing.as_ref().is_some_and(|threads| threads.company.is_due(now))
    }

    /// So many other threads of this process are consumers of streams, and at work.
    pub(crate) fn saw_company(&mut self, at: Position, others: usize) {
        let is_full = company::is_full(self.situation.cores, others);
        let Some(Computing { company, .. }) = self.computing.as_deref_mut() else { return };
        match self.mode {
            Mode::Parallel if company.gives_way(at.now, is_full) => {
                let has_begun = self.in_flight > 0;
                self.mode = if has_begun { Mode::Draining(After::GiveWay(at)) } else { Mode::GivingWay(at) };
                self.tell_company("threads give way to other streams of this process", at);
            }
            Mode::GivingWay(since) if company.goes_on(at.now, is_full) => {
                self.go_on(since, at, self.progress(at));
                self.tell_company("threads go on after other streams of this process", at);
            }
            _ => {}
        }
    }

    /// A stretch of the plain loop that runs instead of threads.
    pub(super) fn looped_meanwhile(&mut self, each: f64) {
        self.costs = self.costs.of_loop(blend(self.costs.serial(), each, PACE_RATE));
    }

    fn tell_company(&self, what: &'static str, Position { now: seconds, yielded }: Position) {
        tracing::debug!(target: "amorsize", function = self.function, seconds, yielded, "{what}");
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::super::sizes::tests::following;
    use super::*;
    use crate::decide::costs::Costs;
    use crate::decide::input::Remaining;
    use crate::decide::observed::{Looped, Made, Ran};
    use crate::decide::pilot::Step;
    use crate::decide::situation::Situation;
    use crate::options::Options;
    use crate::plan::Pool;

    const ITEM: f64 = 10e-6;

    fn begun() -> Pilot {
        following(2, Situation::TWO_CORES, Costs::default())
    }

    fn at(yielded: u64) -> Position {
        Position { now: yielded as f64 * ITEM, yielded }
    }

    fn step(pilot: &mut Pilot, at: Position, others: usize) -> Step {
        if pilot.wants_company(at.now) {
            pilot.saw_company(at, others);
        }
        pilot.step(at, Remaining::UNKNOWN, usize::MAX)
    }

    /// Runs so many items as a plain loop, from where the pilot is.
    fn loops(pilot: &mut Pilot, items: usize) -> Position {
        let end = at(pilot.done + items as u64);
        pilot.looped(Looped { items, seconds: items as f64 * ITEM }, end, Remaining::UNKNOWN);
        end
    }

    fn recorded(pilot: &mut Pilot, at: Position) -> Vec<(Pool, u64)> {
        pilot.finish(at).iter().map(|stretch| (stretch.plan.pool, stretch.items)).collect()
    }

    #[test]
    fn threads_give_way_before_they_begin_and_go_on_once_the_others_are_gone() {
        let mut pilot = begun();
        assert!(matches!(step(&mut pilot, at(0), 1), Step::Loop(_)));
        let end = loops(&mut pilot, 300);
        assert!(matches!(step(&mut pilot, end, 1), Step::Loop(_)));
        let steps = [0, 0].map(|others| {
            let end = loops(&mut pilot, 300);
            step(&mut pilot, end, others) == Step::Parallel
        });
        assert_eq!(steps, [false, true]);
        assert_eq!(pilot.plan().map(|plan| plan.pool), Some(Pool::Cpu), "the plan is what it was");
        assert_eq!(step(&mut begun(), at(0), 0), Step::Parallel);
    }

    #[test]
    fn threads_that_have_begun_finish_what_they_have() {
        let mut pilot = begun();
        assert_eq!(step(&mut pilot, at(0), 0), Step::Parallel);
        pilot.pulled(200, 1e-6);
        let steps = [200, 400, 600].map(|now| step(&mut pilot, Position { now: now as f64 * ITEM, yielded: 0 }, 1));
        assert_eq!((steps, pilot.window(), pilot.concurrency()), ([Step::Parallel; 3], 0, 2));
        pilot.drained(at(600));
        assert!(matches!(step(&mut pilot, at(600), 1), Step::Loop(_)));
    }

    #[test]
    fn a_run_that_gave_way_is_recorded_as_the_plain_loop_it_was_and_one_that_had_threads_as_what_they_did() {
        let mut pilot = begun();
        step(&mut pilot, at(0), 1);
        let end = loops(&mut pilot, 300);
        assert_eq!(recorded(&mut pilot, end), [(Pool::Serial, 300)]);
        let mut pilot = begun();
        step(&mut pilot, at(0), 0);
        pilot.pulled(100, 1e-6);
        pilot.ran(Ran { items: 100, seconds: 100.0 * ITEM, result_bytes: 8, ..Ran::default() });
        let made = Made { results: 100, worked: 100.0 * ITEM, ..Made::default() };
        pilot.check(at(100), made, Remaining::UNKNOWN);
        (1..=3).for_each(|look| _ = step(&mut pilot, at(100 + 100 * look), 1));
        pilot.drained(at(400));
        let end = loops(&mut pilot, 600);
        assert_eq!(recorded(&mut pilot, end), [(Pool::Cpu, 400)]);
    }

    #[test]
    fn threads_that_were_asked_for_and_those_that_wait_stay() {
        let two = NonZeroUsize::new(2);
        for (threads, pool) in [(two, None), (None, Some(Pool::Cpu)), (None, Some(Pool::Blocking))] {
            let mut pilot = Pilot::new(Options { threads, pool, ..Options::default() }, Situation::TWO_CORES);
            pilot.conclude(at(0), Remaining::UNKNOWN);
            assert!(!pilot.wants_company(0.0) && begun().wants_company(0.0));
        }
    }

    #[test]
    fn a_consumer_is_at_work_for_as_long_as_its_items_take_unless_it_waits() {
        let busy = |item, blocked| {
            let mut pilot = begun();
            step(&mut pilot, at(0), 1);
            pilot.costs = Costs { item, blocked, ..pilot.costs };
            pilot.most_busy()
        };
        assert!(busy(20e-3, 0.0).is_some_and(|seconds| (0.04..0.05).contains(&seconds)));
        assert_eq!((busy(1e9, 0.0), busy(20e-3, 0.9)), (Some(LONGEST_BUSY), None));
    }
}
