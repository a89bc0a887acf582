//! Whether a running parallel plan keeps what it promised, end to end: results a second against the plain loop.
//!
//! The function's own time cannot tell: contended locks, memory bandwidth, or results freed by another thread than made
//! them slow down what surrounds it. So the watch compares rates, and when one disappoints it asks for a *probe*: a
//! short stretch of the plain loop on the very next items. Probes get rarer each time they find the plan right.

use super::costs::Costs;

/// Shortest seconds of a first judgement: some times the start-up of a pool.
const FIRST_EPOCH: f64 = 400e-6;
/// The same where threads do so badly that waiting costs more than a mistake.
const ALARM_EPOCH: f64 = 150e-6;
/// Gain below which threads do that badly, and below which they are surely a loss.
const ALARM: f64 = 0.5;
const LOSS: f64 = 0.97;
/// Seconds of a judgement on threads that have lost before: what misleads (a lucky start, a lock that one thread keeps)
/// is over then.
const LATER_EPOCH: f64 = 1.5e-3;
/// Longest seconds between two judgements.
const LONGEST_EPOCH: f64 = 20e-3;
/// Chunks for every thread in an epoch, at least: the first of them only start the pool.
const FEW_ROUNDS: u64 = 3;
/// Gain at which a probe confirms the parallel plan.
const CONFIRMED: f64 = 1.04;
/// Part of the promised gain that is accepted without a probe.
const ACCEPTED_PART: f64 = 0.5;
/// Share of the confirmed gain below which it is doubted again.
const STILL_GOOD: f64 = 0.8;
/// Shortest seconds of a pause after a plan was undone, before parallel is tried again.
const SHORTEST_PAUSE: f64 = 10e-3;
/// A pause is so many times what the attempt has cost, so that attempts cost 2 % at most; and what one costs anyway.
const PAUSES_A_LOSS: f64 = 50.0;
const ATTEMPT: f64 = 100e-6;
/// Seconds of a probe of items that all take the same time.
pub(crate) const PROBE: f64 = 200e-6;
/// Seconds of the longest probe.
const LONGEST_PROBE: f64 = 5e-3;
/// Coefficient of variation below which a few items stand for all.
const EVEN: f64 = 0.5;
/// Ratio from which a probe saw other items than the plan was made for, and proves nothing.
const CHANGED: f64 = 3.0;
/// The same for a stretch of the loop, which a preemption may lengthen.
const MUCH_CHANGED: f64 = 8.0;

/// What a probe has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Probed {
    /// Too few items yet.
    GoOn,
    /// The parallel plan is better, as far as can be told.
    Kept,
    /// It reached only so much of the plain loop.
    Refuted { gain: f64 },
}

/// Items and their time.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    items: u64,
    seconds: f64,
}

impl Sum {
    fn add(&mut self, items: u64, seconds: f64) {
        self.items += items;
        self.seconds += seconds;
    }

    fn each(&self) -> f64 {
        self.seconds / self.items as f64
    }
}

/// The state of watching.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// Seconds an item of the plain loop.
    baseline: f64,
    /// Gain from which no probe is needed.
    accepted: f64,
    since: f64,
    produced: u64,
    epoch: f64,
    /// What threads did in the epochs that count: the last one, or all since the first that disappointed.
    observed: Sum,
    /// A first epoch has disappointed; the next one decides.
    is_suspect: bool,
    /// Not before this time is the plan doubted again.
    patience_until: f64,
    patience: f64,
    /// What the plain loop did in probes, and how uneven its items were.
    probe: Sum,
    probe_spread: f64,
    /// While the plan is undone: when it is tried again, and how the plain loop does.
    undone: Option<(f64, Sum)>,
    /// The last pause; the next one is at least twice as long.
    pause: f64,
}

impl Watch {
    pub(crate) fn new(now: f64, produced: u64, baseline: f64, promised: f64) -> Self {
        Self {
            baseline,
            accepted: accepted(promised),
            since: now,
            produced,
            epoch: FIRST_EPOCH,
            observed: Sum { items: 1, seconds: baseline },
            is_suspect: false,
            patience_until: now,
            patience: 2e-3,
            probe: Sum::default(),
            probe_spread: 0.0,
            undone: None,
            pause: 0.0,
        }
    }

