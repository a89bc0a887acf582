//! What a prediction says: the plan, what to expect of it, and why. Holds values and words; decides only what
//! follows from the choice (buffer and interval).

use std::ops::RangeInclusive;

use crate::decide::costs::Costs;
use crate::decide::early::Pinned;
use crate::decide::pilot::{Basis, Prior};
use crate::decide::situation::Situation;
use crate::decide::verdict::{self, Verdict};
use crate::decide::{chunks, window};
use crate::learn::sample::Predicted;
use crate::options::Options;
use crate::plan::{Origin, Plan, Pool};
use crate::reason::Reason;
use crate::words::{Time, count};

use super::candidates::{Candidate, Field};
use super::confidence::Doubt;

/// Samples of a plan, or of what is near it, that say how it does.
const MUCH: f64 = 0.5;

/// The recommended plan and its basis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forecast {
    /// What an item will cost, to start with.
    pub(crate) costs: Costs,
    pub(crate) pool: Pool,
    pub(crate) threads: usize,
    pub(crate) chunk_size: usize,
    pub(crate) buffer_size: usize,
    pub(crate) ordered: bool,
    /// Throughput against the plain loop.
    pub(crate) expected_speedup: f64,
    /// Expected seconds an item, everything included.
    pub(crate) end_to_end: f64,
    /// Items a second: nine of ten runs lie within.
    pub(crate) throughput: (f64, f64),
    /// Chance that the plan is within 10 % of the best.
    pub(crate) confidence: f64,
    /// Whether runs of the plan, or nearly, are among the samples.
    pub(crate) is_tried: bool,
    /// Samples that the forecast rests on.
    pub(crate) samples: usize,
    /// Items that the run is expected to have.
    pub(crate) items: u64,
    /// Why this plan, in a sentence.
    pub(crate) reason: Reason,
    /// Whether the plan is the plain loop, and has been for so long that threads are due for another attempt.
    pub(crate) is_stale: bool,
}

pub(super) fn assemble(field: &Field<'_>, choice: &Candidate, doubt: &Doubt, is_stale: bool) -> Forecast {
    let (view, query) = (field.view, field.query);
    let costs = view.costs;
    let most_threads = choice.threads.max(query.situation.cores);
    let buffer_size = window::buffer(&costs, most_threads, query.options, query.situation);
    let end_to_end = costs.serial() / choice.speedup;
    Forecast {
        costs,
        pool: choice.pool,
        threads: choice.threads,
        chunk_size: window::fitting(choice.chunk, buffer_size, choice.threads, query.options),
        buffer_size,
        ordered: field.ordered,
        expected_speedup: choice.speedup,
        end_to_end,
        throughput: (1.0 / (end_to_end * doubt.factor), doubt.factor / end_to_end),
        confidence: doubt.confidence,
        is_tried: is_tried(choice),
        samples: view.samples,
        items: view.items,
        reason: reason(field, choice),
        is_stale,
    }
}

impl From<&Forecast> for Prior {
    fn from(forecast: &Forecast) -> Self {
        let &Forecast { pool, threads, expected_speedup: gain, costs, chunk_size, items, .. } = forecast;
        let verdict = Verdict { pool, threads, gain, reason: forecast.reason.clone() };
        let basis = if forecast.is_tried { Basis::Runs } else { Basis::Costs };
        Self { verdict, costs, chunk_size, origin: forecast.origin(forecast.confidence), items, basis }
    }
}

impl Forecast {
    /// What to begin with: the plan, or threads where they are due for another attempt and somebody `attempts` them.
    pub(crate) fn prior(&self, attempts: bool, options: &Options, situation: &Situation) -> Prior {
        if self.is_stale && attempts { self.attempt(options, situation) } else { self.into() }
    }

    /// Threads instead of the plan, which are due for another attempt: as they would begin where nothing is known,
    /// since they may have been given up for good reason.
    fn attempt(&self, options: &Options, situation: &Situation) -> Prior {
        let &Self { costs, items, .. } = self;
        let verdict = verdict::reach(&costs, items, options, situation);
        let verdict = verdict::beginning(verdict, &costs, items, options, situation.wake);
        let chunk_size = chunks::items(&costs, None, verdict.threads, options);
        let reason = "threads, given up by earlier runs, are due for another attempt".into();
        // As unlikely to be the best as the plan is likely to be.
        let origin = self.origin(1.0 - self.confidence);
        Prior { verdict: Verdict { reason, ..verdict }, costs, chunk_size, origin, items, basis: Basis::Attempt }
    }

    fn origin(&self, confidence: f64) -> Origin {
        Origin::Predicted { confidence, samples: self.samples }
    }

    /// The forecast as a plan.
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            pool: self.pool,
            threads: self.threads,
            chunk_size: self.chunk_size,
            buffer_size: self.buffer_size,
            ordered: self.ordered,
            origin: self.origin(self.confidence),
            expected_speedup: self.expected_speedup,
            reason: self.reason.clone(),
        }
    }

    /// Expected items a second.
    pub(crate) fn throughput(&self) -> RangeInclusive<f64> {
        self.throughput.0..=self.throughput.1
    }

    /// What to record with the outcome.
    pub(crate) fn predicted(&self) -> Predicted {
        Predicted {
            confidence: self.confidence as f32,
            item_time: self.costs.item as f32,
            end_to_end: self.end_to_end as f32,
        }
    }
}

/// Whether there is enough evidence of a plan to say how it does.
fn is_tried(choice: &Candidate) -> bool {
    choice.evidence >= MUCH
}

/// Why this choice.
fn reason(field: &Field<'_>, choice: &Candidate) -> Reason {
    let (samples, item, options) = (field.view.samples, field.view.costs.item, field.query.options);
    let &Candidate { pool, threads, .. } = choice;
    let pinned_serial = verdict::pinned_serial(options);
    let pinned_parallel = verdict::is_pinned_parallel(options).then(|| Pinned::from(options));
    let have_threads_lost = [Pool::Cpu, Pool::Blocking].iter().any(|&pool| field.outcomes.weight(pool) >= MUCH);
    let is_tried = is_tried(choice);
    Reason::when_read(move || {
        let (runs, item_time) = (count(samples as u64, "earlier run"), Time(item));
        let said = if samples == 1 { "says" } else { "say" };
        let why = match (pinned_serial, pinned_parallel) {
            (Some(why), _) => format!("and {why}"),
            (_, Some(pinned)) => format!("and {}", verdict::why_pinned(threads, pinned)),
            _ => why_best(pool, threads, is_tried, have_threads_lost),
        };
        format!("{runs} {said} items take {item_time}, {why}")
    })
}

/// Why a plan is thought to be the best, where the options leave a choice.
fn why_best(pool: Pool, threads: usize, is_tried: bool, have_threads_lost: bool) -> String {
    match (pool, is_tried) {
        (Pool::Serial, true) if have_threads_lost => "and that nothing beat the plain loop".to_owned(),
        (Pool::Serial, false) if have_threads_lost => "and that threads did no better than the plain loop".to_owned(),
        (Pool::Serial, _) => "too little to pay for threads".to_owned(),
        (Pool::Blocking, _) if threads == 1 => "most of it waiting, on one thread as asked for".to_owned(),
        (Pool::Blocking, _) => format!("most of it waiting, which {threads} threads can share"),
        (Pool::Cpu, true) => format!("and that {threads} threads do well"),
        (Pool::Cpu, false) => format!("which pays for {threads} threads"),
    }
}
