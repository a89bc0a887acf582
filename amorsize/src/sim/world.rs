//! What items really cost, on which machine. These laws are not those of [`crate::decide::timing`]: threads slow each
//! other down, clocks drop, items differ, services saturate, and handing over costs what it costs here.

use super::chance::Chance;
use crate::decide::input::Remaining;

/// Kinds of function that behave alike.
pub(super) const CLASSES: [&str; 6] = ["cpu", "memory", "contended", "blocking", "heavy-tailed", "phase-changing"];

/// How threads slow each other down.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slowdown {
    /// Cores that run together run slower, hyperthreads more so.
    Clock { drop: f64, threads: f64 },
    /// A bus that serves so many threads at full speed.
    Bandwidth { saturation: f64 },
    /// A lock held for a share of the item, which costs more the more wait for it.
    Lock { share: f64, handover: f64 },
    /// Universal scalability law.
    Usl { contention: f64, coherence: f64 },
}

impl Slowdown {
    /// How many times longer an item takes while `threads` run.
    fn factor(self, threads: f64) -> f64 {
        match self {
            Slowdown::Clock { drop, threads: most } => 1.0 + drop * ((threads - 1.0) / most).min(1.0),
            Slowdown::Bandwidth { saturation } => (1.0 + (threads / saturation).powi(4)).powf(0.25),
            Slowdown::Lock { share, handover } => (threads * share).max(1.0) + handover * share * (threads - 1.0),
            Slowdown::Usl { contention, coherence } => {
                1.0 + contention * (threads - 1.0) + coherence * threads * (threads - 1.0)
            }
        }
    }
}

/// How items differ.
#[derive(Clone, Copy, Debug)]
pub(super) enum Items {
    Alike,
    LogNormal {
        sigma: f64,
    },
    Pareto {
        alpha: f64,
    },
    /// From a part of the input on, items cost so many times more.
    Phase {
        from: f64,
        factor: f64,
    },
}

/// A function, its input and the machine.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) cores: usize,
    pub(super) items: u64,
    pub(super) knows_length: bool,
    /// Seconds an item that compute and that wait, on a quiet machine.
    pub(super) computing: f64,
    pub(super) waiting: f64,
    /// Items that a service behind the function answers at the same time.
    pub(super) capacity: f64,
    pub(super) slowdown: Slowdown,
    pub(super) kind: Items,
    pub(super) source: f64,
    pub(super) consumer: f64,
    pub(super) bytes: usize,
    /// Seconds to hand a chunk over, on either side; to move an item; until a sleeping thread runs.
    pub(super) hand_over: f64,
    pub(super) transfer: f64,
    pub(super) wake: f64,
    seed: Chance,
    /// Sums of the items' relative costs, where they differ.
    sums: Vec<f64>,
}

/// Bytes that a core writes in a second, at most.
const WRITTEN: f64 = 10e9;
/// Most items of an input whose items differ.
const MOST_UNLIKE: f64 = 60_000.0;

impl World {
    /// The `draw`th function of a class on a machine with so many cores; `work` seconds of plain loop at most.
    pub(super) fn draw(class: usize, cores: usize, draw: u64, work: f64) -> Self {
        let seed = Chance::new(draw).fork(class as u64).fork(cores as u64);
        let mut chance = seed;
        let is_blocking = CLASSES[class] == "blocking";
        let computing = if is_blocking { chance.between(5e-6, 500e-6) } else { chance.between(30e-9, 3e-3) };
        let waiting = if is_blocking { computing * chance.between(3.0, 100.0) } else { 0.0 };
        let kind = kind(class, &mut chance);
        let seconds = chance.between(work / 100.0, work) * if is_blocking { 3.0 } else { 1.0 };
        let most = if matches!(kind, Items::Alike) { 1e7 } else { MOST_UNLIKE };
        let items = (seconds / (computing + waiting)).clamp(12.0, most) as u64;
        let mut world = Self {
            cores,
            items,
            knows_length: chance.unit() < 0.75,
            computing,
            waiting,
            capacity: if chance.unit() < 0.5 { 1e9 } else { chance.between(4.0, 200.0) },
            slowdown: slowdown(class, cores, &mut chance),
            kind,
            source: chance.between(1e-9, 100e-9).min(0.2 * computing),
            consumer: chance.between(1e-9, 200e-9).min(0.2 * computing),
            // What is written takes time to write.
            bytes: chance.between(8.0, 4096.0).min(WRITTEN * computing).max(1.0) as usize,
            hand_over: chance.between(0.4e-6, 2e-6),
            transfer: chance.between(1e-9, 10e-9),
            wake: chance.between(15e-6, 80e-6),
            seed,
            sums: Vec::new(),
        };
        world.sums = world.sum_up();
        world
    }

