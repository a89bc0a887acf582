//! The first items: timed, and then decided upon.

use crate::decide::climb::Climb;
use crate::decide::costs::{Costs, Spread, blend};
use crate::decide::input::{PLENTY, Remaining};
use crate::decide::trial::Trial;
use crate::decide::verdict::{self, Verdict};
use crate::decide::waiting::FEW_THREADS;
use crate::plan::Pool;

use super::employing::Computing;
use super::{FIRST_CHUNK, FIRST_STRETCH, Mode, Pilot, Position, Prior, Ran, Step};

/// Ratio of measured and expected item time within which a doubtful prediction is followed.
const BORNE_OUT: f64 = 3.0;
/// Seconds of the plain loop, and bytes, up to which it makes no difference how large the machine is.
const SMALL: f64 = 1e-3;
const SMALL_BYTES: f64 = 1048576.0;
/// Part of the time spent so far that waking a thread may cost without anything to do for it.
const AFFORDABLE: f64 = 0.05;
/// Seconds of an item from which reading clocks around each hardly shows.
const WORTH_RUNNING_FIRST: f64 = 1e-6;
/// Seconds of an item below which a single one, run after the clocks were read, seems to take half as much again.
const TOLD_BY_ONE: f64 = 2e-6;
/// Items that a function which waits is expected to get where nothing is known.
const MANY: u64 = 256;

impl Pilot {
    /// Keeps in mind what earlier runs say without much confidence: the trial decides whether to believe it.
    pub(crate) fn consider(&mut self, prior: Prior) {
        self.doubted = Some(Box::new(prior));
    }

    /// What to do next while the first items are timed, if they still are.
    pub(super) fn step_of_trial(&mut self, at: Position, remaining: Remaining, room: usize) -> Option<Step> {
        let Mode::Trying(trial) = &self.mode else { return None };
        let comes_first = self.comes_before_waiting(remaining);
        let remaining = remaining.and(self.in_flight);
        let needs_trial = self.plan.is_some() || !self.needs_no_trial();
        let has_more = room > 0 || (self.first.head_start.is_some() && self.in_flight > 0);
        let batch = self.next_tried(trial).filter(|_| needs_trial && has_more);
        let is_cheap = needs_trial && self.is_too_cheap_to_know();
        self.count_on_woken(at.now);
        match batch {
            Some(_) if self.first.head_start.is_some() => return Some(Step::Parallel),
            Some(_) if comes_first => return Some(self.grant(1)),
            Some(batch) => return Some(self.grant(batch.min(room))),
            None if self.wants_look(remaining) => return Some(Step::Look),
            None if self.ends_head_start_first(is_cheap, remaining) => return Some(Step::Parallel),
            None if is_cheap => self.mode = Mode::Calibrating,
            None => self.decide(at, remaining),
        }
        self.end_head_start();
        None
    }

    /// Items of the next batch of a trial; none once enough is known. Where something else tells what they take, each
    /// is one of its own: see [`holds_one`](Self::holds_one).
    pub(super) fn next_tried(&self, trial: &Trial) -> Option<usize> {
        trial.next().map(|items| self.in_one_go(items))
    }

    /// Whether an item that was pulled is run before more is, since there may be nothing more for a long time. Not the
    /// cheapest ones: pulled one by one, those would be thought to take less than the source and the consumer.
    pub(super) fn comes_before_waiting(&self, remaining: Remaining) -> bool {
        remaining.lower == 0 && self.costs.item >= WORTH_RUNNING_FIRST
    }

    /// Items that are run in one go: so many, or one where each is on its own.
    pub(super) fn in_one_go(&self, items: usize) -> usize {
        if self.holds_one() { 1 } else { items }
    }

    /// Whether each of the first results is yielded before the next one is made, as in the plain loop. Blocks that were
    /// held at the same time and are free again make all that follows slower: glibc moves seven of them to where a
    /// thread finds them at once, and back, for each result of more than seven of one size.
    pub(crate) fn holds_one(&self) -> bool {
        self.needs_proof() && !self.is_pinned_parallel()
    }

    /// Whether what the consumer runs now is run as in the plain loop, for the reason that
    /// [`holds_one`](Self::holds_one) has.
    pub(crate) fn is_like_loop(&self) -> bool {
        self.holds_one() && (self.plan.is_none() || self.is_looping())
    }

    fn grant(&mut self, items: usize) -> Step {
        self.granted += items;
        Step::Try(items)
    }

    /// Items that may be in flight now, to be shown.
    pub(crate) fn bound_now(&self) -> usize {
        if self.plan.is_some() { self.window() } else { self.most_held() }
    }

    /// Most items that may have been held before the first plan.
    pub(super) fn most_held(&self) -> usize {
        self.granted.max((self.done + self.in_flight) as usize)
    }

    /// A trial batch, pulled in `source` seconds.
    pub(crate) fn tried(&mut self, source: f64, ran: Ran) {
        self.costs.source = source / ran.items as f64;
        self.spent += source;
        if let Mode::Trying(trial) = &mut self.mode {
            trial.pulled(source);
        }
        self.first.saw_alone(&ran);
        self.saw_first(ran);
    }

    pub(super) fn saw_first(&mut self, ran: Ran) {
        let enough_below = if self.holds_one() { self.loop_tells_below() } else { 0.0 };
        let blocked = self.waits.outside(ran, self.situation.processors);
        let Mode::Trying(trial) = &mut self.mode else { return };
        trial.observe(ran.items, ran.seconds, ran.clocks, blocked);
        trial.end_below(enough_below);
        self.spread.add(ran.items, ran.each());
        self.costs.item = trial.item_time();
        self.costs.result_bytes = blend(self.costs.result_bytes, self.bytes(ran), 0.5);
        self.costs.spread = self.spread.coefficient();
        if let Some(blocked) = blocked {
            self.costs.blocked = blocked;
        }
        self.done += ran.items as u64;
        self.spent += ran.seconds;
    }

