//! Which samples to keep when there are too many. Pure, and the same for the same samples.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::learn::sample::Sample;
use crate::plan::Pool;

/// Samples of a function from which some are dropped.
pub(crate) const MOST_SAMPLES: usize = 2048;
/// Samples of a function that are kept when some are dropped. Far fewer than [`MOST_SAMPLES`], so that files are seldom
/// written anew.
pub(crate) const KEPT_SAMPLES: usize = 512;

/// What makes two samples tell the same: same code, machine, pool, threads and order, and chunks, buffer and length of
/// the same magnitude.
type Kind = (u64, u64, u64, Pool, bool, [u32; 4]);

fn kind(sample: &Sample) -> Kind {
    let Sample { body, build, machine, pool, ordered, threads, chunk_size, buffer_size, length, .. } = *sample;
    let sizes = [threads, magnitude(chunk_size.into()), magnitude(buffer_size.into()), magnitude(length)];
    (body, build, machine, pool, ordered, sizes)
}

fn magnitude(size: u64) -> u32 {
    size.checked_ilog2().unwrap_or(0)
}

/// Drops samples down to [`KEPT_SAMPLES`] if there are more.
pub(crate) fn prune(samples: &mut Vec<Sample>) {
    if let Cow::Owned(kept) = telling(samples) {
        *samples = kept;
    }
}

/// The samples, or [`KEPT_SAMPLES`] of them that tell most if there are more. Kinds share the room evenly, each with its newest, so that
/// a thousand ordinary runs do not displace the one that tells what 64 threads were like. Samples come oldest first,
/// and stay so.
pub(crate) fn telling(samples: &[Sample]) -> Cow<'_, [Sample]> {
    if samples.len() <= KEPT_SAMPLES {
        return Cow::Borrowed(samples);
    }
    let mut keep = ranks(samples);
    keep.sort_unstable();
    keep.truncate(KEPT_SAMPLES);
    let mut kept: Vec<usize> = keep.into_iter().map(|(_, age)| samples.len() - 1 - age).collect();
    kept.sort_unstable();
    kept.into_iter().map(|index| samples[index].clone()).collect()
}

/// For each sample, the newest first, its place among those of its kind, and how many newer ones there are in all.
fn ranks(samples: &[Sample]) -> Vec<(usize, usize)> {
    let mut newer = HashMap::<Kind, usize>::new();
    let rank = |(age, sample): (usize, &Sample)| {
        let count = newer.entry(kind(sample)).or_default();
        *count += 1;
        (*count, age)
    };
    samples.iter().rev().enumerate().map(rank).collect()
}