    /// Judges once an epoch; true asks for a probe. `produced` results are finished, whether yielded or not; `round` is
    /// a chunk for every thread, `serial` what the plain loop would take now according to the running estimates.
    pub(crate) fn doubts(&mut self, now: f64, produced: u64, round: usize, serial: f64) -> bool {
        let epoch = Sum { items: produced - self.produced, seconds: now - self.since };
        let rounds = epoch.items / round.max(1) as u64;
        let is_alarm = rounds >= 1 && epoch.seconds >= ALARM_EPOCH && self.baseline < ALARM * epoch.each();
        if !is_alarm && (epoch.seconds < self.epoch || rounds < FEW_ROUNDS) {
            return false;
        }
        self.since = now;
        self.produced = produced;
        // Estimates from running threads can only be too high, so a lower one is true: items became cheaper.
        self.baseline = self.baseline.min(serial);
        self.judge(epoch, is_alarm, now)
    }

    /// One bad epoch may be the machine's fault; the second one is the plan's.
    fn judge(&mut self, epoch: Sum, is_alarm: bool, now: f64) -> bool {
        let gain = self.baseline / epoch.each();
        // Patience is for gains that are small; a loss is looked into at once.
        let is_bad = gain < self.accepted && (now >= self.patience_until || gain < LOSS);
        if is_bad && self.is_suspect {
            self.observed.add(epoch.items, epoch.seconds);
        } else {
            self.observed = epoch;
        }
        let is_doubtful = is_bad && (self.is_suspect || is_alarm);
        self.is_suspect = is_bad;
        if !is_bad {
            self.epoch = (2.0 * self.epoch).min(LONGEST_EPOCH);
        }
        is_doubtful
    }

    /// Adds `items` of a probe that took `seconds`, with the coefficient of variation of single items. A mean over n
    /// items is uncertain by spread / √n: threads are refuted only where that leaves no doubt.
    pub(crate) fn probed(&mut self, items: usize, seconds: f64, spread: f64, now: f64) -> Probed {
        self.probe.add(items as u64, seconds);
        self.probe_spread = self.probe_spread.max(spread);
        let loop_time = self.probe.each();
        let is_changed = !(1.0 / CHANGED..=CHANGED).contains(&(loop_time / self.baseline));
        let (gain, doubt) = (loop_time / self.observed.each(), self.uncertainty());
        if self.probe.seconds < PROBE || (gain * (1.0 + doubt) >= CONFIRMED && gain < CONFIRMED && !self.is_long()) {
            return Probed::GoOn;
        }
        self.baseline = loop_time;
        self.probe = Sum::default();
        self.probe_spread = 0.0;
        if is_changed {
            return Probed::Kept;
        }
        if gain * (1.0 + doubt) < CONFIRMED {
            let loss = ATTEMPT + self.observed.seconds * (1.0 - gain).max(0.0);
            self.pause = (2.0 * self.pause).max(SHORTEST_PAUSE).max(PAUSES_A_LOSS * loss);
            self.undone = Some((now + self.pause, Sum::default()));
            self.epoch = LATER_EPOCH;
            return Probed::Refuted { gain };
        }
        self.accepted = STILL_GOOD * gain.max(CONFIRMED);
        self.patience *= 4.0;
        self.patience_until = now + self.patience;
        Probed::Kept
    }

    fn is_long(&self) -> bool {
        self.probe.seconds >= LONGEST_PROBE
    }

    /// Relative standard error of the ratio of both means.
    fn uncertainty(&self) -> f64 {
        self.probe_spread * (1.0 / self.probe.items as f64 + 1.0 / self.observed.items as f64).sqrt()
    }

    /// Whether the plain loop runs because a probe preferred it.
    pub(crate) fn is_undone(&self) -> bool {
        self.undone.is_some()
    }

    /// Whether the loop's items now take so much longer than when the plan was undone that nothing is known of them.
    pub(crate) fn is_outdated(&self, each: f64) -> bool {
        self.is_undone() && each > MUCH_CHANGED * self.baseline
    }

