//! Threads held against chunks run alone, or against a stretch of the plain loop.

use crate::decide::observed::Delay;
use crate::decide::shift::Times;

use super::since::{LONG_ENOUGH, Share};
use super::{Crowd, FIRST_EPOCH, Judgement, LOSS, PROBE, Progress, SURE, Sum, Watch};

/// Gain at which a check confirms the parallel plan.
pub(super) const CONFIRMED: f64 = 1.04;
/// Share of the confirmed gain below which it is doubted again.
const STILL_GOOD: f64 = 0.8;
/// Seconds before a plan that was just confirmed is doubted for a small gain; so many times as long each time.
pub(super) const FIRST_REST: f64 = 2e-3;
const LONGER: f64 = 4.0;
/// Time before threads that seem to be a loss are checked again, as a multiple of what the check took.
const BETWEEN_CHECKS: f64 = 20.0;
/// Seconds of a chunk that is run alone, where one item does not take longer: a usual chunk of many threads would cost
/// the work of all of them for that time.
pub(crate) const ALONE: f64 = 250e-6;
/// Chunks run alone: at least, unless they are long (seconds), and at first at most, unless nothing is clear; and ever.
const FEWEST_ALONE: usize = 3;
const LONG_ALONE: f64 = 1e-3;
pub(super) const MOST_ALONE: usize = 8;
const EVER_ALONE: usize = 32;
/// Seconds of the longest check.
const LONGEST_CHECK: f64 = 5e-3;
/// Seconds of the longest check where it has to show what share of a processor the loop would have.
const LONGEST_LOOK: f64 = 100e-3;
/// Inflation below which threads are not in each other's way, gain above which they do no harm then, and checks for
/// which that is put up with.
const INFLATED: f64 = 1.15;
const HARMLESS: f64 = 0.9;
const MOST_IDLE_CHECKS: u32 = 3;
/// Inflation from which there are too many threads.
const CROWDED: f64 = 4.0;
/// Inflation, for each thread, that no contention explains: then the items have changed.
const IMPLAUSIBLE: f64 = 16.0;
/// Deviation of chunks alone (of their logarithms) up to which all items are alike, and the least that is believed.
const EVEN_CHUNKS: f64 = 0.25;
const LEAST_ERROR: f64 = 0.03;
/// How far a stretch of the plain loop may be off for the items in it.
const PROBE_ERROR: f64 = 0.04;
/// Ratio within which chunks alone confirm what the plain loop was thought to take.
pub(super) const ALIKE: f64 = 1.25;

/// What the present check has shown, and how far it may go.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// Chunks run alone, by what they computed, their seconds, for how long the consumer was blocked in them, and how
    /// many they may be.
    pub(super) alone: Times,
    seconds: f64,
    pub(super) delay: Delay,
    pub(super) most: usize,
    /// The stretch of the plain loop that runs instead of chunks alone.
    probe: Sum,
    /// Chunks beside others after the check, where that is to decide.
    pub(super) after: Option<Times>,
    /// Checks in a row that found no gain, for want of processors.
    idle: u32,
}

impl Default for Check {
    fn default() -> Self {
        let (alone, probe) = (Times::default(), Sum::default());
        Self { alone, seconds: 0.0, delay: Delay::default(), most: MOST_ALONE, probe, after: None, idle: 0 }
    }
}

impl Check {
    pub(super) fn begin(&mut self) {
        self.alone.clear();
        self.seconds = 0.0;
        self.delay = Delay::default();
        self.probe = Sum::default();
    }

    /// The consumer ran a chunk alone, in `each` seconds an item.
    pub(super) fn ran_alone(&mut self, items: usize, each: f64) {
        self.alone.add(each);
        self.seconds += each * items as f64;
    }

    /// Takes what the plain loop has shown for what chunks alone would.
    fn stands_for_all(&mut self, each: f64) {
        self.alone.clear();
        (0..FEWEST_ALONE).for_each(|_| self.alone.add(each));
        self.seconds = PROBE;
    }

