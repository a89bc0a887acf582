//! Plans as the model sees them: what one would achieve at given costs, and which ones are of a kind, so that what
//! happened to one says something of another.

use crate::decide::chunks;
use crate::decide::costs::Costs;
use crate::decide::timing::{self, THREAD_START, Wake};
use crate::learn::sample::Sample;
use crate::plan::Pool;

use super::model::log2;
use super::neighbours::near;

/// Kinds of plan that are told apart; further ones join the most similar.
pub(super) const MOST_GROUPS: usize = 64;
/// Kinds that are kept free: the first one of each pool, since none of another pool stands for it.
const POOLS: usize = 3;
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
/// Seconds that starting a thread of the blocking pool costs a run: those that are there work while others start.
const STARTING: f64 = 0.75 * THREAD_START;

/// A kind of plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) pool: Pool,
    pub(super) threads: u32,
    /// Binary logarithm of the chunk size.
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

    /// A plan of this kind, for so many items.
    pub(super) fn setup(&self, items: u64) -> Setup {
        Setup { pool: self.pool, threads: self.threads as usize, chunk: self.chunk.exp2() as usize, items }
    }

    /// How much an outcome of one kind says of another.
    pub(super) fn kinship(&self, other: &Self) -> f32 {
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
    let kinship = |index: &usize| groups[*index].kinship(&new);
    let of_its_pool = (0..groups.len()).filter(|&index| groups[index].pool == new.pool);
    match of_its_pool.max_by(|a, b| kinship(a).total_cmp(&kinship(b))) {
        Some(next_of_kin) if groups.len() >= MOST_GROUPS - POOLS => next_of_kin as u32,
        _ => {
            groups.push(new);
            groups.len() as u32 - 1
        }
    }
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
    pub(super) fn seconds(&self, costs: &Costs, slowdown: f64) -> f64 {
        let slowed = Costs { item: costs.item * slowdown, ..*costs };
        let chunk = shrunk(costs, self.threads, self.chunk, self.items);
        let start = if self.pool == Pool::Blocking { self.threads as f64 * STARTING } else { 0.0 };
        let threads = timing::parallel(&slowed, self.threads, chunk, self.items, Wake::USUAL);
        (threads + start) / self.items as f64
    }

    /// Throughput against the plain loop.
    pub(super) fn speedup(&self, costs: &Costs, slowdown: f64) -> f64 {
        if self.pool == Pool::Serial { 1.0 } else { costs.serial() / self.seconds(costs, slowdown) }
    }

    /// How many times threads must have slowed the function down for an item to take `observed` seconds, and how much
    /// the observation depends on that: a run bound by its consumer says nothing.
    pub(super) fn slowdown(&self, costs: &Costs, observed: f64) -> (f64, f64) {
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
    let smallest = (chunks::SMALLEST_CHUNK / costs.item).ceil() as usize;
    chunk.min(share.max(smallest)).max(1)
}

/// Costs that a run can have had: source and consumer cannot have taken longer than everything together did, and what
/// they are too much, the function is too little.
pub(super) fn bounded(sample: &Sample, costs: Costs) -> Costs {
    let chunk = sample.chunk_size.max(1) as usize;
    let around = Costs { item: 0.0, ..costs };
    let excess = timing::steady(&around, usize::MAX, chunk) - f64::from(sample.end_to_end);
    if sample.pool == Pool::Serial || excess <= 0.0 {
        return costs;
    }
    let both = costs.source + costs.consumer;
    let kept = (both - excess).max(0.0) / both.max(f64::MIN_POSITIVE);
    let (source, consumer) = (costs.source * kept, costs.consumer * kept);
    Costs { source, consumer, item: costs.item + both - source - consumer, ..costs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::predict::tests::sample;

    #[test]
    fn no_kind_of_plan_counts_as_one_of_another_pool() {
        let mut groups = Vec::new();
        let mut of = |pool, threads| {
            let index = group(&mut groups, &sample(pool, threads, 1e-6, 1.0)) as usize;
            (groups[index].pool, groups.len())
        };
        (1..=200).for_each(|threads| assert_eq!(of(Pool::Cpu, threads).0, Pool::Cpu));
        assert_eq!([of(Pool::Serial, 1).0, of(Pool::Blocking, 8).0], [Pool::Serial, Pool::Blocking]);
        assert!(of(Pool::Blocking, 9).1 <= MOST_GROUPS);
    }
}
