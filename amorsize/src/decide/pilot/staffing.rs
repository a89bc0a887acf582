//! Who runs chunks, and how many wait for them.

use crate::constants::HETEROGENEOUS_CV_THRESHOLD;
use crate::decide::chunks;
use crate::decide::refill::{Refill, There};
use crate::decide::waiting::Waiting;
use crate::options::Order;
use crate::plan::Pool;

use super::{After, Mode, Pilot};

/// Seconds of what the consumer runs alone, at most, before a stretch of the plain loop, where threads seem to be in each
/// other's way: items may have turned out a thousand times dearer than those that made it a few chunks.
const LONGEST_DRAIN: f64 = 5e-3;
/// Part of its time for which a thread wants a processor in vain, from which others use them as well.
const DELAYED: f64 = 0.1;

impl Pilot {
    /// Threads that may run chunks now; 0 where only the consumer does.
    pub(crate) fn concurrency(&self) -> usize {
        if self.is_alone() { 0 } else { self.threads() }
    }

    /// Whether only the consumer runs chunks: threads are in each other's way, or may be.
    fn is_alone(&self) -> bool {
        match self.mode {
            Mode::Draining(After::Probe(_)) => !self.seem_good() && self.in_flight_seconds() < LONGEST_DRAIN,
            Mode::Draining(After::Loop { .. } | After::Doubt(_)) | Mode::Alone(_) => true,
            _ => false,
        }
    }

    /// Whether threads that are about to be checked seem to gain.
    fn seem_good(&self) -> bool {
        self.computing.as_ref().is_some_and(|threads| threads.watch.seems_good())
    }

    /// Seconds that what is in flight will take.
    fn in_flight_seconds(&self) -> f64 {
        self.in_flight as f64 * self.costs.item
    }

    /// How many chunks are pulled now, where so many wait for a thread.
    pub(crate) fn refill(&self, queued: usize, there: There) -> Refill {
        let chunk = self.usual_chunk();
        let consumer = self.costs.consumer * chunk as f64;
        let making = self.costs.item * if self.silence.is_slow_item() { 1.0 } else { chunk as f64 };
        Refill {
            most: Refill::most(there, self.silence, consumer),
            missing: self.chunks_ahead().saturating_sub(queued),
            may_be_away: chunks::spread(&self.costs, chunk) > HETEROGENEOUS_CV_THRESHOLD || self.is_delayed(),
            is_beginning: self.plan.is_none(),
            is_prompt: self.plan.is_some() && !there.has_results && self.silence.is_worth_waiting(making),
            is_made: self.in_flight > 0,
            pulled: 0,
        }
    }

    /// Whether others use the processors, so that one may be without for longer than chunks usually last.
    fn is_delayed(&self) -> bool {
        let watched = self.computing.as_ref().map(|threads| threads.watch.running());
        watched.unwrap_or(self.made.delay.running()) < 1.0 - DELAYED
    }

    /// Seconds for which results are waited for that come before more items.
    pub(crate) fn careful(&self) -> f64 {
        self.silence.careful()
    }

    /// The results that were waited for did not come.
    pub(crate) fn waited_in_vain(&mut self) {
        self.silence.waited_in_vain();
    }

    /// Chunks that are to wait: two for each thread to go on with, or what the consumer runs next where nobody else
    /// may.
    fn chunks_ahead(&self) -> usize {
        if self.is_still_alone() { 1 } else { 2 * self.threads() }
    }

    pub(crate) fn threads(&self) -> usize {
        self.plan.as_ref().map_or_else(|| self.first_threads(), |plan| plan.threads)
    }

    /// Where chunks run, and whether results keep the order of the input.
    pub(crate) fn pool(&self) -> Option<(Pool, bool)> {
        match &self.plan {
            Some(plan) => Some((plan.pool, plan.ordered)),
            None => self.first_pool().map(|pool| (pool, self.options.ordered != Order::Any)),
        }
    }