    /// Whether all items are alike, as far as the chunks alone can tell.
    fn is_even(&self) -> bool {
        self.alone.len() > 1 && self.alone.deviation() < EVEN_CHUNKS
    }
}

/// For how long a plan that a check has confirmed is left alone.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    /// Time before which it is not doubted again for a small gain, and seconds of the next such time.
    pub(super) small_until: f64,
    next: f64,
    /// Time before which it is not doubted again for a loss.
    pub(super) loss_until: f64,
    /// Time until which the proof counts.
    pub(super) proof_until: f64,
}

impl Rest {
    /// Threads begin, and nothing is confirmed.
    pub(super) fn from(now: f64) -> Self {
        Self { small_until: now, next: FIRST_REST, loss_until: now, proof_until: f64::INFINITY }
    }

    /// A check of so many seconds has confirmed the plan.
    fn extend(&mut self, now: f64, seconds: f64) {
        self.small_until = now + self.next;
        self.next *= LONGER;
        self.proof_until = now + self.next;
        self.loss_until = now + BETWEEN_CHECKS * seconds;
    }
}

/// What threads gain, the factor by which that may be wrong, and how much longer work takes than in the plain loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    pub(super) gain: f64,
    pub(super) doubt: f64,
    inflation: f64,
}

/// What a comparison says of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Good,
    Open,
    Bad,
}

impl Watch {
    /// Judges the chunks run alone so far.
    pub(crate) fn check(&mut self, now: f64) -> Judgement {
        let Share { likely, most } = self.since.loop_share();
        let compare = |share| self.compare(&self.beside, self.observed.of_loop(share));
        let Some((compared, at_least)) = compare(likely).zip(compare(most)) else { return Judgement::GoOn };
        let verdict = self.verdict(compared);
        let depends_on_share = verdict != self.verdict(at_least);
        // Where nothing spoke against threads, one that took as long as beside others bears them out.
        let is_borne_out = self.is_unseen && self.was_good && verdict == Finding::Good;
        let is_long = self.checking.alone.len() >= FEWEST_ALONE || self.checking.seconds >= LONG_ALONE;
        let is_enough = is_long || is_borne_out;
        if !is_enough || (depends_on_share && self.checking.seconds < LONGEST_LOOK) {
            return Judgement::GoOn;
        }
        let is_over = self.checking.alone.len() >= self.checking.most || self.checking.seconds >= LONGEST_CHECK;
        match verdict {
            Finding::Open if !is_over => Judgement::GoOn,
            Finding::Bad if !is_over && self.may_miss_dear_items() => Judgement::GoOn,
            Finding::Open if self.needs_proof && compared.gain < CONFIRMED => self.settle(Finding::Bad, compared, now),
            Finding::Bad if !(self.needs_proof || self.has_lost || self.is_plausible()) => self.give_second_chance(),
            verdict => self.settle(verdict, compared, now),
        }
    }

    /// Judges by the plain loop, of which `items` just ran in so many `seconds` instead of chunks alone.
    pub(crate) fn probed(&mut self, items: usize, seconds: f64, now: f64) -> Judgement {
        self.checking.probe.add(Sum::plain(items as u64, seconds));
        let each = self.checking.probe.each();
        let is_long = self.checking.probe.seconds >= LONG_ENOUGH;
        // A short stretch is over before its time slice is; a long one has waited as often as the loop would.
        let Share { likely, most } = if is_long { Share::known(1.0) } else { self.since.loop_share() };
        let compare = |share| {
            let observed = self.observed.of_loop(share);
            self.compared(each / observed.each(), PROBE_ERROR, observed)
        };
        let compared = compare(likely);
        if self.verdict(compared) != self.verdict(compare(most)) {
            return Judgement::GoOn;
        }
        self.checking.stands_for_all(each * self.unblocked());
        let judgement = match self.verdict(compared) {
            Finding::Bad if self.was_good && !self.has_lost => self.give_second_chance(),
            // Cheap items that threads do not clearly speed up are better off without them.
            Finding::Open if compared.gain < CONFIRMED => self.settle(Finding::Bad, compared, now),
            verdict => self.settle(verdict, compared, now),
        };
        self.baseline = if is_long { each * self.since.loop_share().likely } else { each };
        judgement
    }

