//! What plans achieved against what the model said of them: first as a law of the thread count (contention and
//! coherence, after Gunther's universal scalability law), then plan by plan. A recorded bad outcome so speaks against
//! its plan, against plans near it, and against more of the same.

use crate::decide::costs::Costs;
use crate::decide::{choose, model};
use crate::learn::sample::Sample;
use crate::plan::Pool;

use super::history::{Model, log2};
use super::neighbours::{View, near};

/// Kinds of plan that are told apart; further ones join the most similar.
pub(super) const MOST_GROUPS: usize = 64;
/// Octaves of chunk size within which plans are of one kind.
const SAME_CHUNK: f32 = 0.5;
/// Octaves of threads and of chunk size at which an outcome counts a quarter.
const THREADS_SCALE: f32 = 0.5;
const CHUNK_SCALE: f32 = 2.0;
/// Weight of an outcome for the other order.
const OTHER_ORDER: f32 = 0.5;
/// Weight of the model itself against outcomes at the very plan, in samples.
const PRIOR: f32 = 0.15;
/// The same for the law of the thread count.
const PRIOR_LAW: f64 = 0.02;
/// Scales of what makes work comparable: octaves of item time, coefficient of variation, share, octaves of bytes.
const ITEM_SCALE: f32 = 1.5;
const SPREAD_SCALE: f32 = 1.0;
const BLOCKED_SCALE: f32 = 0.3;
const BYTES_SCALE: f32 = 3.0;
/// Most that an outcome can say for or against a plan, as a natural logarithm.
const WORST: f64 = 7.0;
/// Seconds to start a thread of the blocking pool.
const THREAD_START: f64 = 30e-6;

/// A kind of plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) pool: Pool,
    pub(super) threads: u32,
    /// Binary logarithm.
    pub(super) chunk: f32,
    pub(super) ordered: bool,
}

impl Group {
    fn of(sample: &Sample) -> Self {
        let threads = if sample.pool == Pool::Serial { 1 } else { sample.threads.max(1) };
        Self { pool: sample.pool, threads, chunk: log2(sample.chunk_size.max(1).into()), ordered: sample.ordered }
    }

    fn is_same(&self, other: &Self) -> bool {
        let serial = self.pool == Pool::Serial;
        self.pool == other.pool
            && self.threads == other.threads
            && (serial || (self.ordered == other.ordered && (self.chunk - other.chunk).abs() <= SAME_CHUNK))
    }

    /// How much an outcome of one says of the other.
    fn kinship(&self, other: &Self) -> f32 {
        if self.pool != other.pool {
            return 0.0;
        }
        let threads = near(log2(f64::from(self.threads) / f64::from(other.threads)), THREADS_SCALE);
        let order = if self.ordered == other.ordered { 1.0 } else { OTHER_ORDER };
        order * threads * threads * near(self.chunk - other.chunk, CHUNK_SCALE).powi(2)
    }
}

/// The index of a sample's kind, which is added if it is new.
pub(super) fn group(groups: &mut Vec<Group>, sample: &Sample) -> u32 {
    let new = Group::of(sample);
    if let Some(known) = groups.iter().position(|group| group.is_same(&new)) {
        return known as u32;
    }
    if groups.len() < MOST_GROUPS {
        groups.push(new);
        return groups.len() as u32 - 1;
    }
    let kinship = |index: &usize| groups[*index].kinship(&new);
    (0..groups.len()).max_by(|a, b| kinship(a).total_cmp(&kinship(b))).unwrap_or(0) as u32
}

/// Throughput of a plan against the plain loop by the model alone.
pub(super) fn modelled(costs: &Costs, pool: Pool, threads: usize, chunk: usize, items: u64) -> f64 {
    let items = items.max(1);
    let chunk = shrunk(costs, threads, chunk, items);
    match pool {
        Pool::Serial => 1.0,
        Pool::Cpu => model::speedup(costs, threads, chunk, items),
        Pool::Blocking => {
            let start = threads as f64 * THREAD_START;
            let serial = items as f64 * costs.serial();
            serial / (model::parallel(costs, threads, chunk, items) + start)
        }
    }
}

/// The chunk that a run of so many items really uses: near a known end chunks shrink, so that no thread works alone.
fn shrunk(costs: &Costs, threads: usize, chunk: usize, items: u64) -> usize {
    let share = (items as usize).div_ceil(2 * threads);
    let smallest = (choose::SMALLEST_CHUNK / costs.item).ceil() as usize;
    chunk.min(share.max(smallest)).max(1)
}

/// How far a sample's plan fell short of the model, as a natural logarithm.
pub(super) fn shortfall(sample: &Sample, costs: &Costs) -> f64 {
    if sample.pool == Pool::Serial || sample.threads < 1 {
        return 0.0;
    }
    let (threads, chunk) = (sample.threads as usize, sample.chunk_size.max(1) as usize);
    let modelled = modelled(costs, sample.pool, threads, chunk, sample.items);
    (modelled / f64::from(sample.speedup)).ln().clamp(-WORST, WORST)
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weight: f32,
    shortfall: f32,
}

