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
//! alone. Checks get rarer each time they find the plan right.

use super::costs::Costs;
use super::pilot::Runner;
use super::shift::Times;

/// Shortest seconds of a first judgement: some times the start-up of a pool.
const FIRST_EPOCH: f64 = 400e-6;
/// The same where threads do so badly that waiting costs more than a mistake.
const ALARM_EPOCH: f64 = 150e-6;
/// Gain below which threads do that badly, and below which they are surely a loss.
const ALARM: f64 = 0.5;
const LOSS: f64 = 0.97;
/// Seconds of an epoch in which the start of threads does not show any more.
const SURE_EPOCH: f64 = 1.5e-3;
/// Longest seconds between two judgements.
const LONGEST_EPOCH: f64 = 20e-3;
/// Chunks for every thread in an epoch, at least.
const FEW_ROUNDS: u64 = 3;
const ALARM_ROUNDS: u64 = 2;
/// Part of the expected work an item below which the expectation was wrong, and proves nothing for threads.
const OVERSTATED: f64 = 0.67;
/// Gain at which a check confirms the parallel plan.
const CONFIRMED: f64 = 1.04;
/// Part of the promised gain that is accepted without a check.
const ACCEPTED_PART: f64 = 0.5;
/// Share of the confirmed gain below which it is doubted again.
const STILL_GOOD: f64 = 0.8;
/// Seconds before a plan that was just confirmed is doubted again; four times as long each time.
const FIRST_PATIENCE: f64 = 2e-3;
/// The same as a multiple of what the check took, where threads seem to be a loss.
const BETWEEN_CHECKS: f64 = 20.0;
/// Chunks run alone: at least, unless they are long (seconds), and at first at most, unless nothing is clear; and ever.
const FEWEST_ALONE: usize = 3;
const LONG_ALONE: f64 = 1e-3;
const MOST_ALONE: usize = 8;
const EVER_ALONE: usize = 32;
/// Seconds of the longest check.
const LONGEST_CHECK: f64 = 5e-3;
/// Standard errors that exclude chance (one-sided 95 %).
const SURE: f64 = 1.645;
/// Inflation below which threads are not in each other's way, gain above which they do no harm then, and checks for
/// which that is put up with.
const INFLATED: f64 = 1.15;
const HARMLESS: f64 = 0.9;
const MOST_IDLE_CHECKS: u32 = 3;
/// Inflation, for each thread, that no contention explains: then the items have changed.
const IMPLAUSIBLE: f64 = 16.0;
/// Seconds of an item below which its way through a chunk shows, so that a stretch of the plain loop is the only measure;
/// what takes so little is also most easily disturbed by other threads, and is always checked.
pub(crate) const CHEAP: f64 = 250e-9;
/// Seconds of such a stretch, and how far it may be off for the items in it.
pub(crate) const PROBE: f64 = 200e-6;
const PROBE_ERROR: f64 = 0.04;
/// Ratio within which chunks alone confirm what the plain loop was thought to take.
const ALIKE: f64 = 1.25;
/// Deviation of chunks alone (of their logarithms) up to which all items are alike, and the least that is believed.
const EVEN_CHUNKS: f64 = 0.25;
const LEAST_ERROR: f64 = 0.03;
/// Shortest seconds of a pause after a plan was undone, before parallel is tried again; and where it was clearly a loss.
const SHORTEST_PAUSE: f64 = 10e-3;
const CLEAR_PAUSE: f64 = 30e-3;
/// A pause is so many times what the attempt has cost, so that attempts cost 2 % at most; and what one costs anyway.
const PAUSES_A_LOSS: f64 = 50.0;
const ATTEMPT: f64 = 100e-6;
/// Seconds of the plain loop after which it is known to be slower than threads were.
const SLOW_LOOP: f64 = 5e-3;
/// Coefficient of variation below which a few items stand for all.
const EVEN: f64 = 0.5;
/// Ratio from which the plain loop's items are not those that threads were undone on.
const MUCH_CHANGED: f64 = 8.0;
const SURELY_DEAR: u32 = 3;

/// How far a run is: the time, the results finished, and the seconds that all threads together have worked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) now: f64,
    pub(crate) produced: u64,
    pub(crate) worked: f64,
}