    /// Has threads judged again after a stretch beside others. Only once: threads that were undone are tried again
    /// anyway.
    fn give_second_chance(&mut self) -> Judgement {
        self.checking.after = Some(Times::default());
        Judgement::Kept
    }

    /// Whether chunks alone take what the plain loop was thought to take, so that items do not drift; and, where
    /// threads had been good, whether chunks beside others show by themselves what the rates show: a few dear items
    /// slow down both as well.
    fn is_plausible(&self) -> bool {
        let observed = self.observed();
        let is_inflated =
            || self.by_inflation(&self.beside, observed).is_some_and(|by| self.verdict(by) == Finding::Bad);
        self.is_expected() && (!self.was_good || is_inflated())
    }

    /// Whether items that take so many times longer are other items: nothing that threads do to each other explains it.
    fn are_other_items(&self, inflation: f64) -> bool {
        inflation > IMPLAUSIBLE * self.threads as f64
    }

    /// Whether a few chunks alone may all be without the dear items that slow threads down now and then: those that
    /// have none take no longer beside others.
    fn may_miss_dear_items(&self) -> bool {
        self.checking.is_even() && self.beside.lower_quartile() < ALIKE * self.checking.alone.median()
    }

    /// What ran beside threads only may have taken longer than it does; but not any number of times.
    fn is_expected(&self) -> bool {
        let shorter = self.baseline / self.plain_alone();
        shorter > 1.0 / ALIKE && if self.is_unseen { !self.are_other_items(shorter) } else { shorter <= ALIKE }
    }

    /// Judges threads whose second chance is over. Items that drift make threads look bad before the check, or after
    /// it, not both.
    pub(super) fn conclude(&mut self, at: Progress, later: Sum) -> Judgement {
        let after = self.checking.after.take().unwrap_or_default();
        let later = later.of_loop(self.since.loop_share().likely);
        let both = [(&self.beside, self.observed()), (&after, later)];
        let compared = both.into_iter().filter_map(|(times, sum)| self.compare(times, sum));
        let best = compared.max_by(|a, b| a.gain.total_cmp(&b.gain));
        self.since.next(at);
        self.beside = after;
        let Some(best) = best else { return Judgement::GoOn };
        match self.settle(self.verdict(best), best, at.now) {
            Judgement::Kept => Judgement::GoOn,
            judgement => judgement,
        }
    }

    /// What threads did before the check, in seconds of the plain loop.
    fn observed(&self) -> Sum {
        self.observed.of_loop(self.since.loop_share().likely)
    }

    /// What threads gained in a stretch of the run in which chunks took such `times`; `None` while nothing is known.
    fn compare(&self, times: &Times, stretch: Sum) -> Option<Compared> {
        let is_by_rates = self.checking.is_even() || (times.len() == 0 && self.checking.alone.len() > 0);
        if is_by_rates { Some(self.by_rates(stretch)) } else { self.by_inflation(times, stretch) }
    }

    /// Seconds an item of the plain loop, by the chunks alone.
    fn plain_alone(&self) -> f64 {
        self.checking.alone.median() / self.unblocked()
    }

    fn by_rates(&self, stretch: Sum) -> Compared {
        let error = self.checking.alone.deviation().max(LEAST_ERROR) / (self.checking.alone.len() as f64).sqrt();
        self.compared(self.plain_alone() / stretch.each(), error, stretch)
    }

