//! A function's history in memory: its samples, and the model that predictions are made with. Holds no lock and no file.

use crate::constants::MIN_SAMPLES;
use crate::learn::contents::Contents;
use crate::learn::machines;
use crate::learn::predict::Model;
use crate::learn::sample::Sample;

/// Samples and what follows from them; always of the same samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learned {
    contents: Contents,
    model: Model,
}

impl From<Contents> for Learned {
    fn from(contents: Contents) -> Self {
        Self { model: Model::from_samples(&contents.samples), contents }
    }
}

impl Learned {
    /// Oldest first.
    pub(crate) fn samples(&self) -> &[Sample] {
        &self.contents.samples
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// What this machine's samples are filed under here.
    pub(crate) fn this_machine(&self) -> u64 {
        machines::id_among(&self.contents.machines)
    }

    /// Whether there are enough samples to predict anything.
    pub(crate) fn is_enough(&self) -> bool {
        self.model.len() >= MIN_SAMPLES
    }

    /// How much the machine of a sample resembles this one, 0..=1; 0 if it is unknown.
    pub(crate) fn similarity(&self, machine: u64) -> f64 {
        self.contents.machine(machine).map_or(0.0, machines::similarity)
    }

    pub(crate) fn add(&mut self, samples: Vec<Sample>) {
        samples.iter().for_each(|sample| self.model.add(sample));
        self.contents.samples.extend(samples);
    }

    pub(crate) fn is_crowded(&self) -> bool {
        self.contents.is_crowded()
    }

    /// Drops what is redundant, if there are too many. Takes a while: all is learned anew.
    pub(crate) fn prune_if_crowded(&mut self) {
        if self.is_crowded() {
            self.contents.prune_if_crowded();
            self.model = Model::from_samples(&self.contents.samples);
        }
    }
}
