//! The chance that the chosen plan is within 10 % of the best there is: a logistic law whose weights were fitted to
//! some five thousand runs of the simulator (`crate::sim`), where the best plan is known. What the simulator has none
//! of, queries that the history is not about, takes away from that.

use crate::plan::Pool;

use super::candidates::{Candidate, Field};
use super::model::Model;

/// Chance, as log-odds, of an untried plan of one thread in a long run, and of any number of threads that wait.
const COMPUTING: f64 = 1.8;
const WAITING: f64 = 2.0;
/// What having tried the plan adds.
const TRIED: f64 = 1.4;
/// What predictions that were off take away, by the logarithm of 1 + octaves².
const MISSED: f64 = 0.9;
/// What each doubling of threads that compute takes away: there are more plans to be wrong about.
const DOUBLING: f64 = 0.15;
/// What the start of threads takes away, by the logarithm of 1 + its share in the run.
const STARTING: f64 = 5.4;
/// Seconds that starting takes.
const START_TIME: f64 = 50e-6;
/// Chance below which the law is too pessimistic, and what it is there at most.
const DOUBTED: f64 = 0.5;
const LUCK: f64 = 0.36;
/// How fast that turns into the law above [`DOUBTED`].
const STEEP: f64 = 1.6;
/// Relevance of the nearest sample, and weight of all, at which half of the confidence is left.
const HALF_RELEVANCE: f64 = 0.03;
const HALF_EVIDENCE: f64 = 0.05;
/// Octaves of dispersion at which half of the confidence is left.
const HALF_DISPERSION: f64 = 6.0;
/// Octaves of item time that are always open.
const LEAST_DOUBT: f64 = 0.1;

/// Octaves that the first prediction may be off besides, of threads that compute and of those that wait: how fast many
/// of them are started is seen only in whole runs.
const NEW_COMPUTING: f64 = 0.2;
const NEW_WAITING: f64 = 1.0;

/// How much of a choice is to be believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    pub(super) confidence: f64,
    /// Factor that end-to-end time may be off, either way.
    pub(super) factor: f64,
}

/// Judges the choice.
pub(super) fn judge(model: &Model, field: &Field<'_>, choice: &Candidate) -> Doubt {
    let octaves = (field.view.dispersion.max(model.error()) as f64).max(LEAST_DOUBT);
    let bound = model.residual(0.9).map_or_else(|| unproven(model, choice, octaves), f64::from);
    Doubt { confidence: right(model, field, choice) * about(field), factor: bound.exp2() }
}

/// Octaves that end-to-end time may be off where predictions were too few to tell.
fn unproven(model: &Model, choice: &Candidate, octaves: f64) -> f64 {
    let novelty = if choice.pool == Pool::Blocking { NEW_WAITING } else { NEW_COMPUTING };
    2.0 * octaves + novelty / (1.0 + model.residuals() as f64)
}

/// The chance to be right if the history is about this query.
fn right(model: &Model, field: &Field<'_>, choice: &Candidate) -> f64 {
    let view = field.view;
    let seconds = view.items as f64 * view.costs.serial() / choice.speedup;
    let start = STARTING * (START_TIME / seconds).ln_1p();
    let untried = match choice.pool {
        Pool::Serial => COMPUTING,
        Pool::Cpu => COMPUTING - DOUBLING * (choice.threads as f64).log2() - start,
        Pool::Blocking => WAITING - start,
    };
    let tried = TRIED * choice.evidence / (choice.evidence + 1.0);
    let odds = untried + tried - MISSED * model.miss().powi(2).ln_1p();
    lucky(1.0 / (1.0 + (-odds).exp()))
}

/// Plans that are wrong for all that is known are right now and then, until nearly everything speaks against them: many
/// others are about as good.
fn lucky(chance: f64) -> f64 {
    if chance < DOUBTED {
        LUCK * (1.0 - (1.0 - chance / DOUBTED).powi(6))
    } else {
        chance.min(LUCK + STEEP * (chance - DOUBTED))
    }
}

/// How far the history is about this query.
fn about(field: &Field<'_>) -> f64 {
    let view = field.view;
    let part = |value: f32, half: f64| f64::from(value) / (f64::from(value) + half);
    let dispersion = f64::from(view.dispersion) / HALF_DISPERSION;
    part(view.relevance, HALF_RELEVANCE) * part(view.evidence, HALF_EVIDENCE) / (1.0 + dispersion * dispersion)
}
