//! Records as bytes: the only module that knows serde and bincode, so that either can be replaced here. No file.
//!
//! A sample takes at most 100 bytes with its frame, because costs are kept as `f32` and counts with as many bytes as
//! they need. What is decoded has been checked.

use bincode::config::{Configuration, Limit, LittleEndian, Varint, standard};
use serde::{Deserialize, Serialize};

use crate::decide::costs::Costs;
use crate::error::Error;
use crate::learn::check;
use crate::learn::frame::{self, MOST_PAYLOAD};
use crate::learn::sample::{MachineRecord, Predicted, Sample};
use crate::plan::Pool;

const CONFIG: Configuration<LittleEndian, Varint, Limit<MOST_PAYLOAD>> = standard().with_limit::<MOST_PAYLOAD>();

/// An entry of a history file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    Sample(Sample),
    Machine(MachineRecord),
}

/// The layout on disk: version 1. Variants and fields are known by their order.
#[derive(Serialize, Deserialize)]
enum Stored {
    Sample(StoredSample),
    Machine(StoredMachine),
}

#[derive(Serialize, Deserialize)]
struct StoredSample {
    /// The pool, times two, plus one if in order.
    mode: u8,
    time: u64,
    body: [u8; 8],
    build: u64,
    machine: u64,
    call_site: u64,
    length: u64,
    /// Items of the run that are not of this stretch: mostly none, and then one byte.
    others: u64,
    threads: u32,
    chunk_size: u32,
    buffer_size: u32,
    /// In the order of [`Costs`]' fields.
    costs: [f32; 6],
    end_to_end: f32,
    speedup: f32,
    /// In the order of [`Predicted`]'s fields.
    predicted: Option<[f32; 3]>,
}

#[derive(Serialize, Deserialize)]
struct StoredMachine {
    id: u64,
    cores: u32,
    l3_bytes: u64,
    numa_nodes: u32,
    memory_bytes: u64,
    quota: Option<f32>,
    arch: String,
}

/// Adds a sample's frame. Samples that were checked always fit.
pub(crate) fn add_sample(frames: &mut Vec<u8>, sample: &Sample) {
    add(frames, &Stored::Sample(sample.into()));
}

/// Adds a machine's frame.
pub(crate) fn add_machine(frames: &mut Vec<u8>, machine: &MachineRecord) {
    add(frames, &Stored::Machine(machine.clone().into()));
}

fn add(frames: &mut Vec<u8>, stored: &Stored) {
    let mut payload = [0; MOST_PAYLOAD];
    if let Ok(length) = bincode::serde::encode_into_slice(stored, &mut payload, CONFIG) {
        frame::add(frames, &payload[..length]);
    }
}

/// The record of a frame, if it is one and can be true.
pub(crate) fn decode(payload: &[u8]) -> Option<Record> {
    let (stored, used) = bincode::serde::decode_from_slice::<Stored, _>(payload, CONFIG).ok()?;
    if used != payload.len() {
        return None;
    }
    Record::try_from(stored).ok()
}

/// The sample as it will be read again.
pub(crate) fn rounded(sample: &Sample) -> Result<Sample, Error> {
    StoredSample::from(sample).try_into()
}

impl TryFrom<Stored> for Record {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self, Error> {
        match stored {
            Stored::Sample(sample) => sample.try_into().map(Self::Sample),
            Stored::Machine(machine) => machine.try_into().map(Self::Machine),
        }
    }
}

impl From<&Sample> for StoredSample {
    fn from(sample: &Sample) -> Self {
        let Costs { source, item, consumer, spread, blocked, result_bytes } = sample.costs;
        Self {
            mode: mode(sample.pool, sample.ordered),
            time: sample.time,
            body: sample.body.to_le_bytes(),
            build: sample.build,
            machine: sample.machine,
            call_site: sample.call_site,
            length: sample.length,
            others: sample.length.wrapping_sub(sample.items),
            threads: sample.threads,
            chunk_size: sample.chunk_size,
            buffer_size: sample.buffer_size,
            costs: [source, item, consumer, spread, blocked, result_bytes].map(|cost| cost as f32),
            end_to_end: sample.end_to_end,
            speedup: sample.speedup,
            predicted: sample.predicted.map(|p| [p.confidence, p.item_time, p.end_to_end]),
        }
    }
}

impl TryFrom<StoredSample> for Sample {
    type Error = Error;

    fn try_from(stored: StoredSample) -> Result<Self, Error> {
        let [source, item, consumer, spread, blocked, result_bytes] = stored.costs.map(f64::from);
        let sample = Self {
            time: stored.time,
            body: u64::from_le_bytes(stored.body),
            build: stored.build,
            machine: stored.machine,
            call_site: stored.call_site,
            length: stored.length,
            items: stored.length.wrapping_sub(stored.others),
            pool: pool(stored.mode)?,
            threads: stored.threads,
            chunk_size: stored.chunk_size,
            buffer_size: stored.buffer_size,
            ordered: stored.mode & 1 == 1,
            costs: Costs { source, item, consumer, spread, blocked, result_bytes },
            end_to_end: stored.end_to_end,
            speedup: stored.speedup,
            predicted: stored.predicted.map(predicted),
        };
        check::sample(&sample)?;
        Ok(sample)
    }
}

fn predicted([confidence, item_time, end_to_end]: [f32; 3]) -> Predicted {
    Predicted { confidence, item_time, end_to_end }
}

fn mode(pool: Pool, ordered: bool) -> u8 {
    let pool = match pool {
        Pool::Serial => 0,
        Pool::Cpu => 1,
        Pool::Blocking => 2,
    };
    pool * 2 + u8::from(ordered)
}

fn pool(mode: u8) -> Result<Pool, Error> {
    match mode / 2 {
        0 => Ok(Pool::Serial),
        1 => Ok(Pool::Cpu),
        2 => Ok(Pool::Blocking),
        other => Err(Error::Value { name: "pool", value: other.to_string(), allowed: "within 0..=2" }),
    }
}

impl From<MachineRecord> for StoredMachine {
    fn from(machine: MachineRecord) -> Self {
        let MachineRecord { id, cores, l3_bytes, numa_nodes, memory_bytes, quota, arch } = machine;
        Self { id, cores, l3_bytes, numa_nodes, memory_bytes, quota, arch }
    }
}

impl TryFrom<StoredMachine> for MachineRecord {
    type Error = Error;

    fn try_from(stored: StoredMachine) -> Result<Self, Error> {
        let StoredMachine { id, cores, l3_bytes, numa_nodes, memory_bytes, quota, arch } = stored;
        let machine = Self { id, cores, l3_bytes, numa_nodes, memory_bytes, quota, arch };
        check::machine(&machine)?;
        Ok(machine)
    }
}
