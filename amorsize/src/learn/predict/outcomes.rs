//! What plans achieved against what the model said of them: first as a law of the thread count (contention and
//! coherence, after Gunther's universal scalability law), then plan by plan. A recorded bad outcome so speaks against
//! its plan, against plans near it, and against more of the same.

use crate::decide::choose;
use crate::decide::costs::Costs;
use crate::decide::model::{self, THREAD_START, Wake};
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
/// Weight of an outcome for the same threads with any other chunk: most of what makes threads bad is no matter of
/// chunks.
const ANY_CHUNK: f32 = 0.1;
/// Weight of an outcome for the other order.
const OTHER_ORDER: f32 = 0.5;
/// Weight of the model itself against outcomes at the very plan, in samples as relevant as the nearest is. (If all are
/// of far longer inputs, say, they are still all that is known.)
const PRIOR: f32 = 0.15;
/// Where outcomes leave open why threads slow each other down, they more often contend than disturb each other.
const PRIOR_CONTENTION: f64 = 0.02;
const PRIOR_COHERENCE: f64 = 0.05;
/// Relative error up to which a simpler law explains the outcomes as well.
const PLAUSIBLE: f64 = 0.05;
/// Scales of what makes work comparable: octaves of item time, coefficient of variation, share, octaves of bytes.
const ITEM_SCALE: f32 = 1.5;
const SPREAD_SCALE: f32 = 1.0;
const BLOCKED_SCALE: f32 = 0.3;
const BYTES_SCALE: f32 = 3.0;
/// Most that an outcome can say for or against a plan, as a natural logarithm.
const WORST: f64 = 7.0;
/// Seconds that starting a thread of the blocking pool costs a run: those that are there work while others start.
const STARTING: f64 = 0.75 * THREAD_START;

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
        Self {
            pool: sample.pool,
            threads: busy(sample),
            chunk: log2(sample.chunk_size.max(1).into()),
            ordered: sample.ordered,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let serial = self.pool == Pool::Serial;
        self.pool == other.pool
            && self.threads == other.threads
            && (serial || (self.ordered == other.ordered && (self.chunk - other.chunk).abs() <= SAME_CHUNK))
    }

    /// One of its plans, for so many items.
    pub(super) fn setup(&self, items: u64) -> Setup {
        Setup { pool: self.pool, threads: self.threads as usize, chunk: self.chunk.exp2() as usize, items }
    }

    /// How much an outcome of one says of the other.
    fn kinship(&self, other: &Self) -> f32 {
        if self.pool != other.pool {
            return 0.0;
        }
        let threads = near(log2(f64::from(self.threads) / f64::from(other.threads)), THREADS_SCALE);
        let order = if self.ordered == other.ordered { 1.0 } else { OTHER_ORDER };
        order * threads * threads * near(self.chunk - other.chunk, CHUNK_SCALE).powi(2).max(ANY_CHUNK)
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

/// Threads that had something to do: no more than items could be in flight.
fn busy(sample: &Sample) -> u32 {
    if sample.pool == Pool::Serial { 1 } else { sample.threads.min(sample.buffer_size).max(1) }
}

/// A plan as the model sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) pool: Pool,
    pub(super) threads: usize,
    pub(super) chunk: usize,
    pub(super) items: u64,
}

impl Setup {
    pub(super) fn of(sample: &Sample) -> Self {
        let (threads, chunk) = (busy(sample) as usize, sample.chunk_size.max(1) as usize);
        Self { pool: sample.pool, threads, chunk, items: sample.items.max(1) }
    }

    /// Seconds for an item when threads slow the function down so many times.
    fn seconds(&self, costs: &Costs, slowdown: f64) -> f64 {
        let slowed = Costs { item: costs.item * slowdown, ..*costs };
        let chunk = shrunk(costs, self.threads, self.chunk, self.items);
        let start = if self.pool == Pool::Blocking { self.threads as f64 * STARTING } else { 0.0 };
        let threads = model::parallel(&slowed, self.threads, chunk, self.items, Wake::USUAL);
        (threads + start) / self.items as f64
    }

