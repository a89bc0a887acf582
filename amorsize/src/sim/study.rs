//! Many runs, with and without history, against an exhaustive search over fixed plans.

use std::fmt;
use std::num::NonZeroUsize;

use crate::constants::CONFIDENCE_THRESHOLD;
use crate::decide::costs::Costs;
use crate::decide::pilot::{Basis, Beside, Pilot, Prior};
use crate::decide::situation::{Owns, Situation};
use crate::decide::timing::Wake;
use crate::decide::verdict::Verdict;
use crate::learn::experience::Advice;
use crate::learn::predict::{Forecast, Model, Query};
use crate::learn::sample::Sample;
use crate::options::Options;
use crate::plan::{Origin, Pool};

use super::engine::{self, Outcome};
use super::world::{CLASSES, World};

/// Runs before which regret is looked at.
pub(super) const EXPERIENCE: [usize; 4] = [0, 1, 3, 10];
/// Seconds of plain loop of the longest input, for each core of the machine up to eight.
const WORK: f64 = 0.25;
/// Chunks that are searched, in seconds of work.
const CHUNKS: [f64; 5] = [6e-6, 25e-6, 100e-6, 400e-6, 1.6e-3];

/// Time lost against the best fixed plan, as a part of that plan's time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regret {
    /// Mean over all functions of a class.
    pub mean: f64,
    /// What 95 of 100 stay below.
    pub p95: f64,
}

