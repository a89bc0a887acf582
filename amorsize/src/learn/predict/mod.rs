//! A plan from what earlier runs have taught, without a dry run. Pure: no clock, no file, no randomness; the same
//! history and query always give the same forecast.
//!
//! - [`model`]: samples as compact rows, their trust, and how well rows foretold the next one
//! - [`claims`]: what running threads claim of the plain loop, held against runs of it
//! - [`neighbours`]: which rows count for a query, and what an item costs by their testimony
//! - [`setup`]: plans as the model sees them, and which are of a kind
//! - [`scaling`]: how much threads slow each other down
//! - [`outcomes`]: what plans achieved against what the model said of them
//! - [`candidates`]: the plans that come into question, each with its expected speed-up
//! - [`neglect`]: when threads that were given up are due for another attempt
//! - [`confidence`]: the chance that the best of them is really within 10 % of the best there is
//! - [`forecast`]: the result

mod candidates;
mod claims;
mod confidence;
mod forecast;
mod model;
mod neglect;
mod neighbours;
mod outcomes;
mod scaling;
mod setup;
#[cfg(test)]
pub(super) mod tests;

use std::fmt;

use crate::constants::MIN_SAMPLES;
use crate::decide::choose;
use crate::decide::costs::Costs;
use crate::decide::risk;
use crate::decide::situation::Situation;
use crate::decide::timing::Wake;
use crate::options::Options;
use crate::plan::Pool;

pub(crate) use forecast::Forecast;
pub(crate) use model::Model;

/// What is known before the first item is pulled.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a> {
    /// Hash of the function's body.
    pub(crate) body: u64,
    /// Debug or release, and the target.
    pub(crate) build: u64,
    /// What this machine is filed under.
    pub(crate) machine: u64,
    /// How much another machine resembles this one, 0..=1.
    pub(crate) similarity: &'a dyn Fn(u64) -> f64,
    /// Where the stream was made.
    pub(crate) call_site: u64,
    /// Items, when the source knows.
    pub(crate) items: Option<u64>,
    /// Fewest items, when the source does not know.
    pub(crate) at_least: u64,
    pub(crate) options: &'a Options,
    pub(crate) situation: &'a Situation,
}

/// A query that was asked. Of the same history it has the same answer whenever it is asked again, unless threads are
/// due for another attempt: how soon one wakes up, which is never the same, decides on that alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    origin: [u64; 4],
    items: (Option<u64>, u64),
    options: Options,
    situation: Situation,
}

impl Asked {
    /// The query that was asked, to be asked again.
    pub(crate) fn query<'a>(&'a self, similarity: &'a dyn Fn(u64) -> f64) -> Query<'a> {
        let &Self { origin, items: (items, at_least), ref options, ref situation } = self;
        let [body, build, machine, call_site] = origin;
        Query { body, build, machine, similarity, call_site, items, at_least, options, situation }
    }
}

impl From<&Query<'_>> for Asked {
    fn from(query: &Query<'_>) -> Self {
        let &Query { body, build, machine, call_site, items, at_least, options, situation, .. } = query;
        let origin = [body, build, machine, call_site];
        let wake = Wake { call: 0.0, latency: 0.0, ..situation.wake };
        let situation = Situation { wake, ..*situation };
        Self { origin, items: (items, at_least), options: options.clone(), situation }
    }
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("items", &self.items).field("options", self.options).finish_non_exhaustive()
    }
}

/// Whether threads would pay, were it only for what items cost.
fn threads_would_pay(query: &Query<'_>, view: &neighbours::View) -> bool {
    let threads = choose::threads(&view.costs, view.items, query.options, query.situation);
    threads.is_some_and(|(_, gain)| risk::pays_for_check(&view.costs, gain, view.items))
}

impl Model {
    /// The plan that earlier runs recommend, or `None` where they are too few or too far from the query for so much
    /// confidence.
    pub(crate) fn predict(&self, query: &Query<'_>, threshold: f64) -> Option<Forecast> {
        self.forecast(query).filter(|forecast| forecast.confidence >= threshold)
    }

    /// Whether threads are due for another attempt at items of such costs, should they pay.
    pub(crate) fn is_neglected(&self, query: &Query<'_>, costs: &Costs) -> bool {
        let at_risk = risk::by_heap(costs, query.situation);
        let is_over = self.neglected.is_over((query.body, query.build, query.machine), at_risk);
        is_over && !risk::slows_everything(costs, query.situation)
    }

    /// What [`Model::predict`] says, however little confidence it deserves.
    pub(crate) fn forecast(&self, query: &Query<'_>) -> Option<Forecast> {
        if self.len() < MIN_SAMPLES {
            return None;
        }
        let view = neighbours::view(self, query)?;
        let outcomes = outcomes::collect(self, &view);
        let ordered = choose::ordered(query.options.ordered, view.costs.spread, view.items);
        let field = candidates::Field { query, view: &view, outcomes: &outcomes, ordered };
        let choice = field.choose(&view.costs);
        let doubt = confidence::judge(self, &field, &choice);
        let is_stale =
            choice.pool == Pool::Serial && self.is_neglected(query, &view.costs) && threads_would_pay(query, &view);
        Some(forecast::assemble(&field, &choice, &doubt, is_stale))
    }
}