/// What a running plan is thought of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Judgement {
    /// Nothing new: what is being done goes on.
    GoOn,
    /// A few chunks are to be run alone.
    Check,
    /// That is enough of them: the parallel plan is better, as far as can be told, or gets another chance.
    Kept,
    /// It reached only so much of the plain loop.
    Refuted { gain: f64 },
}

/// What threads gain, the factor by which that may be wrong, and how much longer work takes than in the plain loop.
#[derive(Clone, Copy, Debug)]
struct Compared {
    gain: f64,
    doubt: f64,
    inflation: f64,
}

/// What a comparison says of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Open,
    Bad,
}

/// What the plain loop shows after a plan was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// Nothing new.
    GoOn,
    /// Threads are worth another attempt: after a pause, or because the loop turns out slower than they were.
    Over,
    /// Items take so much longer now that nothing is known of them; for several stretches in a row, since one may only
    /// have been interrupted.
    Outdated,
}

/// Items, and what they took.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    items: u64,
    seconds: f64,
    worked: f64,
}

impl Sum {
    fn between(before: Progress, after: Progress) -> Self {
        Self {
            items: after.produced - before.produced,
            seconds: after.now - before.now,
            worked: after.worked - before.worked,
        }
    }

    fn add(&mut self, other: Self) {
        self.items += other.items;
        self.seconds += other.seconds;
        self.worked += other.worked;
    }

    /// Wall seconds an item.
    fn each(&self) -> f64 {
        self.seconds / self.items as f64
    }

    /// Work an item, whoever did it.
    fn work(&self) -> f64 {
        self.worked / self.items as f64
    }
}

/// The state of watching.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    threads: usize,
    /// Whether the plain loop is preferred as long as nothing is clear.
    needs_proof: bool,
    /// Seconds an item of the plain loop.
    baseline: f64,
    /// Gain from which no check is needed.
    accepted: f64,
    since: Progress,
    epoch: f64,
    /// What threads did in the epochs that count: the last one, or all since the first that disappointed.
    observed: Sum,
    /// A first epoch has disappointed; the next one decides.
    is_suspect: bool,
    /// A check has confirmed the plan before, or undone it: then one bad epoch is enough.
    is_proven: bool,
    has_lost: bool,
    /// An epoch since the plan began was good.
    was_good: bool,
    /// How much longer work takes beside others than in the plain loop, once a check has told.
    inflation: Option<f64>,
    /// Not before this time is the plan doubted again: for a small gain, and for a loss.
    patience_until: f64,
    patience: f64,
    check_until: f64,
    /// A thread has run a chunk since counting began: what was before that only started the pool.
    is_manned: bool,
    /// Chunks beside others, alone in the present check, and beside others after it where that is to decide.
    beside: Times,
    alone: Times,
    after: Option<Times>,
    alone_seconds: f64,
    most_alone: usize,
    /// Checks in a row that found no gain, for want of processors.
    idle_checks: u32,
    /// While the plan is undone: when it is tried again, and how the plain loop does.
    undone: Option<(f64, Sum)>,
    dear_stretches: u32,
    /// The last pause; the next one is at least twice as long.
    pause: f64,
}

impl Watch {
    pub(crate) fn new(at: Progress, threads: usize, baseline: f64, promised: f64) -> Self {
        Self {
            threads,
            needs_proof: false,
            baseline,
            accepted: accepted(promised),
            since: at,
            epoch: FIRST_EPOCH,
            observed: Sum { items: 1, seconds: baseline, worked: baseline },
            is_suspect: false,
            is_proven: false,
            has_lost: false,
            was_good: false,
            inflation: None,
            patience_until: at.now,
            patience: FIRST_PATIENCE,
            check_until: at.now,
            is_manned: false,
            beside: Times::default(),
            alone: Times::default(),
            after: None,
            alone_seconds: 0.0,
            most_alone: MOST_ALONE,
            idle_checks: 0,
            undone: None,
            dear_stretches: 0,
            pause: 0.0,
        }
    }

    /// Prefers the plain loop as long as nothing is clear.
    pub(crate) fn needing_proof(self, needs_proof: bool) -> Self {
        Self { needs_proof, ..self }
    }

