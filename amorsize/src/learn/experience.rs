//! What one run asks of earlier runs before its first item, and what it leaves for later ones at its end.

use std::panic::Location;
use std::time::Duration;

use crate::decide::costs::Costs;
use crate::decide::input::Remaining;
use crate::decide::pilot::{Basis, Beside, Pilot, Prior};
use crate::decide::risk::FREED_DEARLY;
use crate::decide::situation::{Kind, Situation};
use crate::decide::tally::Stretch;
use crate::decide::timing::Wake;
use crate::decide::verdict::{self, Verdict};
use crate::fingerprint::{self, Identity};
use crate::first_thread;
use crate::options::Options;
use crate::plan::{Origin, Pool};
use crate::prediction::Prediction;

use super::function::Function;
use super::learned::Learned;
use super::outcome::now;
use super::predict::Query;
use super::sample::{Predicted, Sample, narrow};
use super::{calibrated, machines, pace, writer};

/// Seconds of the plain loop below which a run is often over before threads are held against it.
const UNCHECKED: f64 = 3e-3;

/// The same where threads seem to gain less than two of them should.
const DOUBTED: f64 = 30e-3;
const DOUBTFUL: f32 = 1.5;

/// How many times longer than thought items may take.
const DEARER: f64 = 4.0;

/// What earlier runs say.
#[derive(Clone, Debug)]
pub(crate) enum Advice {
    /// A plan to be followed from the first item on.
    Sure(Prior),
    /// A plan to be held against a trial.
    Doubtful(Prior),
    /// Earlier runs are too few, or of other inputs, and none of them was a plain loop; or threads are asked for
    /// whatever they say.
    Open,
    /// The only earlier run had threads, which may have been in each other's way: the first item tells what one takes
    /// alone.
    Alone,
}

impl Advice {
    /// Has a run begin with the advice. Where nothing speaks against threads of the processor, and somebody is there
    /// `beside` the caller, the run gets a head start.
    pub(crate) fn lead(self, pilot: &mut Pilot, remaining: Remaining, beside: Beside) {
        let is_open = match self {
            Self::Sure(prior) => return pilot.adopt_prior(prior),
            Self::Doubtful(prior) => {
                let is_open = prior.verdict.pool == Pool::Cpu || pilot.is_pinned_parallel();
                pilot.consider(prior);
                is_open
            }
            Self::Open => true,
            Self::Alone => false,
        };
        if is_open {
            pilot.get_head_start(remaining, beside);
        }
    }

    pub(crate) fn prior(&self) -> Option<&Prior> {
        match self {
            Self::Sure(prior) | Self::Doubtful(prior) => Some(prior),
            Self::Open | Self::Alone => None,
        }
    }
}

/// What a run asks of earlier ones and leaves for later ones. Does nothing where the options or the environment want no
/// learning.
#[derive(Debug)]
pub(crate) struct Experience {
    identity: Identity,
    /// Where the stream was made.
    call_site: u64,
    asks: bool,
    leaves: bool,
    /// Whether threads may be started: a plain loop that is asked for starts none, nor does its record.
    starts_threads: bool,
    predicted: Option<Predicted>,
    /// What the source says of its length is not believed: earlier runs from here were left long before their end.
    doubts_length: bool,
}

impl Experience {
    pub(crate) fn new(identity: Identity, place: &'static Location<'static>, options: &Options) -> Self {
        let is_serial = verdict::pinned_serial(options).is_some();
        Self {
            identity,
            call_site: fingerprint::call_site(place),
            asks: options.ml_prediction && !is_serial,
            leaves: options.online_learning && !options.environment_serial,
            starts_threads: !is_serial,
            predicted: None,
            doubts_length: false,
        }
    }

    /// What earlier runs say of this one.
    pub(crate) fn consult(&mut self, remaining: Remaining, options: &Options, situation: &Situation) -> Option<Advice> {
        let unasked = || verdict::is_pinned_parallel(options).then_some(Advice::Open);
        if !self.asks {
            return unasked();
        }
        let function = Function::of(&self.identity);
        function.sees(Kind { bytes: situation.item_bytes, owns: situation.owns });
        let (learned, ask) = (function.learned_lately(), Learned::forecast);
        self.doubts_length = function.endings().are_early(self.call_site, remaining.lower);
        let remaining = self.believed(remaining);
        let Some(forecast) = ask_history(&self.identity, &learned, self.call_site, remaining, options, situation, ask)
        else {
            // Where nothing will be recorded, that would never change.
            return if self.leaves { self.explore(&function, remaining, options) } else { unasked() };
        };
        let is_sure = forecast.confidence >= threshold(options)
            || is_over_at_once(forecast.pool, forecast.costs.serial(), remaining, options);
        // An attempt of which nothing is recorded would never end.
        let prior = forecast.prior(self.leaves, options, situation);
        // Who states a threshold wants nothing that is below it, and an attempt is.
        if (prior.basis == Basis::Attempt || !is_sure) && options.confidence_threshold.is_some() {
            return unasked();
        }
        // What is only tried says nothing of predictions.
        self.predicted = Some(forecast.predicted()).filter(|_| prior.basis != Basis::Attempt);
        Some(if is_sure { Advice::Sure(prior) } else { Advice::Doubtful(prior) })
    }

