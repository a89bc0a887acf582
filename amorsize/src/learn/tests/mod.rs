//! The store with real files, each test in a directory of its own: damage, bounds, and the way from memory to disk.

mod damage;
mod exchange;
mod functions;
mod sizes;

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use crate::decide::costs::Costs;
use crate::learn::codec;
use crate::learn::header::Name;
use crate::learn::machines;
use crate::learn::sample::{Predicted, Sample};
use crate::learn::store::{Aftermath, Batch, Loaded, Store};
use crate::plan::Pool;

/// A sample that differs from all others by its time, and takes as much room as any.
fn sample(time: u64) -> Sample {
    let costs = Costs { source: 1e-8, item: 2e-6, consumer: 3e-8, spread: 0.3, blocked: 0.01, result_bytes: 100.0 };
    let sample = Sample {
        time: 1_800_000_000 + time,
        body: 0xfedc_ba98_7654_3210,
        build: 0xffff_fff0,
        machine: machines::this().id,
        call_site: 0xffff_fff1,
        length: 0xffff_fff2,
        items: 0xf000_0000,
        pool: Pool::Cpu,
        threads: 64,
        chunk_size: 4096,
        buffer_size: 65_535,
        ordered: true,
        costs,
        end_to_end: 2.5e-6,
        speedup: 3.5,
        predicted: Some(Predicted { confidence: 0.9, item_time: 2e-6, end_to_end: 2.6e-6 }),
    };
    codec::rounded(&sample).unwrap()
}

/// A store in a directory that goes away, and the file of a function in it.
struct Place {
    directory: TempDir,
    store: Store,
    name: Name,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(Some(directory.path().join("cache")));
        Self { directory, store, name: Name::new(0xabc, "app::digest") }
    }

    fn with(samples: std::ops::Range<u64>) -> Self {
        let place = Self::new();
        place.add(samples);
        place
    }

    fn add(&self, times: std::ops::Range<u64>) -> Aftermath {
        self.add_samples(&times.map(sample).collect::<Vec<_>>())
    }

    fn add_samples(&self, samples: &[Sample]) -> Aftermath {
        let mut frames = Vec::new();
        samples.iter().for_each(|sample| codec::add_sample(&mut frames, sample));
        let batch = Batch { machine: machines::frame(), machine_known: true, samples: &frames };
        self.store.append(&self.name, batch, Duration::ZERO).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("cache").join("0000000000000abc.history")
    }

    fn aside(&self) -> PathBuf {
        self.file().with_extension("damaged")
    }

    fn load(&self) -> Loaded {
        self.store.load(&self.name).unwrap()
    }

    /// What tells the loaded samples apart.
    fn times(&self) -> Vec<u64> {
        self.load().contents.samples.iter().map(|sample| sample.time - 1_800_000_000).collect()
    }
}
