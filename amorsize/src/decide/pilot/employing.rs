//! Another number of threads while a run goes on: more as long as they are not in each other's way, or as the input
//! turns out longer. And for how long one is waited for.

use crate::decide::choose;
use crate::decide::climb::Climb;
use crate::decide::company::Company;
use crate::decide::costs::{Costs, Spread};
use crate::decide::doubt::{Doubt, Shown};
use crate::decide::growth::Growth;
use crate::decide::input::{PLENTY, Remaining};
use crate::decide::timing::Patience;
use crate::decide::watch::{Progress, Watch};
use crate::plan::Plan;
use crate::reason::Reason;

use super::{Pilot, Position};

/// Threads that compute, and are watched.
#[derive(Debug)]
pub(super) struct Computing {
    pub(super) watch: Watch,
    pub(super) climb: Option<Climb>,
    pub(super) company: Company,
}

/// Threads that wait.
#[derive(Debug)]
pub(super) struct Blocking {
    pub(super) growth: Option<Growth>,
    /// Whether they only wait for each other.
    pub(super) doubt: Option<Doubt>,
    /// What the last chunk that was run alone has shown of them.
    pub(super) alone: Option<Shown>,
}

impl Blocking {
    /// The consumer ran a chunk alone, in so many seconds.
    pub(super) fn ran_alone(&mut self, items: usize, seconds: f64) {
        self.alone = self.doubt.as_mut().and_then(|doubt| doubt.ran_alone(items, seconds));
    }
}

impl Pilot {
    /// How what is left makes sure of a thread. (Nothing is known of it where all is pinned.)
    pub(crate) fn patience_for_thread(&self, remaining: Remaining) -> Patience {
        let left = remaining.upper.unwrap_or(PLENTY) as f64 * self.costs.serial();
        self.situation.wake.patience(if self.costs.item > 0.0 { left } else { f64::INFINITY })
    }

    /// Threads that are not in each other's way become more, as long as costs call for that.
    pub(super) fn climb(&mut self, at: Position, progress: Progress, remaining: Remaining) {
        if self.ladder().is_some_and(|climb| climb.take_settled(at.yielded)) {
            self.tally.grow(at);
        }
        let Some(each) = self.ladder().and_then(Climb::take_due) else { return };
        let costs = Costs { item: each, ..self.costs };
        let unfinished = (self.done + self.in_flight).saturating_sub(progress.produced);
        let left = remaining.upper.map_or(PLENTY, |left| left.saturating_add(unfinished));
        let Some((wanted, _)) = choose::threads(&costs, left, &self.options, &self.situation) else { return };
        let before = self.threads();
        let begun = progress.produced.saturating_add(before.saturating_mul(self.usual_chunk()) as u64);
        let Some(threads) = self.ladder().and_then(|climb| climb.step(wanted, each, begun)) else { return };
        let gain = choose::gain(&costs, threads, left, &self.options, self.situation.wake);
        self.spread = Spread::default();
        self.employ(threads, gain, Reason::when_read(move || format!("{before} threads were not in each other's way")));
        if let Some(Computing { watch, .. }) = self.computing.as_deref_mut() {
            watch.promise(threads, gain);
            watch.restart(progress);
        }
    }

    /// How threads that compute become more, if they may.
    pub(super) fn ladder(&mut self) -> Option<&mut Climb> {
        self.computing.as_mut().and_then(|threads| threads.climb.as_mut())
    }

    /// How threads that wait become more, if their number is open.
    pub(super) fn growth(&mut self) -> Option<&mut Growth> {
        self.blocking.as_mut().and_then(|threads| threads.growth.as_mut())
    }

    /// Threads that wait become more, or fewer, as throughput grows with them or does not.
    pub(super) fn grow(&mut self, at: Position, remaining: Remaining) {
        let (each, left) = (self.costs.serial(), remaining.expected(self.done));
        let follows_items = self.rate() > 0.0;
        let grown = self.growth().and_then(|growth| {
            let leapt = if follows_items { growth.leap(at.now, at.yielded, each, left) } else { None };
            leapt.or_else(|| growth.check(at.now, at.yielded))
        });
        let Some(threads) = grown else { return };
        self.close_stretch(at);
        self.spread = Spread::default();
        self.plan.iter_mut().for_each(|plan| plan.threads = threads);
        tracing::debug!(target: "amorsize", function = self.function, threads, seconds = at.now, "the number of threads changes: more are tried as long as throughput grows");
    }

