//! The chance that the chosen plan is within 10 % of the best there is: as far as the history is about this very
//! query, as rich as it is, and as little as the choice depends on what it leaves open.

use crate::decide::costs::Costs;

use super::candidates::{Candidate, Field};
use super::history::Model;

/// Part of the best throughput that a right plan reaches.
const RIGHT: f64 = 0.9;
/// Octaves of item time that are always open.
const LEAST_DOUBT: f64 = 0.1;
/// Samples' weight at which half of the remaining doubt is gone.
const HALF_EVIDENCE: f64 = 0.35;

/// Octaves that recent predictions were off at which half of the confidence is gone.
const MISS_SCALE: f64 = 2.0;

/// How much is to be believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    pub(super) confidence: f64,
    /// Factor that end-to-end time may be off, either way.
    pub(super) factor: f64,
}

/// Judges the choice.
pub(super) fn judge(model: &Model, field: &Field<'_>, choice: &Candidate) -> Doubt {
    let view = field.view;
    let octaves = (view.dispersion.max(model.error()) as f64).max(LEAST_DOUBT);
    let relevance = f64::from(view.relevance).sqrt();
    let evidence = f64::from(view.evidence) / (f64::from(view.evidence) + HALF_EVIDENCE);
    let agreement = 1.0 / (1.0 + (model.miss() / MISS_SCALE).powi(2));
    let confidence = relevance * evidence * robustness(field, choice, octaves) * agreement;
    let bound = model.residual(0.9).map_or(2.0 * octaves, f64::from);
    Doubt { confidence: confidence.clamp(0.0, 1.0), factor: bound.exp2() }
}

/// Part of the plausible item times for which the choice stays right.
fn robustness(field: &Field<'_>, choice: &Candidate, octaves: f64) -> f64 {
    let at = |octaves: f64| {
        let costs = Costs { item: field.view.costs.item * octaves.exp2(), ..field.view.costs };
        let (mut best, mut own) = (1.0f64, 1.0f64);
        field.each(&costs, |candidate| {
            best = best.max(candidate.speedup);
            if (candidate.pool, candidate.threads) == (choice.pool, choice.threads) {
                own = own.max(candidate.speedup);
            }
        });
        (own / best / RIGHT).min(1.0).powi(3)
    };
    0.25 * at(-octaves) + 0.5 + 0.25 * at(octaves)
}