    /// What is believed of what a source says of its rest.
    pub(crate) fn believed(&self, remaining: Remaining) -> Remaining {
        if self.doubts_length { remaining.doubted() } else { remaining }
    }

    /// What to do where too little is known to predict anything.
    fn explore(&self, function: &Function, remaining: Remaining, options: &Options) -> Option<Advice> {
        let is_open = !verdict::is_pinned_parallel(options) && options.confidence_threshold.is_none();
        let unopposed = if is_open { function.threads_only(self.identity.body(), fingerprint::build()) } else { None };
        match unopposed {
            Some((last, runs)) if is_worth_comparing(&last, remaining) => {
                Some(Advice::Sure(comparison(&last, runs, remaining)))
            }
            Some((_, 1)) => Some(Advice::Alone),
            _ => (verdict::is_pinned_parallel(options) || function.is_open_to_threads()).then_some(Advice::Open),
        }
    }

    /// Records what became of each plan of a run over `length` items, which took so long in all, and ended before its
    /// source if it `is_left`.
    pub(crate) fn leave(&mut self, stretches: &[Stretch], length: u64, is_left: bool, run: Duration) {
        if !std::mem::take(&mut self.leaves) || stretches.is_empty() {
            if self.asks && pace::worth_knowing_the_machine(run) {
                // Where nothing is recorded, nobody else ever finds out what machine this is.
                machines::this();
            }
            return;
        }
        let function = Function::of(&self.identity);
        function.endings().note(self.call_site, is_left.then_some(length));
        let samples: Vec<Sample> = stretches.iter().map(|stretch| self.sample(stretch, length)).collect();
        calibrated::observe(&samples);
        let had_none = stretches.iter().all(|stretch| stretch.plan.pool == Pool::Serial);
        let spares_first = had_none && first_thread::would_be_first() && writer::will_be_told();
        if self.starts_threads && !spares_first {
            function.record(samples, run);
        } else {
            function.record_here(samples, run);
        }
    }

    fn sample(&self, stretch: &Stretch, length: u64) -> Sample {
        let Stretch { plan, costs, items, seconds, serial, is_predicted } = stretch;
        let end_to_end = seconds / *items as f64;
        Sample {
            time: now(),
            body: self.identity.body(),
            build: fingerprint::build(),
            machine: machines::id_if_known(),
            call_site: self.call_site,
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
            predicted: self.predicted.filter(|_| *is_predicted),
        }
    }
}

/// Whether so short a run as this is to be a plain loop, since earlier ones had threads only: runs that are over before
/// threads are held against the loop would never show that they are in each other's way.
fn is_worth_comparing(last: &Sample, remaining: Remaining) -> bool {
    let seconds = remaining.exact().map_or(f64::INFINITY, |items| items as f64 * last.costs.serial());
    (last.costs.item < FREED_DEARLY && seconds <= UNCHECKED) || (last.speedup < DOUBTFUL && seconds <= DOUBTED)
}

/// Whether a run is over before a thread could begin, even if items take some times longer than is thought: then a
/// plain loop is right however little is known. (Who states a threshold means that.)
fn is_over_at_once(planned: Pool, serial: f64, remaining: Remaining, options: &Options) -> bool {
    let most = remaining.upper.map_or(f64::INFINITY, |items| items as f64) * serial;
    let is_open = options.confidence_threshold.is_none() && !verdict::is_pinned_parallel(options);
    is_open && planned == Pool::Serial && DEARER * most <= Wake::USUAL.total()
}

fn comparison(last: &Sample, samples: usize, remaining: Remaining) -> Prior {
    let reason = "the plain loop, to compare with: earlier runs had threads only";
    let origin = Origin::Predicted { confidence: 0.0, samples };
    // What items seem to differ by may be what threads did to each other.
    let (costs, items) = (Costs { spread: 0.0, ..last.costs }, remaining.exact().unwrap_or(last.length));
    Prior { verdict: Verdict::serial(reason), costs, chunk_size: 1, origin, items, basis: Basis::Attempt }
}

/// Confidence below which a forecast is not followed blindly: what the options say, or what calibration has found.
fn threshold(options: &Options) -> f64 {
    options.confidence_threshold.unwrap_or_else(|| calibrated::current().threshold())
}