    /// Someone has run a chunk.
    pub(crate) fn saw(&mut self, runner: Runner) {
        self.is_manned |= runner == Runner::Thread;
    }

    /// A chunk of `items` has taken `each` seconds an item, with what the source and the consumer took for them.
    pub(crate) fn saw_chunk(&mut self, items: usize, each: f64, runner: Runner) {
        if runner == Runner::Alone {
            self.alone.add(each);
            self.alone_seconds += each * items as f64;
        } else {
            self.after.as_mut().unwrap_or(&mut self.beside).add(each);
        }
    }

    /// Judges threads, once an epoch. `round` is a chunk for every thread, in items.
    pub(crate) fn judge(&mut self, at: Progress, round: usize) -> Judgement {
        if !self.is_manned {
            self.since = at;
            return Judgement::GoOn;
        }
        let epoch = Sum::between(self.since, at);
        if let Some(after) = &self.after {
            let is_enough = after.len() >= self.alone.len() && epoch.seconds >= FIRST_EPOCH;
            return if is_enough { self.conclude(at, epoch) } else { Judgement::GoOn };
        }
        let rounds = epoch.items / round.max(1) as u64;
        let is_alarm = rounds >= ALARM_ROUNDS && epoch.seconds >= ALARM_EPOCH && self.gain(epoch) < ALARM;
        if !is_alarm && (epoch.seconds < self.epoch || rounds < FEW_ROUNDS) {
            return Judgement::GoOn;
        }
        self.since = at;
        if !self.doubts(epoch, is_alarm, at.now) {
            return Judgement::GoOn;
        }
        self.alone.clear();
        self.alone_seconds = 0.0;
        Judgement::Check
    }

    /// What threads seem to gain. They never make an item cheaper, so where items are cheaper than was thought, the gain
    /// is the concurrency at most.
    fn gain(&self, epoch: Sum) -> f64 {
        self.baseline.min(epoch.work()) / epoch.each()
    }

    /// One bad epoch may be the machine's fault; the second one is the plan's.
    fn doubts(&mut self, epoch: Sum, is_alarm: bool, now: f64) -> bool {
        let gain = self.gain(epoch);
        let may_be_wrong = self.baseline < CHEAP || epoch.work() < OVERSTATED * self.baseline;
        let is_unclear = may_be_wrong && !self.is_proven && self.epoch >= SURE_EPOCH;
        let is_small = (gain < self.accepted || is_unclear) && now >= self.patience_until;
        let is_bad = is_small || (gain < LOSS && now >= self.check_until);
        if is_bad && self.is_suspect {
            self.observed.add(epoch);
        } else {
            self.observed = epoch;
        }
        let is_doubtful = is_bad && (self.is_suspect || is_alarm || is_unclear || self.has_lost);
        self.is_suspect = is_bad;
        if !is_bad {
            self.was_good = true;
            self.epoch = (2.0 * self.epoch).min(LONGEST_EPOCH);
        }
        is_doubtful
    }

    /// Judges the chunks run alone so far.
    pub(crate) fn check(&mut self, now: f64) -> Judgement {
        let is_enough = self.alone.len() >= FEWEST_ALONE || self.alone_seconds >= LONG_ALONE;
        let Some(compared) = self.compare(&self.beside, self.observed) else { return Judgement::GoOn };
        if !is_enough {
            return Judgement::GoOn;
        }
        let is_over = self.alone.len() >= self.most_alone || self.alone_seconds >= LONGEST_CHECK;
        match self.verdict(compared) {
            Verdict::Open if !is_over => Judgement::GoOn,
            Verdict::Open if self.needs_proof && compared.gain < CONFIRMED => self.settle(Verdict::Bad, compared, now),
            Verdict::Bad if !self.is_plausible() => self.give_second_chance(),
            verdict => self.settle(verdict, compared, now),
        }
    }

    /// Judges by `each`, the plain loop's seconds for an item, which just ran instead of chunks alone.
    pub(crate) fn probed(&mut self, each: f64, now: f64) -> Judgement {
        self.alone.clear();
        (0..FEWEST_ALONE).for_each(|_| self.alone.add(each));
        self.alone_seconds = PROBE;
        let compared = self.compared(each / self.observed.each(), PROBE_ERROR, self.observed);
        let judgement = match self.verdict(compared) {
            Verdict::Bad if self.was_good => self.give_second_chance(),
            verdict => self.settle(verdict, compared, now),
        };
        self.baseline = each;
        judgement
    }

