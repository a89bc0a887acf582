//! Who is measured: every way to run one job over the same items with the same consumer.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use amorsize::Tuner;
use anyhow::{Context as _, Result};
use rayon::iter::{ParallelBridge, ParallelIterator};

use crate::channel;
use crate::jobs::{Item, Job};
use crate::oracle::Pin;
use crate::source::{Length, Source};

/// A way to run the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Contender {
    Loop,
    For,
    Fold,
    Any,
    Run,
    Collect,
    /// `For` and `Run` after three earlier runs.
    WarmFor,
    WarmRun,
    Oracle,
    Bridge,
    Rayon,
    Orx,
    Paralight,
    Pariter,
    Plmap,
    Channel,
}

use Contender as C;

/// All, in the order in which they are printed.
pub(crate) const CONTENDERS: &[(Contender, &str)] = &[
    (C::Loop, "loop"),
    (C::For, "for"),
    (C::Fold, "fold"),
    (C::Any, "any"),
    (C::Run, "run"),
    (C::Collect, "coll"),
    (C::WarmFor, "for/w"),
    (C::WarmRun, "run/w"),
    (C::Oracle, "oracle"),
    (C::Bridge, "bridge"),
    (C::Rayon, "rayon"),
    (C::Orx, "orx"),
    (C::Paralight, "parlgt"),
    (C::Pariter, "pariter"),
    (C::Plmap, "plmap"),
    (C::Channel, "chan"),
];

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        CONTENDERS.iter().find(|(contender, _)| *contender == self).map_or("?", |(_, name)| name)
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let found = CONTENDERS.iter().find(|(_, other)| *other == name);
        found.map(|&(contender, _)| contender).with_context(|| format!("no contender {name:?}"))
    }

    pub(crate) fn is_warm(self) -> bool {
        matches!(self, C::WarmFor | C::WarmRun)
    }

    /// Hands over item by item: on cheap items it gets fewer of them, so that a lap ends.
    pub(crate) fn is_per_item(self) -> bool {
        matches!(self, C::Bridge | C::Pariter | C::Plmap)
    }
}

/// A job with what a lap needs to know.
pub(crate) struct Case<J> {
    pub(crate) job: J,
    pub(crate) row: &'static str,
    pub(crate) items: usize,
    pub(crate) length: Length,
    /// Chunk that a person who knows the item time would choose.
    pub(crate) expert_chunk: usize,
    pub(crate) pin: Pin,
}

/// One timed run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    pub(crate) seconds: f64,
    /// `None` where results are consumed out of sight.
    pub(crate) checksum: Option<u64>,
}

impl<J: Job> Case<J> {
    /// Runs the first `items` items. Making the source is not timed, dropping it is.
    pub(crate) fn lap(&self, contender: Contender, items: usize) -> Lap {
        let source = Source { inner: self.job.source(black_box(items)), length: self.length };
        let begin = Instant::now();
        let checksum = black_box(self.run(contender, source));
        Lap { seconds: begin.elapsed().as_secs_f64(), checksum }
    }

    fn run(&self, contender: Contender, source: Source<J::Source>) -> Option<u64> {
        let job = self.job.clone();
        let work = move |item| job.work(item);
        Some(match contender {
            C::Loop => drain::<J>(source.map(work)),
            C::For => drain::<J>(Tuner::new(fresh(self.row), work).stream(source)),
            C::WarmFor => drain::<J>(Tuner::new(self.row, work).stream(source)),
            C::Any => drain::<J>(Tuner::new(fresh(self.row), work).ordered(false).stream(source)),
            C::Oracle => drain::<J>(self.pin.apply(Tuner::new(self.row, work)).stream(source)),
            C::Fold => {
                let stream = Tuner::new(fresh(self.row), work).stream(source);
                stream.fold(0u64, |sum, result| sum.wrapping_add(J::read(result)))
            }
            C::Collect => drain::<J>(Tuner::new(fresh(self.row), work).collect::<Vec<_>>(source)),
            C::Run | C::WarmRun => {
                self.effects(contender, source);
                return None;
            }
            C::Bridge => source.par_bridge().map(|item| J::read(work(item))).reduce(|| 0, u64::wrapping_add),
            C::Rayon => drain::<J>(source.rayon(work)),
            C::Orx => drain::<J>(source.orx(work)),
            C::Paralight => drain::<J>(source.paralight(work)),
            C::Pariter => drain::<J>(pariter::IteratorExt::parallel_map(source, work)),
            C::Plmap => drain::<J>(plmap::PipelineMap::plmap(source, cores(), work)),
            C::Channel => channel::ordered(source, &work, J::read, self.expert_chunk, cores()),
        })
    }

    /// `run`: the consumer's part is done where the result is made, and nothing comes back.
    fn effects(&self, contender: Contender, source: Source<J::Source>) {
        let job = self.job.clone();
        let effect = move |item: Item<J>| {
            black_box(J::read(job.work(item)));
        };
        let name = if contender.is_warm() { self.row } else { fresh(self.row) };
        let _ = Tuner::new(name, effect).run(source);
    }

    /// The plan that a cold `for` makes, in words, after it ran to its end.
    pub(crate) fn plan(&self) -> String {
        let job = self.job.clone();
        let source = Source { inner: self.job.source(self.items), length: self.length };
        let mut stream = Tuner::new(fresh(self.row), move |item| job.work(item)).stream(source);
        for result in stream.by_ref() {
            black_box(J::read(result));
        }
        let report = stream.report();
        match report.plan() {
            Some(plan) if report.plans() > 1 => format!("{plan} ({} plans)", report.plans()),
            Some(plan) => plan.to_string(),
            None => "no plan".to_owned(),
        }
    }
}

/// The consumer of all: a `for` loop that reads each result as it comes.
fn drain<J: Job>(results: impl IntoIterator<Item = J::Result>) -> u64 {
    let mut sum = 0u64;
    for result in results {
        sum = sum.wrapping_add(J::read(result));
    }
    sum
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A name that no earlier run has used: the cache knows nothing of it.
pub(crate) fn fresh(row: &str) -> &'static str {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    format!("{row}-{}", RUNS.fetch_add(1, Ordering::Relaxed)).leak()
}