/// Regret of each class of functions before any run and after 1, 3 and 10 runs.
#[derive(Clone, Debug)]
pub struct Regrets {
    /// Name of the class, and one regret for each amount of experience.
    pub classes: Vec<(&'static str, [Regret; EXPERIENCE.len()])>,
    /// Cores of the machine, and one regret for each amount of experience.
    pub machines: Vec<(usize, [Regret; EXPERIENCE.len()])>,
    /// Regret over everything.
    pub total: [Regret; EXPERIENCE.len()],
    /// The cases that lost most after three runs, described.
    pub worst: Vec<String>,
    /// The cases that lost most in first runs, described.
    pub worst_cold: Vec<String>,
}

struct Case {
    class: usize,
    cores: usize,
    regrets: [f64; EXPERIENCE.len()],
    description: String,
}

/// Replays `draws` functions of each class on each of these machines, given by their cores.
#[must_use]
pub fn study(machines: &[usize], draws: u64) -> Regrets {
    let mut cases = Vec::new();
    for class in 0..CLASSES.len() {
        for &cores in machines {
            cases.extend((0..draws).map(|draw| case(class, cores, draw)));
        }
    }
    summarize(machines, cases)
}

fn case(class: usize, cores: usize, draw: u64) -> Case {
    let world = World::draw(class, cores, draw, WORK * cores.min(8) as f64);
    let (best, which) = best_fixed(&world);
    let (mut model, mut is_open) = (Model::default(), true);
    let mut regrets = [0.0; EXPERIENCE.len()];
    let mut last = String::new();
    for index in 0..=EXPERIENCE[EXPERIENCE.len() - 1] {
        let forecast = model.forecast(&query(&world, &Options::default(), &situation(&world)));
        let advice = advice(&world, forecast.as_ref(), CONFIDENCE_THRESHOLD, is_open);
        let outcome = attempt(&world, advice, index as u64 + 1);
        let regret = (outcome.seconds / best - 1.0).max(0.0);
        if let Some(at) = EXPERIENCE.iter().position(|&runs| runs == index) {
            regrets[at] = regret;
            let stretches: Vec<_> = outcome
                .stretches
                .iter()
                .map(|s| format!("{}x{} chunk {} {}it", s.plan.pool, s.plan.threads, s.plan.chunk_size, s.items))
                .collect();
            let said = forecast.as_ref().map(|f| {
                format!(
                    "{}x{} c{} conf {:.2} x{:.2}",
                    f.pool, f.threads, f.chunk_size, f.confidence, f.expected_speedup
                )
            });
            last += &format!("\n      after {index}: {regret:.3} {said:?} {stretches:?}");
        }
        for sample in &samples(&world, &outcome, forecast.as_ref()) {
            is_open &= sample.pool != Pool::Serial;
            model.add(sample);
        }
    }
    let World { items, computing, waiting, kind, slowdown, capacity, .. } = &world;
    let description = format!(
        "{} on {cores} cores, draw {draw}: {items} items of {computing:.2e}+{waiting:.2e} s, {kind:?}, {slowdown:?}, cap {capacity:.0}; best {which}{last}",
        CLASSES[class]
    );
    Case { class, cores, regrets, description }
}

pub(super) fn situation(world: &World) -> Situation {
    Situation {
        cores: world.cores,
        processors: world.cores as f64,
        available_memory: 1 << 36,
        item_bytes: 16,
        wake: Wake::USUAL,
        owns: Owns::Nothing,
        is_threadless: false,
        is_guess: false,
    }
}

pub(super) fn query<'a>(world: &World, options: &'a Options, situation: &'a Situation) -> Query<'a> {
    Query {
        body: 1,
        build: 1,
        machine: 1,
        similarity: &|_| 0.0,
        call_site: 1,
        items: world.knows_length.then_some(world.items),
        at_least: 0,
        options,
        situation,
    }
}

/// What earlier runs say, where a forecast is followed from so much confidence on; `is_open`: none was a plain loop.
pub(super) fn advice(world: &World, forecast: Option<&Forecast>, threshold: f64, is_open: bool) -> Option<Advice> {
    let Some(forecast) = forecast else { return is_open.then_some(Advice::Open) };
    let prior = forecast.prior(true, &Options::default(), &situation(world));
    Some(if forecast.confidence >= threshold { Advice::Sure(prior) } else { Advice::Doubtful(prior) })
}

/// One run as a user would get it.
pub(super) fn attempt(world: &World, advice: Option<Advice>, seed: u64) -> Outcome {
    let mut pilot = Pilot::new(Options::default(), situation(world));
    if let Some(advice) = advice {
        advice.lead(&mut pilot, world.remaining(world.items), Beside::Thread);
    }
    engine::run(world, pilot, seed)
}

/// What a run leaves for the next.
pub(super) fn samples(world: &World, outcome: &Outcome, forecast: Option<&Forecast>) -> Vec<Sample> {
    let sample = |stretch: &crate::decide::tally::Stretch| {
        let end_to_end = stretch.seconds / stretch.items as f64;
        Sample {
            time: 0,
            body: 1,
            build: 1,
            machine: 1,
            call_site: 1,
            length: world.items,
            items: stretch.items,
            pool: stretch.plan.pool,
            threads: stretch.plan.threads as u32,
            chunk_size: stretch.plan.chunk_size as u32,
            buffer_size: stretch.plan.buffer_size as u32,
            ordered: stretch.plan.ordered,
            costs: stretch.costs,
            end_to_end: end_to_end as f32,
            speedup: (stretch.serial / end_to_end) as f32,
            predicted: forecast.filter(|_| stretch.is_predicted).map(Forecast::predicted),
        }
    };
    outcome.stretches.iter().map(sample).collect()
}

/// The shortest time of any fixed plan, and which that is.
pub(super) fn best_fixed(world: &World) -> (f64, String) {
    let loop_time = engine::run(world, pinned(world, Pool::Serial, 1, 1), 0).seconds;
    let mut best = (loop_time, "the loop".to_owned());
    let pool = if world.waiting > 0.0 { Pool::Blocking } else { Pool::Cpu };
    let most = if pool == Pool::Blocking { 256 } else { world.cores };
    for threads in ladder(most) {
        for chunk in chunks(world, threads) {
            let seconds = engine::run(world, pinned(world, pool, threads, chunk), 0).seconds;
            if seconds < best.0 {
                best = (seconds, format!("{threads} threads, chunk {chunk}, x{:.2}", loop_time / seconds));
            }
        }
    }
    best
}

fn pinned(world: &World, pool: Pool, threads: usize, chunk: usize) -> Pilot {
    let serial = pool == Pool::Serial;
    let options = Options {
        pool: Some(pool),
        threads: NonZeroUsize::new(threads).filter(|_| !serial),
        chunk_size: NonZeroUsize::new(chunk).filter(|_| !serial),
        ..Options::default()
    };
    let mut pilot = Pilot::new(options, situation(world));
    if !serial {
        let verdict = Verdict { pool, threads, gain: threads as f64, reason: "".into() };
        let (costs, items) = (costs(world), world.items);
        pilot.adopt_prior(Prior {
            verdict,
            costs,
            chunk_size: chunk,
            origin: Origin::Pinned,
            items,
            basis: Basis::Costs,
        });
    }
    pilot
}

fn costs(world: &World) -> Costs {
    let item = world.run(0, world.items, 1, false) / world.items as f64;
    let (source, consumer, result_bytes) = (world.source, world.consumer, world.bytes as f64);
    Costs { source, item, consumer, spread: 0.0, blocked: world.blocked(1), result_bytes }
}

/// 2, 3, 4, 6, 8, … and the most.
fn ladder(most: usize) -> Vec<usize> {
    let steps = (1..).flat_map(|power| [1 << power, 3 << (power - 1)]);
    let mut threads: Vec<usize> = steps.take_while(|&threads| threads < most).collect();
    threads.push(most);
    threads
}

fn chunks(world: &World, threads: usize) -> Vec<usize> {
    let item = costs(world).item;
    let most = (world.items as usize).div_ceil(threads);
    let mut chunks: Vec<_> = CHUNKS.iter().map(|seconds| ((seconds / item).ceil() as usize).clamp(1, most)).collect();
    chunks.dedup();
    chunks
}

fn summarize(machines: &[usize], mut cases: Vec<Case>) -> Regrets {
    let of = |part: &dyn Fn(&Case) -> bool| regrets(&cases.iter().filter(|case| part(case)).collect::<Vec<_>>());
    let classes = (0..CLASSES.len()).map(|class| (CLASSES[class], of(&|case| case.class == class))).collect();
    let machines = machines.iter().map(|&cores| (cores, of(&|case| case.cores == cores))).collect();
    let total = of(&|_| true);
    let mut worst = |at: usize| {
        cases.sort_by(|a, b| b.regrets[at].total_cmp(&a.regrets[at]));
        cases.iter().take(WORST).map(|case| case.description.clone()).collect()
    };
    Regrets { classes, machines, total, worst: worst(2), worst_cold: worst(0) }
}

/// Cases that are described.
const WORST: usize = 12;

fn regrets(cases: &[&Case]) -> [Regret; EXPERIENCE.len()] {
    std::array::from_fn(|at| {
        let mut all: Vec<f64> = cases.iter().map(|case| case.regrets[at]).collect();
        all.sort_by(f64::total_cmp);
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        Regret { mean, p95: all[(all.len() * 95).div_ceil(100) - 1] }
    })
}

impl fmt::Display for Regrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>15}", "mean / p95 %")?;
        EXPERIENCE.iter().try_for_each(|runs| write!(f, " {:>14}", format!("after {runs}")))?;
        let classes = self.classes.iter().map(|(name, regrets)| ((*name).to_owned(), regrets));
        let machines = self.machines.iter().map(|(cores, regrets)| (format!("{cores} cores"), regrets));
        for (name, regrets) in classes.chain(machines).chain([("everything".to_owned(), &self.total)]) {
            write!(f, "\n{name:>15}")?;
            for Regret { mean, p95 } in regrets {
                write!(f, " {:>6.1} / {:>5.1}", 100.0 * mean, 100.0 * p95)?;
            }
        }
        Ok(())
    }
}