/// Asks what has been learned of a function; `None` where that is too little, which is seen before anything is found
/// out for the query.
fn ask_history<T>(
    identity: &Identity,
    learned: &Learned,
    call_site: u64,
    remaining: Remaining,
    options: &Options,
    situation: &Situation,
    ask: impl FnOnce(&Learned, &Query<'_>) -> Option<T>,
) -> Option<T> {
    if !learned.is_enough() {
        return None;
    }
    let query = Query {
        body: identity.body(),
        build: fingerprint::build(),
        machine: learned.this_machine(),
        similarity: &|machine| learned.similarity(machine),
        call_site,
        items: remaining.exact(),
        at_least: remaining.lower,
        options,
        situation,
    };
    ask(learned, &query)
}

/// What a run over `len` items would start with where the last one did, for somebody who wants to see it.
pub(crate) fn predict(identity: &Identity, len: usize, options: &Options, situation: &Situation) -> Option<Prediction> {
    let function = Function::of(identity);
    let kind = function.kind();
    // What else this process has done so far, and so whether its threads run, is no part of the answer.
    let situation =
        Situation { item_bytes: kind.bytes, owns: kind.owns, wake: Wake::USUAL, is_threadless: false, ..*situation };
    let remaining = Remaining::from_hint((len, Some(len)));
    let ask = |learned: &Learned, query: &Query<'_>| learned.model().predict(query, threshold(options));
    let learned = function.learned();
    let place = learned.samples().last()?.call_site;
    let forecast = ask_history(identity, &learned, place, remaining, options, &situation, ask)?;
    Some((&forecast).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::{HIGHEST_THRESHOLD, LOWEST_THRESHOLD};
    use crate::learn::predict::tests::{query, sample};

    #[test]
    fn where_runs_were_left_early_the_next_one_does_not_believe_in_its_length() {
        let (place, options) = (Location::caller(), Options::default());
        let identity = Identity::of_closure::<()>("doubts");
        let told = Remaining::from_hint((1_000, Some(1_000)));
        let believed = |left_after| {
            Function::of(&identity).endings().note(fingerprint::call_site(place), left_after);
            let mut experience = Experience::new(identity, place, &options);
            experience.consult(told, &options, &Situation::TWO_CORES);
            experience.believed(told)
        };
        assert_eq!([None, Some(10), Some(900)].map(believed), [told, told.doubted(), told]);
    }

    #[test]
    fn a_users_threshold_decides_whether_there_is_a_prediction_and_calibration_where_there_is_none() {
        let mut learned = Learned::default();
        learned.add(vec![sample(Pool::Cpu, 8, 20e-6, 7.5); 10]);
        let predicts = |options: &Options| learned.model().predict(&query(options), threshold(options)).is_some();
        let stated = |threshold| Options { confidence_threshold: Some(threshold), ..Options::default() };
        assert!(predicts(&stated(0.0)) && !predicts(&stated(1.0)));
        // Other tests of this process move it meanwhile.
        assert!((LOWEST_THRESHOLD..=HIGHEST_THRESHOLD).contains(&threshold(&Options::default())));
    }

    #[test]
    fn what_is_over_at_once_needs_no_confidence_unless_somebody_asks_for_it() {
        let is_over = |planned, items, options: &Options| {
            is_over_at_once(planned, 100e-9, Remaining { lower: items, upper: Some(items) }, options)
        };
        let usual = Options::default();
        assert!(is_over(Pool::Serial, 50, &usual) && !is_over(Pool::Serial, 5_000, &usual));
        assert!(!is_over(Pool::Cpu, 50, &usual));
        assert!(!is_over(Pool::Serial, 50, &Options { confidence_threshold: Some(0.9), ..Options::default() }));
        assert!(!is_over_at_once(Pool::Serial, 100e-9, Remaining::UNKNOWN, &usual));
    }

    #[test]
    fn short_runs_whose_threads_may_be_in_each_others_way_are_worth_comparing() {
        let worth = |item, speedup, items, upper| {
            let mut last = sample(Pool::Cpu, 2, item, speedup);
            last.costs = Costs { item, ..Costs::default() };
            is_worth_comparing(&last, Remaining { lower: items, upper })
        };
        assert!(worth(1e-6, 1.9, 2_000, Some(2_000)));
        assert!(!worth(1e-6, 1.9, 4_000, Some(4_000)), "threads are held against the loop by then");
        assert!(!worth(1e-6, 1.9, 2_000, None));
        assert!(!worth(100e-6, 1.9, 20, Some(20)), "an item alone tells");
        assert!(worth(100e-6, 1.2, 20, Some(20)) && worth(100e-6, 1.2, 200, Some(200)));
        assert!(!worth(100e-6, 1.2, 400, Some(400)), "too long");
    }
}