    /// Throughput against the plain loop.
    pub(super) fn speedup(&self, costs: &Costs, slowdown: f64) -> f64 {
        if self.pool == Pool::Serial { 1.0 } else { costs.serial() / self.seconds(costs, slowdown) }
    }

    /// How many times threads must have slowed the function down for an item to take `observed` seconds, and how much
    /// the observation depends on that: a run bound by its consumer says nothing.
    fn slowdown(&self, costs: &Costs, observed: f64) -> (f64, f64) {
        let far = self.seconds(costs, FAR);
        let slope = (self.seconds(costs, 2.0 * FAR) - far) / FAR;
        let slowdown = (FAR - (far - observed) / slope).clamp(1.0, FAR);
        let halved = self.seconds(costs, slowdown) / self.seconds(costs, 0.5 * slowdown);
        (slowdown, halved.log2().clamp(0.0, 1.0).powi(2))
    }
}

/// A slow-down at which nothing but the function counts.
const FAR: f64 = 2000.0;

/// The chunk that a run of so many items really uses: near a known end chunks shrink, so that no thread works alone.
fn shrunk(costs: &Costs, threads: usize, chunk: usize, items: u64) -> usize {
    let share = (items as usize).div_ceil(2 * threads);
    let smallest = (choose::SMALLEST_CHUNK / costs.item).ceil() as usize;
    chunk.min(share.max(smallest)).max(1)
}

/// Source and consumer cannot have taken longer than everything together did: what they are too much, the function is
/// too little.
pub(super) fn bounded(sample: &Sample, costs: Costs) -> Costs {
    let chunk = sample.chunk_size.max(1) as usize;
    let around = Costs { item: 0.0, ..costs };
    let excess = model::steady(&around, usize::MAX, chunk) - f64::from(sample.end_to_end);
    if sample.pool == Pool::Serial || excess <= 0.0 {
        return costs;
    }
    let both = costs.source + costs.consumer;
    let kept = (both - excess).max(0.0) / both.max(f64::MIN_POSITIVE);
    let (source, consumer) = (costs.source * kept, costs.consumer * kept);
    Costs { source, consumer, item: costs.item + both - source - consumer, ..costs }
}

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

/// A thread is slowed down by the others: `1 + contention (n − 1) + coherence n (n − 1)` times.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Law {
    contention: f64,
    coherence: f64,
}

impl Law {
    fn slowdown(self, threads: usize) -> f64 {
        let n = threads as f64;
        1.0 + self.contention * (n - 1.0) + self.coherence * n * (n - 1.0)
    }
}

/// The likely law, and the simpler ones that outcomes do not rule out.
#[derive(Clone, Copy, Debug, Default)]
struct Laws {
    likely: Law,
    others: [Option<Law>; 2],
}

impl Laws {
    /// The smallest slow-down that is not ruled out.
    fn hoped(&self, threads: usize) -> f64 {
        let others = self.others.iter().flatten().map(|law| law.slowdown(threads));
        others.fold(self.likely.slowdown(threads), f64::min)
    }
}

/// Outcomes that bear on one query.
#[derive(Clone, Debug)]
pub(super) struct Outcomes<'m> {
    groups: &'m [Group],
    /// Weight of the nearest sample.
    relevance: f32,
    sums: [Sum; MOST_GROUPS],
    /// What the law leaves unexplained of each group.
    rests: [f32; MOST_GROUPS],
    cpu: Laws,
    blocking: Laws,
}

/// Weighs what happened to work like the one that the view describes.
pub(super) fn collect<'m>(model: &'m Model, view: &View) -> Outcomes<'m> {
    let sums = sums(model, view);
    let groups = &model.groups[..];
    let (cpu, blocking) = (fit(groups, &sums, Pool::Cpu), fit(groups, &sums, Pool::Blocking));
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