    /// What the source says when so many items are left.
    pub(super) fn remaining(&self, left: u64) -> Remaining {
        if self.knows_length || left == 0 { Remaining { lower: left, upper: Some(left) } } else { Remaining::UNKNOWN }
    }

    /// This function with an input of another length.
    pub(super) fn with_items(&self, items: u64) -> Self {
        let mut world = Self { items: items.max(1), ..self.clone() };
        world.sums = world.sum_up();
        world
    }

    /// This function after an edit: another speed.
    pub(super) fn edited(&self, factor: f64) -> Self {
        Self { computing: self.computing * factor, waiting: self.waiting * factor, ..self.clone() }
    }

    fn sum_up(&self) -> Vec<f64> {
        if matches!(self.kind, Items::Alike) {
            return Vec::new();
        }
        let mut sum = 0.0;
        let first = std::iter::once(0.0);
        let next = |index| {
            sum += self.relative(index);
            sum
        };
        first.chain((0..self.items).map(next)).collect()
    }

    /// Cost of an item, 1 on average or at first.
    fn relative(&self, index: u64) -> f64 {
        let mut chance = self.seed.fork(index);
        match self.kind {
            Items::Alike => 1.0,
            Items::LogNormal { sigma } => (sigma * chance.normal() - 0.5 * sigma * sigma).exp(),
            Items::Pareto { alpha } => ((1.0 - chance.unit()).powf(-1.0 / alpha)).min(1_000.0) * (alpha - 1.0) / alpha,
            Items::Phase { from, factor } if index as f64 >= from * self.items as f64 => factor,
            Items::Phase { .. } => 1.0,
        }
    }

    /// Sum of the relative costs of `len` items.
    fn weight(&self, start: u64, len: u64) -> f64 {
        match self.sums.get((start + len) as usize) {
            Some(end) => end - self.sums[start as usize],
            None => len as f64,
        }
    }

    /// Seconds of the function for `len` items while `threads` run it; `apart` from them the consumer keeps a core
    /// busy as far as it has to do.
    pub(super) fn run(&self, start: u64, len: u64, threads: usize, apart: bool) -> f64 {
        let threads = threads.max(1) as f64;
        let alone = self.computing + self.waiting;
        let around = self.source + self.consumer + self.transfer;
        let load = if apart { (around * threads / alone).min(1.0) } else { 0.0 };
        let cores = self.cores as f64;
        let computing = self.computing * self.slowdown.factor(threads.min(cores));
        let waiting = self.waiting * (threads / self.capacity).max(1.0);
        // Where cores are the bound, whoever waits for one waits longer.
        let crowded = computing * threads / (cores - load);
        self.weight(start, len) * (computing + waiting).max(crowded)
    }

    /// Share of the function's time that it waits.
    pub(super) fn blocked(&self, threads: usize) -> f64 {
        let waiting = self.waiting * (threads as f64 / self.capacity).max(1.0);
        waiting / (waiting + self.computing)
    }
}

fn kind(class: usize, chance: &mut Chance) -> Items {
    match CLASSES[class] {
        "heavy-tailed" if chance.unit() < 0.5 => Items::Pareto { alpha: chance.between(1.3, 2.5) },
        "heavy-tailed" => Items::LogNormal { sigma: chance.between(0.7, 2.0) },
        "phase-changing" => Items::Phase { from: chance.between(0.1, 0.8), factor: chance.between(0.02, 50.0) },
        _ => Items::Alike,
    }
}

fn slowdown(class: usize, cores: usize, chance: &mut Chance) -> Slowdown {
    let cores = cores as f64;
    match CLASSES[class] {
        "memory" if chance.unit() < 0.5 => Slowdown::Bandwidth { saturation: chance.between(1.2, 1.2 * cores) },
        "memory" => Slowdown::Usl { contention: chance.between(0.01, 0.2), coherence: chance.between(1e-4, 1e-2) },
        "contended" if chance.unit() < 0.5 => {
            Slowdown::Lock { share: chance.between(0.02, 1.0), handover: chance.between(0.01, 0.5) }
        }
        "contended" => Slowdown::Usl { contention: chance.between(0.1, 2.0), coherence: chance.between(1e-3, 0.1) },
        _ => Slowdown::Clock { drop: chance.between(0.02, 0.4), threads: cores },
    }
}