    /// An input of unknown length that has outlasted what earlier runs have had gets the threads that no end is worth.
    pub(super) fn outgrow(&mut self, at: Position, remaining: Remaining) {
        let is_open = self.follows && remaining.exact().is_none();
        let Some(Computing { watch, .. }) = self.computing.as_deref_mut().filter(|_| is_open) else { return };
        if self.done <= self.settled.items.saturating_mul(2) {
            return;
        }
        self.settled.items = self.done;
        let threads = self.plan.as_ref().map_or(1, |plan| plan.threads);
        let worth = choose::threads(&self.costs, PLENTY, &self.options, &self.situation);
        if let Some((more, gain)) = worth.filter(|&(more, _)| more > threads) {
            watch.promise(more, gain);
            self.close_stretch(at);
            // More threads may slow each other down: that is no spread of items.
            self.spread = Spread::default();
            let why = move || format!("there are more items than earlier runs had, for {more} threads");
            self.employ(more, gain, Reason::when_read(why));
        }
    }

    /// Goes on with the present plan on so many threads.
    fn employ(&mut self, threads: usize, gain: f64, reason: Reason) {
        let Some((_, buffer_size)) = self.promise else { return };
        let chunk_size = self.fitting(self.wanted_chunk(None, threads), buffer_size, threads);
        let Some(plan) = &self.plan else { return };
        let plan = Plan { threads, chunk_size, expected_speedup: gain, reason, ..Plan::clone(plan) };
        tracing::debug!(target: "amorsize", function = self.function, %plan, "plan, with more threads");
        self.plan = Some(Box::new(plan));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::decide::observed::{Looped, Made, Ran};
    use crate::decide::pilot::{Basis, Prior, Step};
    use crate::decide::situation::Situation;
    use crate::decide::verdict::Verdict;
    use crate::options::Options;
    use crate::plan::{Origin, Pool};

    pub(in crate::decide::pilot) const ITEM: f64 = 20e-6;
    pub(in crate::decide::pilot) const CHUNK: usize = 5;

    /// A run on 64 cores, of so many items, that has begun with threads.
    pub(in crate::decide::pilot) fn started(items: u64) -> (Pilot, Remaining) {
        let remaining = Remaining { lower: items, upper: Some(items) };
        (started_with(remaining, ITEM), remaining)
    }

    fn started_with(remaining: Remaining, item: f64) -> Pilot {
        started_in(Situation { cores: 64, ..Situation::TWO_CORES }, remaining, item)
    }

    pub(in crate::decide::pilot) fn started_in(situation: Situation, remaining: Remaining, item: f64) -> Pilot {
        tried(Pilot::new(Options::default(), situation), remaining, item)
    }

    fn tried(mut pilot: Pilot, remaining: Remaining, item: f64) -> Pilot {
        while pilot.plan().is_none() {
            let step = pilot.step(Position::default(), remaining, usize::MAX);
            match step {
                Step::Try(items) => {
                    let seconds = item * items as f64;
                    pilot.tried(0.0, Ran { items, seconds, blocked: Some(0.0), result_bytes: 8, ..Ran::default() });
                }
                Step::Loop(items) if pilot.plan().is_none() => {
                    let seconds = item * items as f64;
                    pilot.looped(Looped { items, seconds }, Position::default(), remaining);
                }
                _ => {}
            }
        }
        pilot
    }

    #[test]
    fn a_few_long_items_get_a_thread_each_whether_their_number_is_known_or_bounded() {
        let threads = |remaining| started_with(remaining, 1.0).threads();
        assert_eq!(threads(Remaining { lower: 39, upper: Some(39) }), 39);
        assert_eq!(threads(Remaining { lower: 0, upper: Some(39) }), 39);
        assert_eq!(threads(Remaining { lower: 128, upper: Some(128) }), 64, "two rounds are over before a climb");
    }

    #[test]
    fn chunks_that_ran_before_a_step_say_nothing_of_the_threads_after_it() {
        let (mut pilot, remaining) = started(1_000_000);
        let ahead = 1_000;
        let mut chunks = 0;
        let mut accept = |pilot: &mut Pilot| {
            pilot.ran(Ran { items: CHUNK, seconds: ITEM * CHUNK as f64, result_bytes: 8, ..Ran::default() });
            pilot.consumed(CHUNK, 1e-9);
            chunks += 1;
            let done = chunks * CHUNK as u64;
            let made = Made { results: done + ahead, worked: (done + ahead) as f64 * ITEM, ..Made::default() };
            pilot.check(Position { now: chunks as f64 * 1e-6, yielded: done }, made, remaining);
            done
        };
        let mut climbed = 0;
        while pilot.threads() == 16 {
            climbed = accept(&mut pilot) + ahead;
        }
        while accept(&mut pilot) < climbed {
            assert_eq!(pilot.threads(), 32);
        }
        (0..100).for_each(|_| _ = accept(&mut pilot));
        assert_eq!(pilot.threads(), 64);
    }

    /// The threads of a run on 64 cores in which items take so many times as long beside others as alone: at first, and
    /// after some chunks.
    fn threads(inflation: f64) -> (usize, usize) {
        let (pilot, remaining) = started(1_000_000);
        climb(pilot, remaining, inflation)
    }

    fn climb(mut pilot: Pilot, remaining: Remaining, inflation: f64) -> (usize, usize) {
        let first = pilot.threads();
        let seconds = inflation * ITEM * CHUNK as f64;
        for chunks in 1..=200 {
            pilot.ran(Ran { items: CHUNK, seconds, result_bytes: 8, ..Ran::default() });
            pilot.consumed(CHUNK, 1e-9);
            let made = Made { results: chunks * CHUNK as u64, worked: chunks as f64 * seconds, ..Made::default() };
            let at = Position { now: made.worked / pilot.threads() as f64, yielded: made.results };
            pilot.check(at, made, remaining);
        }
        (first, pilot.threads())
    }

    #[test]
    fn chunks_and_windows_without_end_climb_as_well() {
        let max = NonZeroUsize::new(usize::MAX);
        for (chunk_size, buffer_size) in [(max, max), (max, None), (None, max)] {
            for adaptive_chunking in [true, false] {
                let adaptive_chunking = adaptive_chunking.into();
                let options = Options { chunk_size, buffer_size, adaptive_chunking, ..Options::default() };
                let remaining = Remaining { lower: 1_000_000, upper: Some(1_000_000) };
                let situation = Situation { cores: 64, ..Situation::TWO_CORES };
                let pilot = tried(Pilot::new(options, situation), remaining, ITEM);
                assert!(pilot.window() >= pilot.usual_chunk());
                climb(pilot, remaining, 1.0);
            }
        }
    }

    #[test]
    fn an_attempt_climbs_and_a_recommendation_does_not() {
        let items = 1_000_000;
        let threads = |basis| {
            let mut pilot = Pilot::new(Options::default(), Situation { cores: 64, ..Situation::TWO_CORES });
            let verdict = Verdict { pool: Pool::Cpu, threads: 16, gain: 15.0, reason: "".into() };
            let costs = Costs { item: ITEM, ..Costs::default() };
            let origin = Origin::Predicted { confidence: 0.5, samples: 3 };
            pilot.adopt_prior(Prior { verdict, costs, chunk_size: CHUNK, origin, items, basis });
            climb(pilot, Remaining { lower: items, upper: Some(items) }, 1.0)
        };
        assert_eq!((threads(Basis::Attempt), threads(Basis::Runs)), ((16, 64), (16, 16)));
    }

    #[test]
    fn a_quarter_of_many_threads_begins_and_all_follow_unless_they_are_in_each_others_way() {
        assert_eq!(threads(1.0), (16, 64));
        assert_eq!(threads(1.3), (16, 64));
        assert_eq!(threads(10.0).0, 16);
        assert!(threads(10.0).1 <= 16);
    }
}