    fn give_second_chance(&mut self) -> Judgement {
        self.after = Some(Times::default());
        Judgement::Kept
    }

    /// Whether chunks alone take what the plain loop was thought to take, so that items do not drift; and, where threads
    /// had been good, whether chunks beside others show by themselves what the rates show: a few dear items slow down
    /// both as well.
    fn is_plausible(&self) -> bool {
        let is_expected = (1.0 / ALIKE..ALIKE).contains(&(self.alone.median() / self.baseline));
        let is_inflated =
            || self.by_inflation(&self.beside, self.observed).is_some_and(|by| self.verdict(by) == Verdict::Bad);
        is_expected && (!self.was_good || is_inflated())
    }

    /// The second chance is over. Items that drift make threads look bad before the check, or after it, not both.
    fn conclude(&mut self, at: Progress, later: Sum) -> Judgement {
        let after = self.after.take().unwrap_or_default();
        let both = [(&self.beside, self.observed), (&after, later)];
        let compared = both.into_iter().filter_map(|(times, sum)| self.compare(times, sum));
        let best = compared.max_by(|a, b| a.gain.total_cmp(&b.gain));
        self.since = at;
        self.beside = after;
        let Some(best) = best else { return Judgement::GoOn };
        match self.verdict(best) {
            Verdict::Bad => self.refute(best, at.now),
            verdict => {
                self.settle(verdict, best, at.now);
                Judgement::GoOn
            }
        }
    }

    /// What threads gained in a stretch of the run in which chunks took such `times`; `None` while nothing is known.
    fn compare(&self, times: &Times, stretch: Sum) -> Option<Compared> {
        if self.is_even() { Some(self.by_rates(stretch)) } else { self.by_inflation(times, stretch) }
    }

    fn by_rates(&self, stretch: Sum) -> Compared {
        let error = self.alone.deviation().max(LEAST_ERROR) / (self.alone.len() as f64).sqrt();
        self.compared(self.alone.median() / stretch.each(), error, stretch)
    }

    fn by_inflation(&self, times: &Times, stretch: Sum) -> Option<Compared> {
        let shift = times.shift_from(&self.alone)?;
        Some(self.compared(self.concurrency(stretch) / shift.log.exp().max(1.0), shift.error, stretch))
    }

    fn compared(&self, gain: f64, error: f64, stretch: Sum) -> Compared {
        let gain = gain.min(self.threads as f64);
        Compared { gain, doubt: (SURE * error).exp(), inflation: self.concurrency(stretch) / gain }
    }

    /// Threads at work on average. (Chunks that began before the stretch may add up to more than there are.)
    fn concurrency(&self, stretch: Sum) -> f64 {
        (stretch.worked / stretch.seconds).min(self.threads as f64)
    }

    /// Whether all items are alike, as far as the chunks alone can tell.
    fn is_even(&self) -> bool {
        self.alone.len() > 1 && self.alone.deviation() < EVEN_CHUNKS
    }

    fn verdict(&self, Compared { gain, doubt, inflation }: Compared) -> Verdict {
        match (gain * doubt >= CONFIRMED, gain / doubt >= CONFIRMED) {
            (_, true) => Verdict::Good,
            (true, _) => Verdict::Open,
            _ if inflation > IMPLAUSIBLE * self.threads as f64 => Verdict::Open,
            // Threads that do not get to run are no gain, and no loss either: that may pass.
            _ if inflation < INFLATED && gain > HARMLESS && self.idle_checks < MOST_IDLE_CHECKS => Verdict::Open,
            _ => Verdict::Bad,
        }
    }

    fn settle(&mut self, verdict: Verdict, compared: Compared, now: f64) -> Judgement {
        let Compared { gain, inflation, .. } = compared;
        self.inflation = Some(inflation.max(1.0));
        if verdict == Verdict::Bad {
            return self.refute(compared, now);
        }
        self.idle_checks = if gain < CONFIRMED { self.idle_checks + 1 } else { 0 };
        if verdict == Verdict::Open {
            self.most_alone = (2 * self.most_alone).min(EVER_ALONE);
        }
        self.keep(gain, now)
    }