    /// How the consumer spends its time while it has nothing to yield.
    pub(crate) fn waiting(&self) -> Waiting {
        let is_computing = self.pool().is_some_and(|(pool, _)| pool == Pool::Cpu);
        let waiting = Waiting::on(self.threads(), self.chunk_seconds(), is_computing);
        let helps = waiting.helps && !self.is_about_to_know();
        Waiting { helps: helps || self.is_alone() || self.begins_alone(), ..waiting }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::super::sizes::tests::following;
    use super::*;
    use crate::decide::costs::Costs;
    use crate::decide::input::Remaining;
    use crate::decide::observed::{Delay, Made, Position, Runner};
    use crate::decide::situation::Situation;
    use crate::decide::watch::Progress;
    use crate::options::Options;

    #[test]
    fn what_is_left_before_a_stretch_of_the_loop_is_run_alone_unless_it_takes_long() {
        let at = Position { now: 10e-3, yielded: 60_000 };
        let threads = |item, after| {
            let mut pilot = following(2, Situation::TWO_CORES, Costs::default());
            (pilot.in_flight, pilot.costs.item, pilot.mode) = (400, item, Mode::Draining(after));
            pilot.concurrency()
        };
        assert_eq!(threads(100e-9, After::Probe(at)), 0, "nothing is known of threads");
        assert_eq!(threads(100e-6, After::Probe(at)), 2, "a chunk of dear items, of which nobody knew");
        assert_eq!(threads(100e-6, After::Loop { gain: 0.5 }), 0);
    }

    #[test]
    fn threads_that_seem_to_gain_run_what_is_left_before_a_stretch_of_the_loop() {
        let threads = |gain| {
            let mut pilot = following(2, Situation::TWO_CORES, Costs::default());
            let watch = &mut pilot.computing.as_mut().expect("threads").watch;
            watch.saw(Runner::Thread);
            for now in (1..100).map(|step| f64::from(step) * 1e-3) {
                let produced = (gain * now / watch.plain_item()) as u64;
                watch.judge(Progress { now, produced, worked: 2.0 * now, ..Progress::default() }, 1, 1.0);
            }
            (pilot.in_flight, pilot.mode) = (100, Mode::Draining(After::Probe(Position::default())));
            pilot.concurrency()
        };
        assert_eq!([1.8, 0.5].map(threads), [2, 0]);
    }

    #[test]
    fn where_others_use_the_processors_threads_have_enough_to_go_on_with_while_the_consumer_waits_for_one() {
        let there = There { has_results: false, has_work: false };
        let goes_on = |mut pilot: Pilot, share: f64| {
            for now in (1..100).map(|step| f64::from(step) * 1e-3) {
                let results = (now / pilot.costs.serial()) as u64;
                let made = Made { results, worked: 2.0 * now, delay: Delay::ready(2.0 * share * now, 2.0 * now) };
                pilot.computing.iter_mut().for_each(|threads| threads.watch.saw(Runner::Thread));
                pilot.check(Position { now, yielded: results }, made, Remaining::UNKNOWN);
            }
            let mut refill = pilot.refill(0, there);
            (0..2 * pilot.threads()).for_each(|_| _ = refill.pulled(1e-6));
            refill.goes_on(|| 4e-6)
        };
        let planned = || following(2, Situation::TWO_CORES, Costs::default());
        let pinned = || {
            let two = NonZeroUsize::new(2);
            let options = Options { threads: two, chunk_size: two, pool: Some(Pool::Cpu), ..Options::default() };
            let mut pilot = Pilot::new(options, Situation::TWO_CORES);
            pilot.conclude(Position::default(), Remaining::UNKNOWN);
            pilot
        };
        assert_eq!([0.0, 0.7].map(|share| goes_on(planned(), share)), [false, true]);
        assert_eq!([0.0, 0.7].map(|share| goes_on(pinned(), share)), [false, true]);
    }
}