    /// Whether it takes a look at the machine to decide: not where the rest is expected to be over soon, and hardly
    /// pays for threads. Of an input of unknown length the plain loop asks again while it goes on.
    pub(super) fn wants_look(&self, remaining: Remaining) -> bool {
        self.situation.is_guess && {
            let verdict = self.verdict(remaining);
            verdict.pool != Pool::Serial || !self.is_small(&self.costs, remaining.expected(self.done))
        }
    }

    /// Whether a recommendation for what remains has to be made again after a look at the machine.
    pub(crate) fn is_guess(&self, prior: &Prior, remaining: Remaining) -> bool {
        let items = remaining.exact().unwrap_or(prior.items);
        self.situation.is_guess && (prior.verdict.pool != Pool::Serial || !self.is_small(&prior.costs, items))
    }

    /// Whether so many items take next to no time and room.
    fn is_small(&self, costs: &Costs, items: u64) -> bool {
        let (items, bytes) = (items as f64, self.situation.bytes_each(costs));
        items * costs.serial() <= SMALL && items * bytes <= SMALL_BYTES
    }

    pub(super) fn try_again(&mut self) {
        self.chunk_limit = 1;
        self.stretch = FIRST_STRETCH;
        self.mode = Mode::Trying(Trial::new(self.options.sample_size));
    }

    /// Chooses between the plain loop and threads with what is known now.
    pub(super) fn decide(&mut self, at: Position, remaining: Remaining) {
        let expected = remaining.expected(self.done);
        self.spread = Spread::default();
        if matches!(self.mode, Mode::Trying(_) | Mode::Calibrating) {
            let first = (FIRST_CHUNK / self.costs.item.max(1e-9)) as usize;
            self.chunk_limit = self.chunk_limit.max(first);
            self.skip_first(at);
        }
        if let Some(prior) = self.doubted.take().filter(|prior| is_like(self.costs.item, prior.costs.item)) {
            let items = remaining.exact().unwrap_or(prior.items.max(expected));
            self.chunk_limit = self.chunk_limit.max(prior.chunk_size);
            return self.follow(*prior, self.origin(), items, at);
        }
        let items = remaining.upper.unwrap_or(PLENTY);
        let verdict = self.verdict(remaining);
        let verdict = verdict::beginning(verdict, &self.costs, items, &self.options, self.situation.wake);
        if verdict.threads <= FEW_THREADS && !self.is_too_cheap_to_know() {
            // So much is known of items by now. Many threads would begin with so much more that is not; and cheap items
            // are most easily disturbed, which shows once a chunk comes back.
            self.chunk_limit = self.chunk_limit.max(2 * self.done as usize);
        }
        self.settle(verdict, self.origin(), expected, at);
        self.begin_climb();
        self.hold_against_undisturbed();
    }

    /// Threads that had some of the first items are held against those that ran before any of them had begun: the
    /// others may have been in each other's way. A cheap one on its own seems to take longer than it does.
    fn hold_against_undisturbed(&mut self) {
        let shares_first = self.shares_first();
        let around = self.costs.source + self.costs.consumer;
        let Some(Computing { watch, .. }) = self.computing.as_deref_mut() else { return };
        self.first.blocked.into_iter().for_each(|blocked| watch.is_blocked_alone(blocked.into()));
        if !shares_first {
            return;
        }
        if self.costs.item < TOLD_BY_ONE {
            watch.assume_the_loop();
        } else {
            let alone = self.first.alone;
            watch.expect_undisturbed(alone.mean().map(|item| item + around), alone.are_alike());
        }
    }

    /// Lets the threads that begin become more, if they are watched.
    pub(super) fn begin_climb(&mut self) {
        let climb = Climb::new(self.threads(), self.costs.item);
        if let Some(threads) = &mut self.computing {
            threads.climb = Some(climb);
        }
    }

    /// What suits the rest. Whether threads pay is asked for the items that are expected. How many is another question:
    /// where the end is not known, those that find nothing to do are never woken.
    pub(super) fn verdict(&self, remaining: Remaining) -> Verdict {
        let reach = |items| verdict::reach(&self.costs, items, &self.options, &self.situation);
        let verdict = reach(self.worth_sharing(remaining));
        let verdict = match (verdict.pool, remaining.exact()) {
            (Pool::Cpu, None) => reach(remaining.upper.unwrap_or(PLENTY)),
            _ => verdict,
        };
        if self.is_pinned_parallel() {
            return verdict;
        }
        verdict::if_worth_the_risk(verdict, &self.costs, remaining.expected(self.done), &self.situation)
    }

    /// Items to choose threads for. Where it is open how many there are, threads are tried as soon as it costs next to
    /// nothing if there turn out to be no items for them.
    pub(super) fn worth_sharing(&self, remaining: Remaining) -> u64 {
        let expected = remaining.expected(self.done);
        let most = remaining.upper.unwrap_or(u64::MAX);
        let wake = self.situation.wake;
        match remaining.exact() {
            Some(_) => expected,
            None if wake.start + wake.call <= AFFORDABLE * self.spent => PLENTY.min(most),
            None if verdict::is_blocking(&self.costs, &self.options) => expected.max(MANY).min(most),
            None => expected,
        }
    }
}

/// Whether a trial bears out the item time that was expected.
fn is_like(measured: f64, expected: f64) -> bool {
    (1.0 / BORNE_OUT..BORNE_OUT).contains(&(measured / expected))
}

#[cfg(test)]
pub(super) mod tests;