    fn refute(&mut self, Compared { gain, doubt, .. }: Compared, now: f64) -> Judgement {
        let shortest = if gain * doubt < LOSS { CLEAR_PAUSE } else { SHORTEST_PAUSE };
        let loss = ATTEMPT + self.observed.seconds * (1.0 - gain).max(0.0);
        self.pause = (2.0 * self.pause).max(shortest).max(PAUSES_A_LOSS * loss);
        self.undone = Some((now + self.pause, Sum::default()));
        self.epoch = FIRST_EPOCH;
        self.has_lost = true;
        self.was_good = false;
        self.is_proven = false;
        self.beside.clear();
        Judgement::Refuted { gain }
    }

    fn keep(&mut self, gain: f64, now: f64) -> Judgement {
        let gain = gain.max(CONFIRMED);
        self.baseline = if self.is_even() { self.alone.median() } else { gain * self.observed.each() };
        self.accepted = (STILL_GOOD * gain).max(CONFIRMED);
        self.is_proven = true;
        self.patience_until = now + self.patience;
        self.patience *= 4.0;
        self.check_until = now + BETWEEN_CHECKS * self.alone_seconds;
        Judgement::Kept
    }

    /// Whether the plain loop runs because a check preferred it.
    pub(crate) fn is_undone(&self) -> bool {
        self.undone.is_some()
    }

    /// Adds `items` of the plain loop after a plan was undone.
    pub(crate) fn looped(&mut self, now: f64, items: usize, seconds: f64) -> Undone {
        let Some((until, sum)) = &mut self.undone else { return Undone::GoOn };
        let is_dear = seconds > MUCH_CHANGED * self.baseline * items as f64;
        self.dear_stretches = if is_dear { self.dear_stretches + 1 } else { 0 };
        sum.add(Sum { items: items as u64, seconds, worked: seconds });
        let is_slow = sum.seconds >= SLOW_LOOP && sum.each() >= CONFIRMED * CONFIRMED * self.observed.each();
        if self.dear_stretches >= SURELY_DEAR {
            Undone::Outdated
        } else if now >= *until || is_slow {
            Undone::Over
        } else {
            Undone::GoOn
        }
    }

    /// Starts counting anew, after a stretch that does not count. What the plain loop did meanwhile is what threads are
    /// held against from now on.
    pub(crate) fn restart(&mut self, at: Progress) {
        if let Some((_, sum)) = self.undone.take().filter(|(_, sum)| sum.items > 0) {
            self.baseline = sum.each();
        }
        self.since = at;
        self.is_suspect = false;
        self.is_manned = false;
    }

    /// Seconds an item of the plain loop, as well as is known, where running threads measured `costs`.
    pub(crate) fn serial(&self, costs: &Costs) -> f64 {
        self.inflation.map_or_else(|| plain(self.baseline, costs), |inflation| costs.serial() / inflation)
    }

    /// Another number of threads promises another gain.
    pub(crate) fn promise(&mut self, threads: usize, gain: f64) {
        self.threads = threads;
        self.accepted = accepted(gain);
        self.is_proven = false;
        self.beside.clear();
    }
}

fn accepted(promised: f64) -> f64 {
    1.0 + ACCEPTED_PART * (promised - 1.0).max(0.0)
}