    /// Adds `items` of the plain loop after a plan was undone. True when threads are worth another attempt: after a
    /// pause, or because the loop turns out slower than they were.
    pub(crate) fn wants_threads_again(&mut self, now: f64, items: usize, seconds: f64) -> bool {
        let Some((until, sum)) = &mut self.undone else { return false };
        sum.add(items as u64, seconds);
        let is_slow = sum.seconds >= LONGEST_PROBE && sum.each() >= CONFIRMED * CONFIRMED * self.observed.each();
        now >= *until || is_slow
    }

    /// Starts counting anew, after a stretch that does not count.
    pub(crate) fn restart(&mut self, now: f64, produced: u64) {
        self.since = now;
        self.produced = produced;
        self.is_suspect = false;
        self.undone = None;
    }

    /// Seconds an item of the plain loop, as well as is known.
    pub(crate) fn serial(&self, costs: &Costs) -> f64 {
        plain(self.baseline, costs)
    }

    /// Another number of threads promises another gain.
    pub(crate) fn promise(&mut self, gain: f64) {
        self.accepted = accepted(gain);
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

    /// Feeds a second of steady progress at `rate` times the plain loop; returns when a probe was asked for.
    fn first_probe(watch: &mut Watch, rate: f64) -> Option<f64> {
        (1..10_000)
            .map(|step| f64::from(step) * 1e-4)
            .find(|&now| watch.doubts(now, (now * rate / SERIAL) as u64, 64, SERIAL / rate * 2.0))
    }

    fn probe(watch: &mut Watch, now: f64, each: f64) -> Probed {
        watch.probed((PROBE / each).ceil() as usize + 1, PROBE + each, 0.0, now)
    }

    #[test]
    fn a_kept_promise_is_never_probed() {
        assert_eq!(first_probe(&mut Watch::new(0.0, 0, SERIAL, 1.9), 1.8), None);
    }

    #[test]
    fn a_plan_slower_than_the_loop_is_probed_within_a_millisecond_and_undone() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        let probed = first_probe(&mut watch, 0.5).unwrap();
        assert!(probed <= 1.5e-3, "{probed}");
        let Probed::Refuted { gain } = probe(&mut watch, probed, SERIAL) else { panic!("{watch:?}") };
        assert!((0.4..0.6).contains(&gain), "{gain}");
        assert!(watch.is_undone());
    }

    #[test]
    fn a_modest_gain_is_confirmed_and_then_left_alone() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        let probed = first_probe(&mut watch, 1.3).unwrap();
        assert_eq!(probe(&mut watch, probed, SERIAL), Probed::Kept);
        watch.restart(0.0, 0);
        assert_eq!(first_probe(&mut watch, 1.3), None);
    }

    #[test]
    fn dearer_items_are_not_mistaken_for_a_bad_plan() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        let probed = first_probe(&mut watch, 0.01).unwrap();
        assert_eq!(probe(&mut watch, probed, 190.0 * SERIAL), Probed::Kept, "the loop became slower too");
    }

    #[test]
    fn uneven_items_are_probed_for_longer() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        assert_eq!(watch.probed(300, 300e-6, 5.0, 0.0), Probed::GoOn);
        assert_ne!(watch.probed(5_000, 5e-3, 5.0, 0.0), Probed::GoOn);
    }

    #[test]
    fn an_undone_plan_is_tried_again_after_a_pause_that_grows() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        let mut pauses = Vec::new();
        for _ in 0..2 {
            let undone = first_probe(&mut watch, 0.5).unwrap();
            probe(&mut watch, undone, SERIAL);
            let mut now = undone;
            while !watch.wants_threads_again(now, 100, 100.0 * SERIAL) {
                now += 100.0 * SERIAL;
            }
            pauses.push(now - undone);
            watch.restart(0.0, 0);
        }
        assert!(pauses[0] >= SHORTEST_PAUSE && pauses[1] >= 1.9 * pauses[0], "{pauses:?}");
    }

    #[test]
    fn a_plan_undone_by_mistake_is_tried_again_soon() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        let undone = first_probe(&mut watch, 0.7).unwrap();
        probe(&mut watch, undone, SERIAL);
        // The loop now takes twice what the probe took: more than threads did.
        assert!(watch.wants_threads_again(undone + 6e-3, 3_000, 6e-3));
    }
}
