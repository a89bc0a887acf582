//! Whether a running parallel plan keeps what it promised, end to end: results a second against the plain loop.
//!
//! The function's own time cannot tell: contended locks, memory bandwidth, or results freed by another thread than made
//! them slow down what surrounds it. So the watch compares rates, and when one disappoints it asks for a *probe*: a
//! short stretch of the plain loop on the very next items. Probes get rarer each time they find the plan right.

/// Shortest seconds of a first judgement: ten times the start-up of a pool.
const FIRST_EPOCH: f64 = 400e-6;
/// Longest seconds between two judgements.
const LONGEST_EPOCH: f64 = 20e-3;
/// Gain at which a probe confirms the parallel plan.
const CONFIRMED: f64 = 1.04;
/// Part of the promised gain that is accepted without a probe.
const ACCEPTED_PART: f64 = 0.5;
/// Share of the confirmed gain below which it is doubted again.
const STILL_GOOD: f64 = 0.8;
/// Seconds of the first pause after a plan was undone, before parallel is tried again.
const FIRST_PAUSE: f64 = 50e-3;

/// What to do about a running plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Too early, or as promised.
    GoOn,
    /// Slower than promised: compare with the plain loop.
    Probe,
}

/// The state of watching.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// Seconds an item of the plain loop.
    baseline: f64,
    /// Gain from which no probe is needed.
    accepted: f64,
    since: f64,
    yielded: u64,
    epoch: f64,
    /// Seconds an item in the last judged epoch.
    observed: f64,
    /// Not before this time is the plan doubted again.
    patience_until: f64,
    patience: f64,
    pause: f64,
}

impl Watch {
    pub(crate) fn new(now: f64, yielded: u64, baseline: f64, promised: f64) -> Self {
        Self {
            baseline,
            accepted: 1.0 + ACCEPTED_PART * (promised - 1.0).max(0.0),
            since: now,
            yielded,
            epoch: FIRST_EPOCH,
            observed: baseline,
            patience_until: now,
            patience: 2e-3,
            pause: FIRST_PAUSE,
        }
    }

    /// Judges once an epoch; `window` is the number of items in flight, `serial` what the plain loop would take now
    /// according to the running estimates.
    pub(crate) fn check(&mut self, now: f64, yielded: u64, window: usize, serial: f64) -> Verdict {
        let (seconds, items) = (now - self.since, yielded - self.yielded);
        if seconds < self.epoch || items < 2 * window as u64 {
            return Verdict::GoOn;
        }
        self.observed = seconds / items as f64;
        // Estimates from running threads can only be too high, so a lower one is true: items became cheaper.
        self.baseline = self.baseline.min(serial);
        self.restart(now, yielded);
        self.epoch = (2.0 * self.epoch).min(LONGEST_EPOCH);
        if self.gain() < self.accepted && now >= self.patience_until { Verdict::Probe } else { Verdict::GoOn }
    }

    /// Judges a probe that took `serial` seconds an item; true if the parallel plan is the better one.
    pub(crate) fn confirm(&mut self, now: f64, serial: f64) -> bool {
        self.baseline = serial;
        let is_better = self.gain() >= CONFIRMED;
        if is_better {
            self.accepted = STILL_GOOD * self.gain();
            self.patience *= 4.0;
            self.patience_until = now + self.patience;
        }
        is_better
    }

    /// Starts counting anew, after a stretch that does not count.
    pub(crate) fn restart(&mut self, now: f64, yielded: u64) {
        self.since = now;
        self.yielded = yielded;
    }

    /// Throughput of the last judged epoch against the plain loop.
    pub(crate) fn gain(&self) -> f64 {
        self.baseline / self.observed
    }

    /// Seconds an item of the plain loop.
    pub(crate) fn baseline(&self) -> f64 {
        self.baseline
    }

    /// Seconds for which an undone plan is not tried again; doubles each time.
    pub(crate) fn next_pause(&mut self) -> f64 {
        let pause = self.pause;
        self.pause *= 2.0;
        self.epoch = FIRST_EPOCH;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIAL: f64 = 1e-6;

    /// Feeds a second of steady progress at `rate` times the plain loop; returns when a probe was asked for.
    fn first_probe(watch: &mut Watch, rate: f64) -> Option<f64> {
        (1..10_000)
            .map(|step| f64::from(step) * 1e-4)
            .find(|&now| watch.check(now, (now * rate / SERIAL) as u64, 64, SERIAL / rate * 2.0) == Verdict::Probe)
    }

    #[test]
    fn a_kept_promise_is_never_probed() {
        assert_eq!(first_probe(&mut Watch::new(0.0, 0, SERIAL, 1.9), 1.8), None);
    }

    #[test]
    fn a_plan_slower_than_the_loop_is_probed_within_a_millisecond_and_undone() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        let probed = first_probe(&mut watch, 0.5).unwrap();
        assert!(probed <= 1e-3, "{probed}");
        assert!(!watch.confirm(probed, SERIAL));
    }

    #[test]
    fn a_modest_gain_is_confirmed_and_then_left_alone() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        let probed = first_probe(&mut watch, 1.3).unwrap();
        assert!(watch.confirm(probed, SERIAL));
        watch.restart(0.0, 0);
        assert_eq!(first_probe(&mut watch, 1.3), None);
    }

    #[test]
    fn dearer_items_are_not_mistaken_for_a_bad_plan() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        let probed = first_probe(&mut watch, 0.01).unwrap();
        assert!(watch.confirm(probed, 190.0 * SERIAL), "the probe shows that the loop became slower too");
    }

    #[test]
    fn pauses_grow() {
        let mut watch = Watch::new(0.0, 0, SERIAL, 1.9);
        assert!(watch.next_pause() < watch.next_pause());
    }
}