/// The plain loop's seconds for an item, from the few that were run alone and from what running threads measured: the
/// former stand for all only if all are alike, the latter can only be too high.
pub(crate) fn plain(alone: f64, costs: &Costs) -> f64 {
    if costs.spread < EVEN { alone.min(costs.serial()) } else { costs.serial() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIAL: f64 = 1e-6;
    const ROUND: usize = 200;

    fn start() -> Watch {
        Watch::new(Progress::default(), 2, SERIAL, 1.9)
    }

    /// Feeds up to a second of steady progress on two busy threads that reach `gain` times the plain loop; when a check
    /// was asked for.
    fn first_doubt(watch: &mut Watch, gain: f64) -> Option<f64> {
        watch.saw(Runner::Thread);
        (1..10_000).map(|step| f64::from(step) * 1e-4).find(|&now| {
            watch.saw_chunk(100, 2.0 * SERIAL / gain, Runner::Thread);
            let at = Progress { now, produced: (now * gain / SERIAL) as u64, worked: 2.0 * now };
            watch.judge(at, ROUND) == Judgement::Check
        })
    }

    /// Runs chunks alone until that decides.
    fn check(watch: &mut Watch, now: f64, each: f64) -> Judgement {
        let mut checks = (0..64).map(|_| {
            watch.saw_chunk(100, each, Runner::Alone);
            watch.check(now)
        });
        checks.find(|checked| *checked != Judgement::GoOn).unwrap()
    }

    #[test]
    fn cheap_items_are_checked_against_the_loop_itself() {
        let mut watch = Watch::new(Progress::default(), 2, 50e-9, 1.9);
        watch.saw(Runner::Thread);
        let at = |now: f64| Progress { now, produced: (now * 1.9 / 50e-9) as u64, worked: 2.0 * now };
        let checks = (1..60).any(|step| watch.judge(at(f64::from(step) * 1e-4), 4_000) == Judgement::Check);
        assert!(checks);
        assert_eq!(watch.probed(50e-9, 2e-3), Judgement::Kept);
        assert_eq!(watch.probed(25e-9, 3e-3), Judgement::Kept, "threads had been good");
        watch.was_good = false;
        assert!(matches!(watch.probed(25e-9, 4e-3), Judgement::Refuted { .. }));
    }

    #[test]
    fn a_kept_promise_is_never_checked() {
        assert_eq!(first_doubt(&mut start(), 1.8), None);
    }

    #[test]
    fn a_plan_slower_than_the_loop_is_checked_within_a_millisecond_and_undone() {
        let mut watch = start();
        let doubted = first_doubt(&mut watch, 0.5).unwrap();
        assert!(doubted <= 1.5e-3, "{doubted}");
        let Judgement::Refuted { gain } = check(&mut watch, doubted, SERIAL) else { panic!("{watch:?}") };
        assert!((0.4..0.6).contains(&gain), "{gain}");
        assert!(watch.is_undone());
    }

    #[test]
    fn nothing_is_judged_before_a_thread_has_begun() {
        let mut watch = start();
        for step in 1..100 {
            let at = Progress { now: f64::from(step) * 1e-3, ..Progress::default() };
            assert_eq!(watch.judge(at, ROUND), Judgement::GoOn);
        }
    }

    #[test]
    fn a_modest_gain_is_confirmed_and_then_left_alone() {
        let mut watch = start();
        let doubted = first_doubt(&mut watch, 1.3).unwrap();
        assert_eq!(check(&mut watch, doubted, SERIAL), Judgement::Kept);
        watch.restart(Progress::default());
        assert_eq!(first_doubt(&mut watch, 1.3), None);
    }

    #[test]
    fn dearer_items_are_not_mistaken_for_a_bad_plan() {
        let mut watch = start();
        let doubted = first_doubt(&mut watch, 0.01).unwrap();
        assert_eq!(check(&mut watch, doubted, 190.0 * SERIAL), Judgement::Kept, "a chunk alone is as slow");
    }

    #[test]
    fn items_much_cheaper_than_thought_are_checked_once() {
        let mut watch = Watch::new(Progress::default(), 2, 30.0 * SERIAL, 1.9);
        let doubted = first_doubt(&mut watch, 1.9).unwrap();
        assert_eq!(check(&mut watch, doubted, SERIAL), Judgement::Kept);
        watch.restart(Progress::default());
        assert_eq!(first_doubt(&mut watch, 1.9), None);
    }

    #[test]
    fn uneven_items_refute_nothing_until_there_are_many() {
        let mut watch = start();
        let uneven = [1.0, 40.0, 3.0, 0.5, 12.0, 90.0, 2.0, 7.0].map(|times| times * SERIAL);
        uneven.iter().for_each(|&each| watch.saw_chunk(1, 3.0 * each, Runner::Thread));
        uneven.iter().for_each(|&each| watch.saw_chunk(1, each, Runner::Alone));
        assert_eq!(watch.check(1e-3), Judgement::Kept);
        assert!(watch.most_alone > MOST_ALONE);
    }

    #[test]
    fn busy_threads_that_inflate_nothing_are_a_gain_whatever_items_cost() {
        let mut watch = start();
        watch.observed = Sum { items: 10, seconds: 1e-3, worked: 1.9e-3 };
        (0..6).for_each(|_| watch.saw_chunk(1, 190e-6, Runner::Thread));
        assert_eq!(check(&mut watch, 1e-3, 185e-6), Judgement::Kept);
    }

    #[test]
    fn threads_that_do_not_get_to_run_are_put_up_with_for_a_while() {
        let mut watch = start();
        watch.observed = Sum { items: 1_000, seconds: 1e-3, worked: 1e-3 };
        let judgements = [0; 4].map(|_| {
            (0..6).for_each(|_| watch.saw_chunk(100, SERIAL, Runner::Thread));
            watch.alone.clear();
            watch.alone_seconds = 0.0;
            let judgement = check(&mut watch, 1e-3, SERIAL);
            watch.restart(Progress::default());
            judgement
        });
        assert_eq!(judgements[..3], [Judgement::Kept; 3]);
        assert!(matches!(judgements[3], Judgement::Refuted { .. }));
    }

    /// Threads that seem to take four times as long as the chunks alone, which are not what was expected; then `after`.
    fn second_chance(after: f64) -> Judgement {
        let mut watch = start();
        watch.observed = Sum { items: 100, seconds: 1e-3, worked: 1.9e-3 };
        (0..6).for_each(|_| watch.saw_chunk(1, 20.0 * SERIAL, Runner::Thread));
        assert_eq!(check(&mut watch, 1e-3, 5.0 * SERIAL), Judgement::Kept);
        assert!(!watch.is_undone());
        watch.saw(Runner::Thread);
        let mut judgements = (0..10).map(|_| {
            watch.saw_chunk(1, after, Runner::Thread);
            watch.judge(Progress { now: 1e-3, produced: (2e-3 / after) as u64, worked: 2e-3 }, ROUND)
        });
        judgements.find(|judgement| *judgement != Judgement::GoOn).unwrap_or(Judgement::GoOn)
    }

    #[test]
    fn items_that_drift_are_no_fault_of_threads() {
        assert_eq!(second_chance(5.0 * SERIAL), Judgement::GoOn);
    }

    #[test]
    fn threads_that_are_bad_before_and_after_are_undone() {
        assert!(matches!(second_chance(20.0 * SERIAL), Judgement::Refuted { .. }));
    }

    #[test]
    fn an_undone_plan_is_tried_again_after_a_pause_that_grows() {
        let mut watch = start();
        let mut pauses = Vec::new();
        for _ in 0..2 {
            let undone = first_doubt(&mut watch, 0.5).unwrap();
            assert!(matches!(check(&mut watch, undone, SERIAL), Judgement::Refuted { .. }));
            let mut now = undone;
            while watch.looped(now, 100, 100.0 * SERIAL) == Undone::GoOn {
                now += 100.0 * SERIAL;
            }
            pauses.push(now - undone);
            watch.restart(Progress::default());
        }
        assert!(pauses[0] >= SHORTEST_PAUSE && pauses[1] >= 1.9 * pauses[0], "{pauses:?}");
    }

    #[test]
    fn a_plan_undone_by_mistake_is_tried_again_soon() {
        let mut watch = start();
        let undone = first_doubt(&mut watch, 0.7).unwrap();
        assert!(matches!(check(&mut watch, undone, SERIAL), Judgement::Refuted { .. }));
        // The loop now takes twice what the chunks alone took: more than threads did.
        assert_eq!(watch.looped(undone + 6e-3, 3_000, 6e-3), Undone::Over);
    }

    #[test]
    fn one_interrupted_stretch_does_not_make_items_dear() {
        let mut watch = start();
        let undone = first_doubt(&mut watch, 0.5).unwrap();
        check(&mut watch, undone, SERIAL);
        let shown = [100.0, 1.0, 100.0, 100.0, 100.0].map(|times| watch.looped(undone, 1, times * SERIAL));
        assert_eq!(shown[..4], [Undone::GoOn; 4]);
        assert_eq!(shown[4], Undone::Outdated);
    }
}
