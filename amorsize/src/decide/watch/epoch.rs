//! How threads do from one epoch to the next: whether that is good enough, or is to be checked.

use super::check::CONFIRMED;
use super::{ALONE, CHEAP, FIRST_EPOCH, Judgement, LOSS, Progress, SURE, Sum, Watch};
use crate::decide::costs::Spread;
use crate::decide::risk::FREED_DEARLY;

/// Shortest seconds of an epoch in which threads do so badly that waiting costs more than a mistake, and gain below
/// which they do.
const ALARM_EPOCH: f64 = 150e-6;
const ALARM: f64 = 0.5;
/// The same where the loop itself was seen right before.
const SURE_ALARM: f64 = 0.7;
/// Seconds of an epoch in which the start of threads does not show any more.
const SURE_EPOCH: f64 = 1.5e-3;
/// Longest seconds between two judgements.
const LONGEST_EPOCH: f64 = 20e-3;
/// Chunks for every thread in an epoch, at least.
const FEW_ROUNDS: u64 = 3;
const ALARM_ROUNDS: u64 = 2;
/// Part of the expected work an item below which the expectation was wrong, and proves nothing for threads.
const OVERSTATED: f64 = 0.67;
/// Part of the expected work an item below which the plan rests on items that were nothing like those which follow:
/// that is not to go on for long.
const GROSSLY_OVERSTATED: f64 = 0.25;
/// Times the expected work an item, for each pair of threads, from which the items must have become dearer: two threads
/// that fight for a lock, or for a cache line, make an item take two to five times as long.
const DEARER: f64 = 8.0;
/// Seconds for which it is taken for granted, once items have changed, that threads do no harm. A check would cost a
/// short run more.
pub(super) const ASSUMED: f64 = 5e-3;
/// How many times longer than a chunk alone, for each thread and each that waits for it, there must be something to do,
/// so that one is run for want of any other measure.
const WORTH_A_LOOK: f64 = 20.0;
/// How much dearer items are ever thought to be by chance: locks and cache lines make them up to five times dearer,
/// which is to be seen.
const MOST_LUCK: f64 = 2.0;

impl Watch {
    /// Judges threads, once an epoch. `round` is a chunk for every thread, in items; `left` what the plain loop would
    /// take for what is left, in seconds.
    pub(crate) fn judge(&mut self, at: Progress, round: usize, left: f64) -> Judgement {
        if !self.is_manned || at.produced < self.counts_from {
            self.since.skip(at);
            return Judgement::GoOn;
        }
        self.since.look(at);
        let (stretch, share) = self.since.sum(at);
        let epoch = stretch.of_loop(share.likely);
        if let Some(after) = &self.checking.after {
            let is_enough = after.len() >= self.checking.alone.len() && epoch.seconds >= FIRST_EPOCH;
            return if is_enough { self.conclude(at, stretch) } else { Judgement::GoOn };
        }
        let rounds = epoch.items / round.max(1) as u64;
        let seen = self.gain(epoch);
        let luck = if self.seemed_a_loss { 1.0 } else { self.luck(epoch.items) };
        let gain = seen * luck;
        let is_alarm = self.is_alarming(epoch, rounds, gain);
        if !is_alarm && (epoch.seconds < self.epoch || rounds < FEW_ROUNDS) {
            return Judgement::GoOn;
        }
        self.begin_epoch(at);
        if self.have_items_changed(epoch) {
            // Nor does freeing memory explain that.
            self.needs_proof = false;
            self.assume(epoch, at.now);
            return Judgement::GoOn;
        }
        if is_alarm && self.has_seen_loop && self.has_nothing_to_lose() {
            // To look at the loop once more would cost as much again.
            self.observed = stretch;
            return self.refute(self.compared(gain, 0.0, epoch), at.now);
        }
        let is_worth_a_look = self.is_unseen && left >= self.worth_a_look();
        let gain = gain * share.likely / share.most;
        let is_doubtful = self.doubts(stretch, gain, is_alarm, at.now) || is_worth_a_look;
        self.remember(seen < LOSS);
        if !is_doubtful {
            return Judgement::GoOn;
        }
        self.begin_check();
        Judgement::Check
    }

    /// How much better threads may be than an epoch of so many items shows. Threads that wait for each other make even
    /// items look uneven, so that proves nothing where it is likely.
    fn luck(&self, items: u64) -> f64 {
        if self.needs_proof { 1.0 } else { luck(self.spread.coefficient(), items) }
    }

