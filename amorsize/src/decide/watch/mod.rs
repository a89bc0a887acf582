//! Whether a running parallel plan keeps what it promised, end to end: results a second against the plain loop.
//!
//! Contended locks, memory bandwidth, or results freed by another thread than made them slow down the function and what
//! surrounds it. So the watch compares the rate of results with what the plain loop is thought to do, and when that
//! disappoints it wants a few chunks run *alone*, by the consumer while every thread waits. Then
//!
//! gain = concurrency / inflation,
//!
//! where concurrency is the work done by all threads in a second, and inflation is how much longer a chunk takes beside
//! others than alone. Concurrency is exact, whatever the items; only inflation compares different items, and threads
//! are refuted only where it is beyond doubt ([`Shift`](super::shift::Shift)). If the items alone are not like those
//! that were expected, threads get a second chance right after, on items that follow. Where all items are alike, the
//! rates themselves are compared: a lock that one thread keeps while the others wait makes few chunks take very long,
//! which no median shows. Cheap items are held against a stretch of the plain loop itself, which is faster than a chunk
//! alone. Where others use the processors as well, all this is in seconds for which the loop would have one; where it
//! is open how many those are and the verdict depends on it, a check goes on until chunks alone have shown it. Checks
//! get rarer each time they find the plan right. Where inflation is high, whatever the gain, fewer threads go on.
//!
//! Threads that may lose because of [memory](super::risk), and those that have lost before, are on probation
//! until a check has confirmed them: they get little to do, and one bad epoch is enough. What the plain loop takes
//! depends on the state of the heap there, so it is run itself, and a confirmation counts for a while only.
//!
//! - here: what is known of a plan
//! - [`epoch`]: how threads do in an epoch, and when a check is wanted
//! - [`since`]: what threads did in an epoch
//! - [`check`]: what a check shows
//! - [`undone`]: the plain loop after threads were undone

mod check;
mod epoch;
mod since;
mod undone;

use super::costs::{Costs, Spread};
use super::observed::{Delay, Runner};
use super::shift::Times;

pub(crate) use check::ALONE;
use check::{ALIKE, Check, Rest};
pub(crate) use since::Progress;
use since::{Since, Sum};
use undone::Pause;
pub(crate) use undone::Undone;

/// Shortest seconds of a first judgement: some times the start-up of a pool.
const FIRST_EPOCH: f64 = 400e-6;
/// Gain below which threads are surely a loss.
const LOSS: f64 = 0.97;
/// Part of the promised gain that is accepted without a check.
const ACCEPTED_PART: f64 = 0.5;
/// Standard errors that exclude chance (one-sided 95 %).
const SURE: f64 = 1.645;
/// Seconds of an item below which its way through a chunk shows, so that a stretch of the plain loop is the only
/// measure; what takes so little is also most easily disturbed by other threads, and is always checked.
pub(crate) const CHEAP: f64 = 250e-9;
/// Seconds of an item below which a stretch of the plain loop is the only measure where memory may matter: the loop
/// frees each result before it makes the next, which keeps it in the cache, and a chunk does not.
pub(crate) const FREED_AT_ONCE: f64 = 5e-6;
/// Shortest seconds of a stretch of the plain loop that is a measure, and items of one that takes longer.
pub(crate) const PROBE: f64 = 200e-6;
pub(crate) const PROBE_ITEMS: f64 = 100.0;
/// The most of its time for which a function that computes is blocked.
const MOST_BLOCKED: f64 = 0.9;
/// Coefficient of variation below which a few items stand for all.
const EVEN: f64 = 0.5;

/// What a running plan is thought of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Judgement {
    /// Nothing new: what is being done goes on.
    GoOn,
    /// A few chunks are to be run alone.
    Check,
    /// The check is over: the parallel plan is better, as far as can be told, or gets another chance.
    Kept,
    /// The parallel plan reached only so much of the plain loop.
    Refuted { gain: f64 },
    /// Threads are in each other's way so much that fewer do as well or better.
    Crowded(Crowd),
}

/// Too many threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Crowd {
    /// Threads that are to go on.
    pub(crate) threads: usize,
    /// How many times longer an item takes than alone, and seconds that it takes there.
    pub(crate) inflation: f64,
    pub(crate) alone: f64,
}