impl Sum {
    fn mean(&self) -> f32 {
        self.shortfall / self.weight.max(f32::MIN_POSITIVE)
    }
}

/// A thread is slowed down by the others: `1 + contention (n − 1) + coherence n (n − 1)` times.
#[derive(Clone, Copy, Debug, Default)]
struct Law {
    contention: f64,
    coherence: f64,
}

impl Law {
    fn slowdown(self, threads: u32) -> f64 {
        let n = f64::from(threads);
        1.0 + self.contention * (n - 1.0) + self.coherence * n * (n - 1.0)
    }
}

/// Outcomes that bear on one query.
#[derive(Clone, Debug)]
pub(super) struct Outcomes<'m> {
    groups: &'m [Group],
    sums: [Sum; MOST_GROUPS],
    /// What the law leaves unexplained of each group.
    rests: [f32; MOST_GROUPS],
    cpu: Law,
    blocking: Law,
}

/// Weighs what happened to work like the one that the view describes.
pub(super) fn collect<'m>(model: &'m Model, view: &View) -> Outcomes<'m> {
    let sums = sums(model, view);
    let groups = &model.groups[..];
    let mut outcomes = Outcomes {
        groups,
        cpu: fit(groups, &sums, Pool::Cpu),
        blocking: fit(groups, &sums, Pool::Blocking),
        sums,
        rests: [0.0; MOST_GROUPS],
    };
    for (index, group) in groups.iter().enumerate() {
        outcomes.rests[index] = outcomes.sums[index].mean() - outcomes.law(group);
    }
    outcomes
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
        let weight = weight * item * item * rest;
        let sum = &mut sums[row.group as usize];
        sum.weight += weight;
        sum.shortfall += weight * row.shortfall;
    }
    sums
}

/// Least squares of the slow-downs, each relative to itself; a weak prior shares out what the outcomes leave open
/// evenly between contention and coherence.
fn fit(groups: &[Group], sums: &[Sum; MOST_GROUPS], pool: Pool) -> Law {
    let [mut xx, mut xy, mut yy, mut xg, mut yg] = [0.0f64; 5];
    for (group, sum) in groups.iter().zip(sums).filter(|(group, _)| group.pool == pool && group.threads > 1) {
        let n = f64::from(group.threads);
        let slowdown = f64::from(sum.mean()).exp().max(1.0);
        let weight = f64::from(sum.weight) / (slowdown * slowdown);
        let (x, y, g) = (n - 1.0, n * (n - 1.0), slowdown - 1.0);
        xx += weight * x * x;
        xy += weight * x * y;
        yy += weight * y * y;
        xg += weight * x * g;
        yg += weight * y * g;
    }
    if xx <= 0.0 {
        return Law::default();
    }
    solve(xx * (1.0 + PRIOR_LAW), xy, yy * (1.0 + PRIOR_LAW), xg, yg)
}

fn solve(xx: f64, xy: f64, yy: f64, xg: f64, yg: f64) -> Law {
    let determinant = xx * yy - xy * xy;
    let contention = (xg * yy - yg * xy) / determinant;
    let coherence = (yg * xx - xg * xy) / determinant;
    if contention < 0.0 {
        Law { contention: 0.0, coherence: (yg / yy).max(0.0) }
    } else if coherence < 0.0 {
        Law { contention: (xg / xx).max(0.0), coherence: 0.0 }
    } else {
        Law { contention, coherence }
    }
}

/// What outcomes say of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    /// Natural logarithm of how far it will fall short of the model.
    pub(super) shortfall: f64,
    /// Samples of this plan or plans near it.
    pub(super) evidence: f64,
}

impl Outcomes<'_> {
    fn law(&self, group: &Group) -> f32 {
        let law = match group.pool {
            Pool::Serial => return 0.0,
            Pool::Cpu => self.cpu,
            Pool::Blocking => self.blocking,
        };
        law.slowdown(group.threads).ln() as f32
    }

    pub(super) fn verdict(&self, plan: &Group) -> Verdict {
        let (mut evidence, mut rest) = (0.0, 0.0);
        for (index, group) in self.groups.iter().enumerate() {
            let weight = self.sums[index].weight * group.kinship(plan);
            evidence += weight;
            rest += weight * self.rests[index];
        }
        let shortfall = self.law(plan) + rest / (evidence + PRIOR);
        Verdict { shortfall: shortfall.into(), evidence: evidence.into() }
    }

    /// Kinds of plan that were tried, with their weight.
    pub(super) fn tried(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().zip(&self.sums).filter(|(_, sum)| sum.weight > 0.0).map(|(group, _)| group)
    }
}
