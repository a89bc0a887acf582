//! What [`Tuner::predict`](crate::Tuner::predict) shows. Holds values and prints them; decides nothing.

use std::fmt;
use std::ops::RangeInclusive;

use crate::learn::predict::Forecast;
use crate::plan::Plan;
use crate::words::Rate;

/// The plan that earlier runs recommend, with what to expect of it and how much to believe it.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    plan: Plan,
    confidence: f64,
    samples: usize,
    throughput: RangeInclusive<f64>,
}

impl Prediction {
    /// The plan that a run would start with. Its reason says in a sentence what it rests on.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The chance that the plan is within 10 % of the best there is, 0.0..=1.0.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// Recorded runs that the prediction rests on, at least 3.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Expected items a second, end to end: about nine of ten runs lie within.
    #[must_use]
    pub fn throughput(&self) -> RangeInclusive<f64> {
        self.throughput.clone()
    }
}

impl From<&Forecast> for Prediction {
    fn from(forecast: &Forecast) -> Self {
        Self {
            plan: forecast.plan(),
            confidence: forecast.confidence,
            samples: forecast.samples,
            throughput: forecast.throughput(),
        }
    }
}

impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, confidence, samples, throughput } = self;
        let percent = 100.0 * confidence;
        let (low, high) = (Rate(*throughput.start()), Rate(*throughput.end()));
        write!(f, "{plan} ({percent:.0} % sure from {samples} samples; {low} to {high} items a second)")
    }
}