    /// Chance explains that an epoch seems to be a loss, but not that two in a row do.
    fn remember(&mut self, seems_a_loss: bool) {
        self.seemed_a_loss = seems_a_loss;
        self.is_suspect |= seems_a_loss;
    }

    /// Seconds of the plain loop from which it is worth while to run an item alone: every thread waits for it, and the
    /// more there are, the longer for that which is the last to end its own, too.
    fn worth_a_look(&self) -> f64 {
        let threads = self.threads as f64;
        WORTH_A_LOOK * threads * threads * self.baseline.max(ALONE)
    }

    /// Whether threads do so badly that the end of the epoch is not waited for.
    fn is_alarming(&self, epoch: Sum, rounds: u64, gain: f64) -> bool {
        let (enough_rounds, alarm) = if self.has_seen_loop { (1, SURE_ALARM) } else { (ALARM_ROUNDS, ALARM) };
        rounds >= enough_rounds && epoch.seconds >= ALARM_EPOCH && gain < alarm
    }

    /// Whether items take so long that nothing which threads do to each other explains it.
    fn have_items_changed(&self, epoch: Sum) -> bool {
        let is_dearer = epoch.work() > self.explained() * self.baseline;
        is_dearer && (!self.is_on_probation() || epoch.work() > FREED_DEARLY)
    }

    fn begin_epoch(&mut self, at: Progress) {
        self.since.next(at);
        if at.now >= self.rest.loss_until {
            self.since.forget_alone();
        }
        self.spread = Spread::default();
    }

    fn begin_check(&mut self) {
        self.since.forget_alone();
        self.checking.begin();
    }

    /// Whether threads have nothing to lose: they were never good, and fewer would be none.
    fn has_nothing_to_lose(&self) -> bool {
        self.is_on_probation() && !self.was_good && self.threads == 2
    }

    /// How much longer an item may take because threads are in each other's way.
    fn explained(&self) -> f64 {
        let threads = self.threads as f64;
        DEARER * threads * (threads - 1.0) / 2.0
    }

    /// Takes the items for others than those that the plain loop was measured on.
    fn assume(&mut self, epoch: Sum, now: f64) {
        self.baseline = epoch.work();
        self.is_assumed = true;
        self.has_seen_loop = false;
        self.is_proven = false;
        self.is_suspect = false;
        self.losing_since = now;
        self.rest.small_until = self.rest.small_until.max(now + ASSUMED);
    }

    /// What threads seem to gain. They never make an item cheaper, so where items are cheaper than was thought, the
    /// gain is the concurrency at most. Threads that are blocked for more of their time than the loop may wait for each
    /// other: that is none.
    fn gain(&self, epoch: Sum) -> f64 {
        self.baseline.min(epoch.computing() / self.unblocked()) / epoch.each()
    }

    /// Whether threads gained in the stretch that is to be checked, as far as can be told.
    pub(crate) fn seems_good(&self) -> bool {
        self.gain(self.observed) >= CONFIRMED
    }

    /// Whether a check is wanted: one bad epoch may be the machine's fault; the second one is the plan's. `gain` is the
    /// least that threads may have had.
    fn doubts(&mut self, epoch: Sum, gain: f64, is_alarm: bool, now: f64) -> bool {
        let may_be_wrong = self.is_assumed || self.baseline < CHEAP || epoch.work() < OVERSTATED * self.baseline;
        let is_baseless = epoch.work() < GROSSLY_OVERSTATED * self.baseline;
        let is_unclear = may_be_wrong && !self.is_proven && (is_baseless || self.epoch >= SURE_EPOCH);
        // What the plain loop takes changes with the state of the heap.
        let is_due = self.needs_proof && now >= self.rest.proof_until;
        let is_small = (gain < self.accepted || is_unclear || is_due) && now >= self.rest.small_until;
        let is_bad = is_small || (gain < LOSS && now >= self.rest.loss_until);
        if is_bad && self.is_suspect {
            self.observed.add(epoch);
        } else {
            self.observed = epoch;
        }
        let is_doubtful = is_bad && (self.is_suspect || is_alarm || is_unclear || is_due || self.is_on_probation());
        self.is_suspect = is_bad;
        if !is_bad {
            self.was_good = true;
            self.losing_since = now;
            self.epoch = (2.0 * self.epoch).min(LONGEST_EPOCH);
        }
        is_doubtful
    }
}

/// How much dearer than the average so many items may be by chance.
fn luck(spread: f64, items: u64) -> f64 {
    (1.0 + SURE * spread / (items.max(1) as f64).sqrt()).min(MOST_LUCK)
}