/// Sums for least squares of the slow-downs, each relative to itself.
#[derive(Clone, Copy, Debug, Default)]
struct Squares {
    weight: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    xg: f64,
    yg: f64,
    gg: f64,
}

impl Squares {
    fn add(&mut self, threads: u32, weight: f64, slowdown: f64) {
        let n = f64::from(threads);
        let relative = weight / (slowdown * slowdown);
        let (x, y, g) = (n - 1.0, n * (n - 1.0), slowdown - 1.0);
        self.weight += weight;
        self.xx += relative * x * x;
        self.xy += relative * x * y;
        self.yy += relative * y * y;
        self.xg += relative * x * g;
        self.yg += relative * y * g;
        self.gg += relative * g * g;
    }

    /// A weak prior shares out what the outcomes leave open between contention and coherence.
    fn likely(&self) -> Law {
        let (xx, yy) = (self.xx * (1.0 + PRIOR_CONTENTION), self.yy * (1.0 + PRIOR_COHERENCE));
        let determinant = xx * yy - self.xy * self.xy;
        let contention = (self.xg * yy - self.yg * self.xy) / determinant;
        let coherence = (self.yg * xx - self.xg * self.xy) / determinant;
        if contention < 0.0 {
            self.only_coherence()
        } else if coherence < 0.0 {
            self.only_contention()
        } else {
            Law { contention, coherence }
        }
    }

    fn only_contention(&self) -> Law {
        Law { contention: (self.xg / self.xx).max(0.0), coherence: 0.0 }
    }

    fn only_coherence(&self) -> Law {
        Law { contention: 0.0, coherence: (self.yg / self.yy).max(0.0) }
    }

    /// Mean square of a law's relative errors.
    fn error(&self, law: Law) -> f64 {
        let Law { contention: a, coherence: b } = law;
        let explained = a * a * self.xx + 2.0 * a * b * self.xy + b * b * self.yy;
        (self.gg - 2.0 * (a * self.xg + b * self.yg) + explained) / self.weight
    }
}

fn fit(groups: &[Group], sums: &[Sum; MOST_GROUPS], pool: Pool) -> Laws {
    let mut squares = Squares::default();
    for (group, sum) in groups.iter().zip(sums) {
        if group.pool == pool && group.threads > 1 && sum.clarity > 0.0 {
            squares.add(group.threads, sum.clarity.into(), (sum.slowdown / sum.clarity).into());
        }
    }
    if squares.xx <= 0.0 {
        return Laws::default();
    }
    let likely = squares.likely();
    let bound = squares.error(likely) + PLAUSIBLE * PLAUSIBLE;
    let plausible = |law: Law| (squares.error(law) <= bound).then_some(law);
    Laws { likely, others: [plausible(squares.only_contention()), plausible(squares.only_coherence())] }
}

/// What outcomes say of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    /// Throughput against the plain loop.
    pub(super) speedup: f64,
    /// The same if threads slow each other down as little as can be hoped.
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
        let slowdown = self.laws(group.pool).likely.slowdown(setup.threads);
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
        let (likely, hoped) = (self.laws(pool).likely.slowdown(setup.threads), self.laws(pool).hoped(setup.threads));
        let speedup = rest * setup.speedup(costs, likely);
        let hope = if hoped < likely { rest * setup.speedup(costs, hoped) } else { speedup };
        Estimate { speedup, hope, evidence: evidence.into() }
    }

    /// Samples of a pool.
    pub(super) fn weight(&self, pool: Pool) -> f64 {
        let sums = self.groups.iter().zip(&self.sums).filter(|(group, _)| group.pool == pool);
        sums.map(|(_, sum)| f64::from(sum.weight)).sum()
    }

    /// Kinds of plan that were tried.
    pub(super) fn tried(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().zip(&self.sums).filter(|(_, sum)| sum.weight > 0.0).map(|(group, _)| group)
    }
}