    fn by_inflation(&self, times: &Times, stretch: Sum) -> Option<Compared> {
        let shift = times.shift_from(&self.checking.alone)?;
        let saved = self.computing(stretch) / shift.log.exp().max(1.0);
        Some(self.compared(saved / self.unblocked(), shift.error, stretch))
    }

    pub(super) fn compared(&self, gain: f64, error: f64, stretch: Sum) -> Compared {
        let gain = gain.min(self.threads as f64);
        Compared { gain, doubt: (SURE * error).exp(), inflation: self.concurrency(stretch) / gain }
    }

    /// Threads at work on average. (Chunks that began before the stretch may add up to more than there are.)
    fn concurrency(&self, stretch: Sum) -> f64 {
        (stretch.worked / stretch.seconds).min(self.threads as f64)
    }

    /// Threads that compute on average.
    fn computing(&self, stretch: Sum) -> f64 {
        (stretch.computed / stretch.seconds).min(self.threads as f64)
    }

    fn verdict(&self, Compared { gain, doubt, inflation }: Compared) -> Finding {
        match (gain * doubt >= CONFIRMED, gain / doubt >= CONFIRMED) {
            (_, true) => Finding::Good,
            (true, _) => Finding::Open,
            _ if self.are_other_items(inflation) => Finding::Open,
            // Threads that do not get to run are no gain, and no loss either: that may pass.
            _ if inflation < INFLATED && gain > HARMLESS && self.is_patient(gain) => Finding::Open,
            _ => Finding::Bad,
        }
    }

    fn is_patient(&self, gain: f64) -> bool {
        gain >= LOSS || self.checking.idle < MOST_IDLE_CHECKS
    }

    fn settle(&mut self, verdict: Finding, compared: Compared, now: f64) -> Judgement {
        (self.is_assumed, self.is_unseen) = (false, false);
        let Compared { gain, doubt, inflation } = compared;
        // Of threads that stay for want of proof no more is remembered than that.
        let sure = if verdict == Finding::Open { inflation / doubt } else { inflation };
        self.inflation = Some((self.threads, sure.max(1.0)));
        if let Some(threads) = self.fewer(compared) {
            return self.reduce(Crowd { threads, inflation, alone: self.plain_alone() }, now);
        }
        if verdict == Finding::Bad {
            return self.refute(compared, now);
        }
        self.checking.idle = if gain < CONFIRMED { self.checking.idle + 1 } else { 0 };
        if verdict == Finding::Open {
            self.checking.most = (2 * self.checking.most).min(EVER_ALONE);
        }
        self.keep(gain, now)
    }

    /// Threads to go on with where all are in each other's way so much that they are too many. Work that is serialised
    /// (inflation ~ n) goes on at the same rate with n / √inflation of them; where each disturbs each (inflation ~ n²)
    /// that is about the best number.
    fn fewer(&self, Compared { inflation, doubt, .. }: Compared) -> Option<usize> {
        let is_sure = inflation / doubt > CROWDED && self.is_expected();
        let threads = (self.threads as f64 / inflation.sqrt()).round() as usize;
        (is_sure && threads > 1).then_some(threads)
    }

    fn reduce(&mut self, crowd: Crowd, now: f64) -> Judgement {
        self.change(crowd.threads, (crowd.threads as f64 / CROWDED).max(CONFIRMED));
        self.epoch = FIRST_EPOCH;
        self.losing_since = now;
        if self.checking.is_even() {
            self.baseline = self.plain_alone();
        }
        Judgement::Crowded(crowd)
    }

    fn keep(&mut self, gain: f64, now: f64) -> Judgement {
        let gain = gain.max(CONFIRMED);
        self.baseline = if self.checking.is_even() { self.plain_alone() } else { gain * self.observed().each() };
        self.accepted = (STILL_GOOD * gain).max(CONFIRMED);
        self.is_proven = true;
        self.has_seen_loop = false;
        self.losing_since = now;
        self.rest.extend(now, self.checking.seconds);
        Judgement::Kept
    }
}
