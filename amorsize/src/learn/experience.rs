//! What one run asks of earlier runs before its first item, and what it leaves for later ones at its end.

use std::panic::Location;
use std::time::Duration;

use crate::decide::choose::Situation;
use crate::decide::input::Remaining;
use crate::decide::pilot::Prior;
use crate::decide::tally::Stretch;
use crate::decide::verdict::{self, Verdict};
use crate::fingerprint::{self, Identity};
use crate::options::Options;
use crate::plan::{Origin, Pool};
use crate::prediction::Prediction;

use super::function::Function;
use super::learned::Learned;
use super::outcome::now;
use super::predict::{Forecast, Query};
use super::sample::{Predicted, Sample};
use super::{calibrated, machines};

/// See the module. Does nothing where the options or the environment want no learning.
#[derive(Debug)]
pub(crate) struct Experience {
    identity: Identity,
    place: &'static Location<'static>,
    asks: bool,
    leaves: bool,
    predicted: Option<Predicted>,
}

impl Experience {
    pub(crate) fn new(identity: Identity, place: &'static Location<'static>, options: &Options) -> Self {
        let is_serial = verdict::pinned_serial(options).is_some();
        Self {
            identity,
            place,
            asks: options.ml_prediction && !is_serial,
            leaves: options.online_learning && !options.environment_serial,
            predicted: None,
        }
    }

    /// What earlier runs say of this one, if they are sure enough; and how many items they expect.
    pub(crate) fn consult(
        &mut self,
        remaining: Remaining,
        options: &Options,
        situation: &Situation,
    ) -> Option<(Prior, u64)> {
        if !std::mem::take(&mut self.asks) {
            return None;
        }
        let learned = Function::of(&self.identity).learned();
        let call_site = fingerprint::call_site(self.place);
        let forecast = forecast(&learned, &self.identity, call_site, remaining, options, situation)?;
        self.predicted = Some(forecast.predicted());
        let plan = forecast.plan();
        let verdict =
            Verdict { pool: plan.pool, threads: plan.threads, gain: plan.expected_speedup, reason: plan.reason };
        Some((
            Prior { verdict, costs: forecast.costs, chunk_size: plan.chunk_size, origin: plan.origin },
            forecast.items,
        ))
    }

    /// Records what became of each plan of a run over `length` items, which took so long in all.
    pub(crate) fn leave(&mut self, stretches: &[Stretch], length: u64, run: Duration) {
        if !std::mem::take(&mut self.leaves) || stretches.is_empty() {
            return;
        }
        let function = Function::of(&self.identity);
        let samples: Vec<Sample> = stretches.iter().map(|stretch| self.sample(stretch, length)).collect();
        calibrated::observe(&samples);
        function.record(&samples, run);
    }

    fn sample(&self, stretch: &Stretch, length: u64) -> Sample {
        let Stretch { plan, costs, items, seconds, serial } = stretch;
        let end_to_end = seconds / *items as f64;
        let is_predicted = matches!(plan.origin, Origin::Predicted { .. });
        Sample {
            time: now(),
            body: self.identity.body(),
            build: fingerprint::build(),
            machine: machines::this().id,
            call_site: fingerprint::call_site(self.place),
            length,
            items: *items,
            pool: plan.pool,
            threads: narrow(plan.threads),
            chunk_size: narrow(plan.chunk_size),
            buffer_size: narrow(plan.buffer_size),
            ordered: plan.ordered,
            costs: *costs,
            end_to_end: end_to_end as f32,
            speedup: if plan.pool == Pool::Serial { 1.0 } else { (serial / end_to_end) as f32 },
            predicted: self.predicted.filter(|_| is_predicted),
        }
    }
}

fn narrow(size: usize) -> u32 {
    size.try_into().unwrap_or(u32::MAX)
}

fn forecast(
    learned: &Learned,
    identity: &Identity,
    call_site: u64,
    remaining: Remaining,
    options: &Options,
    situation: &Situation,
) -> Option<Forecast> {
    learned.model().predict(&Query {
        body: identity.body(),
        build: fingerprint::build(),
        machine: machines::this().id,
        similarity: &|machine| learned.similarity(machine),
        call_site,
        items: remaining.exact(),
        at_least: remaining.lower,
        options,
        situation,
        threshold: calibrated::current().threshold(),
    })
}

/// What a run over `len` items would start with, for somebody who wants to see it.
pub(crate) fn predict(
    identity: &Identity,
    place: &'static Location<'static>,
    len: usize,
    options: &Options,
    situation: &Situation,
) -> Option<Prediction> {
    let learned = Function::of(identity).learned();
    let remaining = Remaining::from_hint((len, Some(len)));
    let forecast = forecast(&learned, identity, fingerprint::call_site(place), remaining, options, situation)?;
    Some((&forecast).into())
}
