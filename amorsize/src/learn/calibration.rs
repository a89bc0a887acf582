//! Whether confidence has been deserved, and the default threshold that follows. Pure update rule; no file, no clock.

use std::fmt;

use crate::constants::{
    CALIBRATION_FACTOR, CONFIDENCE_THRESHOLD, HIGHEST_THRESHOLD, LOWEST_THRESHOLD, MIN_CALIBRATION_SAMPLES,
};
use crate::words::count;

use super::sample::Sample;

/// Weight of the newest sample in running means, once there are many: some hundred samples count.
const NEWEST: f64 = 0.01;
/// Seconds of a run below which what it took says more of beginning and ending it than of its plan.
const MEASURED: f64 = 50e-6;
/// Part of the promised throughput that a plan which was right reaches.
const RIGHT: f64 = 0.9;

/// How predictions have compared with what happened, and the confidence that a prediction needs by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    samples: u64,
    accuracy: f64,
    /// Mean confidence, and share of predictions that were right.
    confidence: f64,
    hits: f64,
    threshold: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { samples: 0, accuracy: 0.0, confidence: 0.0, hits: 0.0, threshold: CONFIDENCE_THRESHOLD }
    }
}

impl Calibration {
    /// Predicted runs that have been compared with what happened: those of 50 µs or more, since shorter ones show
    /// little of their plan.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Mean ratio of predicted and observed throughput, the smaller over the larger: 1.0 is a perfect record,
    /// 0.0 none.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.accuracy
    }

    /// Confidence below which a prediction is not used unless `confidence_threshold` says otherwise, 0.5..=0.95.
    /// Starts at 0.7 and, from 10 samples on, rises when confidence was too high and falls when it was too low.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Compares a finished stretch with what had been predicted of it, if anything was.
    pub(crate) fn observe(&mut self, sample: &Sample) {
        let Some(predicted) = sample.predicted.filter(|_| is_measured(sample)) else { return };
        let (said, seen) = (f64::from(predicted.end_to_end), f64::from(sample.end_to_end));
        let accuracy = said.min(seen) / said.max(seen);
        if accuracy.is_finite() {
            // Other items than before are no fault of the plan, and neither are better figures than it promised.
            let other_items = sample.costs.item / f64::from(predicted.item_time);
            let is_right = seen * RIGHT <= said * if other_items.is_finite() { other_items.max(1.0) } else { 1.0 };
            self.count(f64::from(predicted.confidence).clamp(0.0, 1.0), accuracy, is_right);
        }
    }

    fn count(&mut self, confidence: f64, accuracy: f64, is_right: bool) {
        self.samples += 1;
        let share = (1.0 / self.samples as f64).max(NEWEST);
        let hit = if is_right { 1.0 } else { 0.0 };
        self.accuracy += share * (accuracy - self.accuracy);
        self.confidence += share * (confidence - self.confidence);
        self.hits += share * (hit - self.hits);
        if self.samples >= MIN_CALIBRATION_SAMPLES {
            // Confidence that exceeds the share of hits by so much must be higher by so much to be as good as it says.
            let deserved = CONFIDENCE_THRESHOLD + self.confidence - self.hits;
            let moved = self.threshold + CALIBRATION_FACTOR * (deserved - self.threshold);
            self.threshold = moved.clamp(LOWEST_THRESHOLD, HIGHEST_THRESHOLD);
        }
    }
}

fn is_measured(sample: &Sample) -> bool {
    sample.items as f64 * f64::from(sample.end_to_end) >= MEASURED
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (samples, percent) = (self.samples, 100.0 * self.accuracy);
        if samples == 0 {
            write!(f, "no predictions yet; ")?;
        } else {
            write!(f, "{}, {percent:.0} % accurate on average; ", count(samples, "prediction"))?;
        }
        write!(f, "a prediction needs a confidence of {:.2}", self.threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::costs::Costs;
    use crate::learn::predict::tests::sample;
    use crate::learn::sample::Predicted;
    use crate::plan::Pool;

    fn after(count: u64, confidence: f64, accuracy: f64) -> Calibration {
        let mut calibration = Calibration::default();
        (0..count).for_each(|_| calibration.count(confidence, accuracy, accuracy >= RIGHT));
        calibration
    }

    #[test]
    fn nine_samples_move_nothing() {
        assert_eq!(after(9, 0.9, 0.1).threshold(), 0.7);
    }

    #[test]
    fn the_tenth_moves_the_threshold_a_tenth_of_the_way() {
        // Sure at 0.9 and never right: 0.7 + 0.9 is deserved, so 0.1 × 0.9 is added.
        assert!((after(10, 0.9, 0.1).threshold() - 0.79).abs() < 1e-9);
    }

    #[test]
    fn the_threshold_stays_within_its_bounds() {
        assert_eq!(after(1_000, 1.0, 0.0).threshold(), 0.95);
        assert_eq!(after(1_000, 0.3, 1.0).threshold(), 0.5);
    }

    #[test]
    fn deserved_confidence_keeps_the_threshold() {
        assert!((after(100, 1.0, 0.95).threshold() - 0.7).abs() < 1e-9);
    }

    #[test]
    fn runs_that_are_over_at_once_prove_nothing() {
        let compared = |items| {
            let predicted = Some(Predicted { confidence: 0.9, item_time: 20e-9, end_to_end: 20e-9 });
            let costs = Costs { item: 20e-9, ..Costs::default() };
            let run = sample(Pool::Serial, 1, 20e-9, 1.0);
            let mut calibration = Calibration::default();
            calibration.observe(&Sample { items, end_to_end: 100e-9, costs, predicted, ..run });
            calibration.samples()
        };
        assert_eq!([compared(27), compared(2_700)], [0, 1]);
    }

    #[test]
    fn it_prints_as_a_sentence() {
        assert_eq!(
            after(1, 0.9, 0.5).to_string(),
            "1 prediction, 50 % accurate on average; a prediction needs a confidence of 0.70"
        );
    }
}
