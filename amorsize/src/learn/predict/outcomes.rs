//! What plans achieved against what the model said of them: first as a [law](super::scaling) of the thread count, then
//! plan by plan. A recorded bad outcome so speaks against its plan, against plans near it, and against more of the
//! same.

use crate::decide::costs::Costs;
use crate::plan::Pool;

use super::model::{Model, log2};
use super::neighbours::{View, near};
use super::scaling::{Laws, Observed};
use super::setup::{Group, MOST_GROUPS, Setup};

/// Weight of the model itself against outcomes at the very plan, in samples as relevant as the nearest is. (If all are
/// of far longer inputs, say, they are still all that is known.)
const PRIOR: f32 = 0.15;
/// Scales of what makes work comparable: octaves of item time, coefficient of variation, share, octaves of bytes.
const ITEM_SCALE: f32 = 1.5;
const SPREAD_SCALE: f32 = 1.0;
const BLOCKED_SCALE: f32 = 0.3;
const BYTES_SCALE: f32 = 3.0;
/// Most that an outcome can say for or against a plan, as a natural logarithm.
const WORST: f64 = 7.0;

/// What a sample's outcome says of its plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Natural logarithm of how far the plan fell short of the model.
    pub(super) shortfall: f32,
    /// How many times threads slowed each other down, and how clearly that shows.
    pub(super) slowdown: f32,
    pub(super) clarity: f32,
}

/// Compares a plan that took so many seconds an item, `observed`, with the model at the plain loop's costs.
pub(super) fn outcome(setup: &Setup, observed: f64, costs: &Costs) -> Outcome {
    if setup.pool == Pool::Serial {
        return Outcome { shortfall: 0.0, slowdown: 1.0, clarity: 0.0 };
    }
    let shortfall = (observed / setup.seconds(costs, 1.0)).ln().clamp(-WORST, WORST);
    let (slowdown, clarity) = setup.slowdown(costs, observed);
    Outcome { shortfall: shortfall as f32, slowdown: slowdown as f32, clarity: clarity as f32 }
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weight: f32,
    shortfall: f32,
    clarity: f32,
    slowdown: f32,
}

impl Sum {
    fn add(&mut self, weight: f32, outcome: &Outcome) {
        self.weight += weight;
        self.shortfall += weight * outcome.shortfall;
        self.clarity += weight * outcome.clarity;
        self.slowdown += weight * outcome.clarity * outcome.slowdown;
    }
}

/// Outcomes that bear on one query.
#[derive(Clone, Debug)]
pub(super) struct Outcomes<'m> {
    groups: &'m [Group],
    /// Weight of the neighbour that says most, age and trust left out.
    relevance: f32,
    sums: [Sum; MOST_GROUPS],
    /// What the law leaves unexplained of each group's shortfall.
    rests: [f32; MOST_GROUPS],
    cpu: Laws,
    blocking: Laws,
}

/// Weighs what happened to work like the one that the view describes.
pub(super) fn collect<'m>(model: &'m Model, view: &View) -> Outcomes<'m> {
    let sums = sums(model, view);
    let groups = &model.groups[..];
    let (cpu, blocking) = (laws(groups, &sums, Pool::Cpu), laws(groups, &sums, Pool::Blocking));
    let relevance = view.relevance.clamp(f32::MIN_POSITIVE, 1.0);
    let mut outcomes = Outcomes { groups, relevance, sums, rests: [0.0; MOST_GROUPS], cpu, blocking };
    for (index, group) in groups.iter().enumerate() {
        let sum = &outcomes.sums[index];
        if group.pool != Pool::Serial && sum.weight > 0.0 {
            let explained = outcomes.explained(group, view);
            outcomes.rests[index] = outcomes.sums[index].shortfall / sum.weight - explained;
        }
    }
    outcomes
}

fn laws(groups: &[Group], sums: &[Sum; MOST_GROUPS], pool: Pool) -> Laws {
    let clear =
        groups.iter().zip(sums).filter(|&(group, sum)| group.pool == pool && group.threads > 1 && sum.clarity > 0.0);
    Laws::fit(clear.map(|(group, sum)| Observed {
        threads: group.threads,
        weight: sum.clarity.into(),
        slowdown: (sum.slowdown / sum.clarity).into(),
    }))
}

fn sums(model: &Model, view: &View) -> [Sum; MOST_GROUPS] {
    let item = log2(view.costs.item);
    let (spread, blocked) = (view.costs.spread as f32, view.costs.blocked as f32);
    let bytes = log2(view.costs.result_bytes.max(1.0));
    let mut sums = [Sum::default(); MOST_GROUPS];
    for (row, weight) in model.rows.iter().zip(&view.weights) {
        let item = near(row.item - item, ITEM_SCALE);
        let rest = near(row.spread - spread, SPREAD_SCALE)
            * near(row.blocked - blocked, BLOCKED_SCALE)
            * near(row.bytes - bytes, BYTES_SCALE);
        sums[row.group as usize].add(weight * item * item * rest, &row.outcome);
    }
    sums
}

/// What outcomes say of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    /// Throughput against the plain loop.
    pub(super) speedup: f64,
    /// Throughput against the plain loop if threads slow each other down as little as can be hoped.
    pub(super) hope: f64,
    /// Samples of this plan or plans near it.
    pub(super) evidence: f64,
}

impl Outcomes<'_> {
    fn laws(&self, pool: Pool) -> &Laws {
        if pool == Pool::Blocking { &self.blocking } else { &self.cpu }
    }

    /// The part of a group's shortfall that the law explains, as a natural logarithm.
    fn explained(&self, group: &Group, view: &View) -> f32 {
        let setup = group.setup(view.items);
        let slowdown = self.laws(group.pool).slowdown(setup.threads);
        (setup.speedup(&view.costs, 1.0) / setup.speedup(&view.costs, slowdown)).ln() as f32
    }

    pub(super) fn verdict(&self, costs: &Costs, setup: &Setup, ordered: bool) -> Estimate {
        let (pool, threads) = (setup.pool, setup.threads as u32);
        let plan = Group { pool, threads, chunk: log2(setup.chunk as f64), ordered };
        let (mut evidence, mut rest) = (0.0, 0.0);
        for (index, group) in self.groups.iter().enumerate() {
            let weight = self.sums[index].weight * group.kinship(&plan);
            evidence += weight;
            rest += weight * self.rests[index];
        }
        let rest = f64::from(-rest / (evidence + PRIOR * self.relevance)).exp();
        let (likely, hoped) = (self.laws(pool).slowdown(setup.threads), self.laws(pool).hoped(setup.threads));
        let speedup = rest * setup.speedup(costs, likely);
        let hope = if hoped < likely { rest * setup.speedup(costs, hoped) } else { speedup };
        Estimate { speedup, hope, evidence: evidence.into() }
    }

    /// Weight of the samples of a pool.
    pub(super) fn weight(&self, pool: Pool) -> f64 {
        let sums = self.groups.iter().zip(&self.sums).filter(|(group, _)| group.pool == pool);
        sums.map(|(_, sum)| f64::from(sum.weight)).sum()
    }

    /// Kinds of plan that were tried.
    pub(super) fn tried(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().zip(&self.sums).filter(|(_, sum)| sum.weight > 0.0).map(|(group, _)| group)
    }
}
