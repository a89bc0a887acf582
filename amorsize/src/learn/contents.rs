//! The records of a file, taken apart and put together. Pure: bytes in, records out; no file.

use crate::learn::codec::{self, Record};
use crate::learn::frame::{self, Piece};
use crate::learn::prune::{self, MOST_SAMPLES};
use crate::learn::sample::{MachineRecord, Sample};

/// What a file holds behind its header.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Contents {
    /// In the order in which they were recorded.
    pub(crate) samples: Vec<Sample>,
    pub(crate) machines: Vec<MachineRecord>,
    /// Places that hold no record, or one that cannot be true.
    pub(crate) damaged: usize,
    /// Bytes before the last record, if that was cut short.
    pub(crate) torn: Option<usize>,
}

impl Contents {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut contents = Self::default();
        for piece in frame::pieces(bytes) {
            match piece {
                Piece::Record(range) => contents.take(codec::decode(&bytes[range])),
                Piece::Noise(_) => contents.damaged += 1,
                Piece::Torn(range) => contents.torn = Some(range.start),
            }
        }
        contents
    }

    fn take(&mut self, record: Option<Record>) {
        match record {
            Some(Record::Sample(sample)) => self.samples.push(sample),
            Some(Record::Machine(machine)) => self.add_machine(machine),
            None => self.damaged += 1,
        }
    }

    /// Adds a machine unless it is known.
    pub(crate) fn add_machine(&mut self, machine: MachineRecord) {
        if self.machine(machine.id).is_none() {
            self.machines.push(machine);
        }
    }

    pub(crate) fn machine(&self, id: u64) -> Option<&MachineRecord> {
        self.machines.iter().find(|machine| machine.id == id)
    }

    /// The records as bytes; machines first, and only those that samples come from.
    pub(crate) fn frames(&self) -> Vec<u8> {
        let mut frames = Vec::new();
        let used = self.machines.iter().filter(|machine| self.samples.iter().any(|s| s.machine == machine.id));
        used.for_each(|machine| codec::add_machine(&mut frames, machine));
        self.samples.iter().for_each(|sample| codec::add_sample(&mut frames, sample));
        frames
    }

    /// Adds what was recorded later.
    pub(crate) fn append(&mut self, mut later: Self) {
        later.machines.drain(..).for_each(|machine| self.add_machine(machine));
        self.samples.append(&mut later.samples);
    }

    /// Adds what is not here yet, by age.
    pub(crate) fn merge(&mut self, other: Self) {
        self.samples.extend(other.samples_beyond(self));
        other.machines.into_iter().for_each(|machine| self.add_machine(machine));
        self.samples.sort_by_key(|sample| sample.time);
    }

    /// The samples that are not among those of another one. Of several that are alike, as many as there are more here:
    /// times are in whole seconds.
    pub(crate) fn samples_beyond(&self, other: &Self) -> Vec<Sample> {
        let mut known: Vec<_> = other.samples.iter().collect();
        let is_new = |sample: &&Sample| {
            let place = known.iter().position(|known| known == sample);
            place.map(|place| known.swap_remove(place)).is_none()
        };
        self.samples.iter().filter(is_new).cloned().collect()
    }

    pub(crate) fn is_crowded(&self) -> bool {
        self.samples.len() > MOST_SAMPLES
    }

    /// Drops redundant samples, if there are too many.
    pub(crate) fn prune_if_crowded(&mut self) {
        if self.is_crowded() {
            prune::prune(&mut self.samples);
        }
    }
}
