//! How long the source makes whoever pulls from it wait. What is ready, or about to be, is not to wait as long: a
//! source that listens to somebody may be silent for minutes, and nobody can take back a pull.

/// Weight of a pull that takes longer than was thought, and of one that takes less: a source that was silent may be
/// silent again, and after some hundred quick pulls no longer is thought to be.
const LONGER: f64 = 0.5;
const SHORTER: f64 = 0.01;
/// Seconds of a pull from which the source is what everybody waits for.
const SLOW: f64 = 200e-6;
/// Part of a pull for which results that are being made are waited for.
const WORTH_WAITING: f64 = 0.125;
/// Part of a silence, and seconds at most, for which results are still waited for after it: threads have little to do
/// meanwhile, and where many items follow, they are to be shared. For as long are results waited for that were expected
/// sooner.
const CAREFUL: f64 = 0.5;
const LONGEST_CAREFUL: f64 = 0.25;
/// Part of what is expected from which a pull was a silence again.
const SILENT: f64 = 0.5;

/// A running estimate of what the next pull may take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Silence {
    /// Seconds of a pull, and of an item of it.
    pull: f64,
    item: f64,
    /// Seconds that it takes one thread to make what was pulled since the last silence.
    since: f64,
}

impl Silence {
    /// Adds a pull of so many items in one go, in so many seconds; it takes as many as `making` to make a result of
    /// each.
    pub(crate) fn pulled(&mut self, items: usize, seconds: f64, making: f64) {
        let was_silent = seconds > SLOW && seconds >= SILENT * self.pull;
        self.since = making * items as f64 + if was_silent { 0.0 } else { self.since };
        self.pull = followed(self.pull, seconds);
        self.item = followed(self.item, seconds / items.max(1) as f64);
    }

    /// Whether the source is so slow that results at hand come first.
    pub(crate) fn is_slow(&self) -> bool {
        self.pull > SLOW
    }

    /// Whether each item may be the last for a while.
    pub(crate) fn is_slow_item(&self) -> bool {
        self.item > SLOW
    }

    /// Whether a pull may take longer than the consumer does for so much.
    pub(crate) fn outlasts(&self, seconds: f64) -> bool {
        seconds <= self.pull
    }

    /// Whether results that are made in so many seconds are waited for.
    pub(crate) fn is_worth_waiting(&self, seconds: f64) -> bool {
        self.is_slow() && seconds <= WORTH_WAITING * self.pull && self.since <= self.careful()
    }

    /// Seconds for which results that are being made are waited for.
    pub(crate) fn careful(&self) -> f64 {
        LONGEST_CAREFUL.min(CAREFUL * self.pull)
    }

    /// No result came while one was waited for: no others are waited for until the source was silent again.
    pub(crate) fn waited_in_vain(&mut self) {
        self.since = f64::INFINITY;
    }
}

fn followed(estimate: f64, seconds: f64) -> f64 {
    estimate + if seconds > estimate { LONGER } else { SHORTER } * (seconds - estimate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pulls: impl IntoIterator<Item = f64>) -> Silence {
        let mut silence = Silence::default();
        pulls.into_iter().for_each(|seconds| silence.pulled(1, seconds, 1e-6));
        silence
    }

    #[test]
    fn a_source_that_was_silent_is_expected_to_be_until_it_was_quick_for_long() {
        assert!(!after([1e-6; 9]).is_slow() && after([0.1]).is_slow());
        let burst = |quick| after([0.5].into_iter().chain(vec![1e-6; quick]));
        assert!(burst(30).is_worth_waiting(10e-3) && !burst(300).is_worth_waiting(10e-3));
        assert!(!burst(1_000).is_slow());
    }

    #[test]
    fn many_items_after_a_silence_are_shared_after_all() {
        let promptly = |silence: f64, making: f64| {
            let mut source = Silence::default();
            (0..9).for_each(|_| source.pulled(1, silence, making));
            let mut prompt = 0;
            while source.is_worth_waiting(making) {
                source.pulled(1, 1e-6, making);
                prompt += 1;
            }
            prompt
        };
        assert!((15..=25).contains(&promptly(0.5, 10e-3)), "half of the silence");
        assert!((4..=6).contains(&promptly(60.0, 50e-3)), "a quarter of a second");
    }

    #[test]
    fn results_that_do_not_come_are_waited_for_once_after_a_silence() {
        let mut source = after([0.1]);
        assert!(source.is_worth_waiting(1e-3) && (0.02..=0.05).contains(&source.careful()));
        source.waited_in_vain();
        source.pulled(1, 1e-6, 1e-6);
        assert!(!source.is_worth_waiting(1e-3));
        source.pulled(1, 0.1, 1e-6);
        assert!(source.is_worth_waiting(1e-3));
    }

    #[test]
    fn results_that_take_as_long_as_a_pull_are_not_waited_for() {
        let steady = after([5e-3; 20]);
        assert!(steady.is_worth_waiting(0.5e-3) && !steady.is_worth_waiting(2e-3));
        assert!(!after([100e-6; 20]).is_worth_waiting(1e-6), "that is no silence");
    }

    #[test]
    fn a_chunk_of_many_takes_long_without_any_of_them_being_slow() {
        let mut silence = Silence::default();
        silence.pulled(1_000, 1e-3, 0.0);
        assert!(silence.is_slow() && !silence.is_slow_item());
    }
}
