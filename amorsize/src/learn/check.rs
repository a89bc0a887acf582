//! What can be true of a record. One place for loading, importing and recording by hand: nothing else gets into memory.

use std::ops::RangeInclusive;

use crate::constants;
use crate::error::Error;
use crate::learn::sample::{MachineRecord, Predicted, Sample};
use crate::plan::Pool;

/// Seconds since 1970 until the year 10,000.
const MOST_TIME: u64 = 253_402_300_800;
/// More than anybody runs in three centuries, and small enough for sums.
const MOST_ITEMS: u64 = 1 << 60;
/// Most threads of any pool, and most cores and memory nodes of any machine.
const MOST_THREADS: u32 = constants::MOST_THREADS as u32;
/// Three centuries: longer than any item takes, and than any run.
const MOST_SECONDS: f64 = 1e10;
/// A coefficient of variation beyond which one item in a trillion would have to take all the time.
const MOST_SPREAD: f64 = 1e6;
/// Most bytes of a result: an exbibyte.
const MOST_BYTES: f64 = (1_u64 << 60) as f64;
const MOST_SPEEDUP: f32 = 1e6;
/// The least speed-up that somebody can have measured.
const LEAST_STATED: f64 = 1e-6;
/// Longer than the name of any architecture, and short enough for a record.
const MOST_ARCH: usize = 64;

/// What the plain loop may be taken to be against itself: two readings of the same thing.
const SAME_SPEED: RangeInclusive<f32> = 0.75..=1.33;

/// Refuses a sample that cannot be true.
pub(crate) fn sample(sample: &Sample) -> Result<(), Error> {
    within("time", sample.time, 0..=MOST_TIME, "a time before the year 10,000")?;
    within("items", sample.length, 1..=MOST_ITEMS, "within 1..=2^60")?;
    within("items", sample.items, 1..=sample.length, "at least 1 and at most the length of the run")?;
    within("threads", sample.threads, 1..=MOST_THREADS, "within 1..=65535")?;
    within("chunk_size", sample.chunk_size, 1..=u32::MAX, "at least 1")?;
    within("buffer_size", sample.buffer_size, 1..=u32::MAX, "at least 1")?;
    costs(sample)?;
    within("speedup", sample.speedup, f32::MIN_POSITIVE..=MOST_SPEEDUP, "more than 0 and at most 1e6")?;
    within("end_to_end", sample.end_to_end.into(), 0.0..=MOST_SECONDS, "0 or more seconds, and at most 1e10")?;
    sample.predicted.map_or(Ok(()), predicted)
}

/// Refuses what somebody states and a sample would not hold as it was stated.
pub(crate) fn stated(threads: usize, item_time: f64, speedup: f64) -> Result<(), Error> {
    within("threads", threads, 1..=constants::MOST_THREADS, "within 1..=65535")?;
    within("speedup", speedup, LEAST_STATED..=MOST_SPEEDUP.into(), "within 1e-6..=1e6")?;
    let most = item_time / MOST_SECONDS;
    within(
        "speedup",
        speedup,
        most..=f64::INFINITY,
        "so much that an item of `item_time` takes three centuries at most",
    )
}

/// Refuses what only somebody who tells of a run by hand can get wrong: such a sample would teach nothing, or what is
/// not so. (The library's own clock may well find that an item takes no time.)
pub(crate) fn told(told: &Sample) -> Result<(), Error> {
    sample(told)?;
    let least = "more than 0: a nanosecond, if it is less than one";
    within("item_time", told.costs.item, f64::MIN_POSITIVE..=MOST_SECONDS, least)?;
    if told.pool != Pool::Serial {
        return Ok(());
    }
    let itself = "about 1 for one thread, which is the plain loop itself (say of more `threads` how many there were)";
    within("speedup", told.speedup, SAME_SPEED, itself)
}

fn costs(sample: &Sample) -> Result<(), Error> {
    let costs = &sample.costs;
    seconds("item_time", costs.item)?;
    seconds("source_time", costs.source)?;
    seconds("consumer_time", costs.consumer)?;
    within("spread", costs.spread, 0.0..=MOST_SPREAD, "within 0.0..=1e6")?;
    within("blocked", costs.blocked, 0.0..=1.0, "within 0.0..=1.0")?;
    within("result_bytes", costs.result_bytes, 0.0..=MOST_BYTES, "at most 2^60")
}

fn predicted(predicted: Predicted) -> Result<(), Error> {
    within("confidence", predicted.confidence, 0.0..=1.0, "within 0.0..=1.0")?;
    seconds("item_time", predicted.item_time.into())?;
    seconds("end_to_end", predicted.end_to_end.into())
}

/// Refuses a machine that cannot exist.
pub(crate) fn machine(machine: &MachineRecord) -> Result<(), Error> {
    within("cores", machine.cores, 1..=MOST_THREADS, "within 1..=65535")?;
    within("numa_nodes", machine.numa_nodes, 0..=MOST_THREADS, "within 0..=65535")?;
    within("quota", machine.quota.unwrap_or(1.0), f32::MIN_POSITIVE..=MOST_THREADS as f32, "within 0.0..=65535.0")?;
    within("arch", machine.arch.len(), 0..=MOST_ARCH, "at most 64 bytes long")
}

fn seconds(name: &'static str, value: f64) -> Result<(), Error> {
    within(name, value, 0.0..=MOST_SECONDS, "0 or more seconds, and at most 1e10")
}

/// Refuses a value outside its range. No range contains NaN.
fn within<T>(name: &'static str, value: T, range: RangeInclusive<T>, allowed: &'static str) -> Result<(), Error>
where
    T: PartialOrd + std::fmt::Display,
{
    if range.contains(&value) { Ok(()) } else { Err(Error::Value { name, value: value.to_string(), allowed }) }
}
