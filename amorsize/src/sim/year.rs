//! A year of runs of many functions, with what happens in a year: inputs of other lengths, edits, other places in the
//! code, another machine. Is confidence what it claims to be: the chance to be within 10 % of the best?

use std::fmt;

use crate::decide::situation::Situation;
use crate::learn::calibration::Calibration;
use crate::learn::predict::{Forecast, Model, Query};
use crate::options::Options;
use crate::plan::Pool;

use super::chance::Chance;
use super::study::{advice, attempt, best_fixed, query, samples, situation};
use super::world::{CLASSES, World};

/// Part of the best throughput that a right plan reaches.
const RIGHT: f64 = 0.9;
/// Seconds of plain loop of the longest input.
const WORK: f64 = 0.05;
/// Classes of confidence.
const BINS: usize = 10;

/// How often plans of a certain confidence were right.
#[derive(Clone, Debug, Default)]
pub struct Reliability {
    bins: [Bin; BINS],
    calibration: Calibration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    plans: u32,
    right: u32,
    confidence: f64,
}

impl Reliability {
    fn count(&mut self, confidence: f64, is_right: bool) {
        let bin = &mut self.bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        bin.plans += 1;
        bin.right += u32::from(is_right);
        bin.confidence += confidence;
    }

    /// For each class of confidence with at least so many plans: the mean confidence, and the share of plans that were
    /// right.
    pub fn claims(&self, plans: u32) -> impl Iterator<Item = (f64, f64)> {
        let claim = |bin: &Bin| (bin.confidence / f64::from(bin.plans), f64::from(bin.right) / f64::from(bin.plans));
        self.bins.iter().filter(move |bin| bin.plans >= plans.max(1)).map(claim)
    }
}

impl fmt::Display for Reliability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10} {:>7} {:>7}", "confidence", "right", "plans")?;
        for bin in self.bins.iter().filter(|bin| bin.plans > 0) {
            let plans = f64::from(bin.plans);
            write!(f, "\n{:>10.2} {:>7.2} {:>7}", bin.confidence / plans, f64::from(bin.right) / plans, bin.plans)?;
        }
        write!(f, "\n{}", self.calibration)
    }
}

/// Replays `days` runs of `draws` functions of each class on each of these machines.
#[must_use]
pub fn reliability(machines: &[usize], draws: u64, days: u64) -> Reliability {
    let mut reliability = Reliability::default();
    for class in 0..CLASSES.len() {
        for &cores in machines {
            for draw in 0..draws {
                Year::new(World::draw(class, cores, draw + 1000, WORK), draw).live(days, &mut reliability);
            }
        }
    }
    reliability
}

struct Year {
    usual: World,
    best: f64,
    body: u64,
    model: Model,
    /// No plain loop was recorded.
    is_open: bool,
    chance: Chance,
}

/// A run's circumstances.
struct Day {
    world: World,
    best: f64,
    body: u64,
    call_site: u64,
    machine: u64,
}

impl Year {
    fn new(usual: World, draw: u64) -> Self {
        let best = best_fixed(&usual).0;
        Self { best, usual, body: 1, model: Model::default(), is_open: true, chance: Chance::new(draw).fork(365) }
    }

    fn live(&mut self, days: u64, reliability: &mut Reliability) {
        for day in 0..days {
            let today = self.day();
            let options = Options::default();
            let place = situation(&today.world);
            let forecast = self.model.forecast(&today.query(&options, &place));
            if let Some(forecast) = &forecast {
                let followed = advice(&today.world, Some(forecast), 0.0, false);
                let seconds = attempt(&today.world, followed, day + 7_000).seconds;
                reliability.count(forecast.confidence, today.best / seconds >= RIGHT);
            }
            self.record(&today, forecast.as_ref(), day, reliability);
        }
    }

    fn record(&mut self, today: &Day, forecast: Option<&Forecast>, day: u64, reliability: &mut Reliability) {
        let threshold = reliability.calibration.threshold();
        let advice = advice(&today.world, forecast, threshold, self.is_open);
        let outcome = attempt(&today.world, advice, day + 1);
        for sample in &mut samples(&today.world, &outcome, forecast) {
            (sample.body, sample.call_site, sample.machine) = (today.body, today.call_site, today.machine);
            reliability.calibration.observe(sample);
            self.is_open &= sample.pool != Pool::Serial;
            self.model.add(sample);
        }
    }

    fn day(&mut self) -> Day {
        let event = self.chance.unit();
        if event < 0.05 {
            self.body += 1;
            self.usual = self.usual.edited(self.chance.between(0.5, 2.0));
            self.best = best_fixed(&self.usual).0;
        }
        let (mut world, mut best) = (self.usual.clone(), self.best);
        if (0.05..0.25).contains(&event) {
            let items = self.usual.items as f64 * self.chance.between(0.01, 3.0);
            world = self.usual.with_items(items as u64);
            best = best_fixed(&world).0;
        }
        let call_site = if (0.25..0.35).contains(&event) { 2 } else { 1 };
        let machine = if (0.35..0.45).contains(&event) { 2 } else { 1 };
        Day { world, best, body: self.body, call_site, machine }
    }
}

impl Day {
    fn query<'a>(&'a self, options: &'a Options, place: &'a Situation) -> Query<'a> {
        let &Self { body, call_site, machine, .. } = self;
        Query { body, call_site, machine, similarity: &|_| 0.9, ..query(&self.world, options, place) }
    }
}