/// The state of watching.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    threads: usize,
    /// Whether the plain loop is preferred as long as nothing is clear.
    needs_proof: bool,
    /// Seconds that an attempt at threads costs if it fails.
    at_risk: f64,
    /// Seconds an item of the plain loop.
    baseline: f64,
    /// Gain from which no check is needed.
    accepted: f64,
    since: Since,
    epoch: f64,
    /// What threads did in the epochs that count: the last one, or all since the first that disappointed.
    observed: Sum,
    /// A first epoch has disappointed; the next one decides.
    is_suspect: bool,
    /// The last epoch seemed to be a loss, whether chance explains that or not.
    seemed_a_loss: bool,
    /// A check has confirmed the plan as it is.
    is_proven: bool,
    /// Earlier runs have confirmed the plan.
    is_trusted: bool,
    /// A check has undone the plan before.
    has_lost: bool,
    /// What the plain loop takes is not known well.
    is_assumed: bool,
    /// What the plain loop takes was only seen beside threads.
    is_unseen: bool,
    /// The part of its time for which the plain loop is blocked, where that is known.
    blocked_alone: Option<f64>,
    /// A stretch of the plain loop has shown what it takes, right before threads began.
    has_seen_loop: bool,
    /// An epoch since the plan began was good.
    was_good: bool,
    /// Time since which threads may have been a loss: the end of the last good epoch.
    losing_since: f64,
    /// How much longer work takes beside so many threads than in the plain loop, once a check has told.
    inflation: Option<(usize, f64)>,
    rest: Rest,
    /// A thread has run a chunk since counting began: what was before that only started the pool.
    is_manned: bool,
    /// Results that do not count, whenever threads begin anew, and those after which counting begins.
    warm_up: u64,
    counts_from: u64,
    /// Chunks beside others.
    beside: Times,
    /// The spread of items in the present epoch. That of a longer time would also show that threads get in each other's
    /// way.
    spread: Spread,
    checking: Check,
    pause: Pause,
}

impl Watch {
    pub(crate) fn new(at: Progress, threads: usize, baseline: f64, promised: f64) -> Self {
        Self {
            threads,
            needs_proof: false,
            at_risk: 0.0,
            baseline,
            accepted: accepted(promised),
            since: Since::new(at, threads as f64),
            epoch: FIRST_EPOCH,
            observed: Sum::plain(1, baseline),
            is_suspect: false,
            seemed_a_loss: false,
            is_proven: false,
            is_trusted: false,
            has_lost: false,
            is_assumed: false,
            is_unseen: false,
            blocked_alone: None,
            has_seen_loop: false,
            was_good: false,
            losing_since: at.now,
            inflation: None,
            rest: Rest::from(at.now),
            is_manned: false,
            warm_up: 0,
            counts_from: 0,
            beside: Times::default(),
            spread: Spread::default(),
            checking: Check::default(),
            pause: Pause::default(),
        }
    }

    /// Threads that put so many seconds at risk. The plain loop is preferred as long as nothing is clear, and they are
    /// checked once whatever they seem to gain: the first items, which the plain loop was measured on, take longer
    /// where memory is allocated.
    pub(crate) fn risking(self, seconds: f64) -> Self {
        let needs_proof = seconds > 0.0;
        Self { needs_proof, is_assumed: needs_proof, at_risk: seconds, ..self }
    }

    /// A stretch of the plain loop has just shown what it takes.
    pub(crate) fn see_the_loop(&mut self) {
        self.has_seen_loop = true;
    }

    /// What the plain loop takes is not known well.
    pub(crate) fn assume_the_loop(&mut self) {
        self.is_assumed = true;
    }

    /// Of the items that tell what the plain loop takes, those that ran before any thread did took so many seconds
    /// each, if there were some, and `are_alike`; the others ran beside threads, which may be in their way.
    pub(crate) fn expect_undisturbed(&mut self, alone: Option<f64>, are_alike: bool) {
        self.is_unseen = alone.is_none_or(|alone| self.baseline > ALIKE * alone);
        self.baseline = alone.filter(|_| are_alike).map_or(self.baseline, |alone| self.baseline.min(alone));
    }

    /// The process may get so many processors' worth of time, not one for each thread.
    pub(crate) fn on(self, processors: f64) -> Self {
        Self { since: self.since.on(processors), ..self }
    }

    /// So many results are made before threads are judged, whenever they begin anew.
    pub(crate) fn after(self, warm_up: u64, at: Progress) -> Self {
        let counts_from = at.produced + warm_up;
        Self { warm_up, counts_from, ..self }
    }

    /// What the plain loop takes is known from earlier runs, and perhaps that threads do well.
    pub(crate) fn know_the_loop(&mut self, is_trusted: bool) {
        (self.is_assumed, self.is_trusted) = (false, is_trusted);
    }

    /// Notes who has run a chunk.
    pub(crate) fn saw(&mut self, runner: Runner) {
        self.is_manned |= runner == Runner::Thread;
    }

    /// The consumer had a processor for a part of a chunk that it ran alone.
    pub(crate) fn saw_alone(&mut self, delay: Delay) {
        self.since.ran_alone(delay);
        self.checking.delay += delay;
        self.blocked_alone = Some(1.0 - self.checking.delay.unblocked());
    }

    /// For so much of its time the plain loop is blocked.
    pub(crate) fn is_blocked_alone(&mut self, share: f64) {
        self.blocked_alone = Some(share);
    }

    /// The part of its time for which a thread has had a processor of late.
    pub(crate) fn running(&self) -> f64 {
        self.since.running()
    }

    /// The part of its time for which the plain loop is blocked, if that is known.
    pub(crate) fn blocked_alone(&self) -> Option<f64> {
        self.blocked_alone
    }

    /// The part of its time for which the plain loop is not blocked.
    fn unblocked(&self) -> f64 {
        1.0 - self.blocked_alone.unwrap_or(0.0).min(MOST_BLOCKED)
    }

    /// The part of threads' work that the plain loop would have had, too: for the rest they waited for each other.
    pub(crate) fn own_part(&self, delay: Delay) -> f64 {
        (delay.unblocked() / self.unblocked()).min(1.0)
    }

    /// A chunk of `items` has taken `each` seconds of a processor an item, with what the source and the consumer took
    /// for them.
    pub(crate) fn saw_chunk(&mut self, items: usize, each: f64, runner: Runner) {
        if runner == Runner::Alone {
            self.checking.ran_alone(items, each);
        } else {
            self.checking.after.as_mut().unwrap_or(&mut self.beside).add(each);
            self.spread.add(items, each);
        }
    }

    /// Whether threads are held against a stretch of the plain loop, where an item has so many seconds: beside others,
    /// who may make it much dearer than it is there.
    pub(crate) fn needs_probe(&self, item: f64) -> bool {
        item.min(self.baseline) < known_by_loop_below(self.needs_proof)
    }

    /// Whether there is reason to think that threads are a loss, which no check has refuted so far.
    pub(crate) fn is_on_probation(&self) -> bool {
        (self.has_lost || (self.needs_proof && !self.is_trusted)) && !self.is_proven
    }

    /// Another number of threads promises another gain.
    pub(crate) fn promise(&mut self, threads: usize, gain: f64) {
        self.change(threads, accepted(gain));
    }

    /// So many threads are to reach so much from now on.
    fn change(&mut self, threads: usize, accepted: f64) {
        self.threads = threads;
        self.accepted = accepted;
        self.is_proven = false;
        self.beside.clear();
    }

    /// Tries so many threads after a pause.
    pub(crate) fn resume(&mut self, at: Progress, threads: usize) {
        self.threads = threads;
        self.restart(at);
    }

    /// Starts counting anew, after a stretch that does not count. What the plain loop did meanwhile is what threads are
    /// held against from now on.
    pub(crate) fn restart(&mut self, at: Progress) {
        if let Some((_, sum)) = self.pause.undone.take().filter(|(_, sum)| sum.items > 0) {
            // The loop's own delays are not known: others want the processors as they did before, or do not any more.
            self.baseline = self.since.loop_share().likely * sum.each();
            self.is_assumed = true;
            self.losing_since = at.now;
        }
        self.since.skip(at);
        self.counts_from = at.produced + self.warm_up;
        (self.is_suspect, self.seemed_a_loss) = (false, false);
        self.is_manned = false;
    }

    /// Seconds an item of the plain loop that nobody disturbs.
    pub(crate) fn plain_item(&self) -> f64 {
        self.baseline
    }

    /// Seconds on the clock for an item of the plain loop, as well as is known, where so many threads measured `costs`.
    pub(crate) fn serial(&self, costs: &Costs, threads: usize, at: Progress) -> f64 {
        let share = self.since.loop_share().likely;
        let beside_others = costs.serial() / share;
        match self.inflation {
            Some((among, inflation)) if among == threads => beside_others * self.since.running() / inflation,
            _ => {
                let own = at.delay.running() * self.own_part(at.delay);
                plain(self.baseline / share, beside_others * own, costs.spread)
            }
        }
    }
}

/// Seconds of an item below which only the plain loop itself tells what it takes, and not chunks alone.
pub(crate) fn known_by_loop_below(needs_proof: bool) -> f64 {
    if needs_proof { FREED_AT_ONCE } else { CHEAP }
}

fn accepted(promised: f64) -> f64 {
    1.0 + ACCEPTED_PART * (promised - 1.0).max(0.0)
}

/// The plain loop's seconds for an item, from the few that were run alone and from what running threads measured: the
/// former stand for all only if all are alike, the latter can only be too high.
pub(crate) fn plain(alone: f64, beside_others: f64, spread: f64) -> f64 {
    if spread < EVEN { alone.min(beside_others) } else { beside_others }
}

#[cfg(test)]
mod tests;
