//! One cell of the matrix: one row with what its source tells of its length, all contenders, interleaved.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::contenders::{CONTENDERS, Case, Contender};
use crate::jobs::Job;
use crate::oracle::{self, Pin};
use crate::rows::{Row, Visitor};
use crate::source::Length;
use crate::stats::{median, quantile};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Fewest and most rounds.
    pub(crate) rounds: (usize, usize),
    /// Wall time for a cell's rounds, once it has the fewest.
    pub(crate) cell: Duration,
    /// Whether warm contenders take part.
    pub(crate) warm: bool,
    pub(crate) cold: bool,
    /// The oracle tries only a part of its grid.
    pub(crate) coarse: bool,
}

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) row: String,
    pub(crate) about: String,
    /// What the source tells of its length.
    pub(crate) length: Length,
    pub(crate) items: usize,
    pub(crate) rounds: usize,
    /// Nanoseconds of an item in the plain loop, the median.
    pub(crate) loop_nanos: f64,
    /// 90 % quantile of the loop's laps over their 10 % quantile.
    pub(crate) noise: f64,
    /// Seconds that the whole cell took to measure.
    pub(crate) wall: f64,
    pub(crate) oracle_plan: String,
    pub(crate) plan: String,
    pub(crate) scores: Vec<Score>,
}

/// A contender's speed against the plain loop: medians of the ratios by round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) contender: String,
    pub(crate) speedup: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Items it got; fewer than the loop's where it is slow on cheap items.
    pub(crate) items: usize,
    /// Peak resident bytes of a process that does only this; 0 where not measured.
    pub(crate) peak_bytes: u64,
}

impl Cell {
    pub(crate) fn speedup(&self, contender: Contender) -> Option<f64> {
        self.scores.iter().find(|score| score.contender == contender.name()).map(|score| score.speedup)
    }
}

/// Measures a cell of each row it visits.
pub(crate) struct Measure {
    pub(crate) effort: Effort,
    pub(crate) length: Length,
    pub(crate) cell: Option<Cell>,
}

impl Visitor for Measure {
    fn visit<J: Job>(&mut self, row: &Row, job: J, items: usize) {
        self.cell = Some(measure(row, job, items, self.length, self.effort));
    }
}

/// Items that a contender which hands over one by one gets in its trial lap.
const TRIAL_ITEMS: usize = 500;
/// Laps of the plain loop that such a contender may take.
const PATIENCE: f64 = 2.0;
/// Seconds of work in an expert's chunk.
const EXPERT_CHUNK: f64 = 100e-6;
/// Runs that make a warm contender warm.
const WARM_UP: usize = 3;

fn measure<J: Job>(row: &Row, job: J, items: usize, length: Length, effort: Effort) -> Cell {
    let began = Instant::now();
    let mut case = Case { job, row: row.name, items, length, expert_chunk: 1, pin: Pin::SERIAL };
    case.lap(Contender::Loop, items);
    let first = case.lap(Contender::Loop, items);
    case.expert_chunk = ((EXPERT_CHUNK / (first.seconds / items as f64)) as usize).clamp(1, 4096);
    let best = oracle::search(&mut case, first.seconds / items as f64, row.blocks, effort.coarse);
    case.pin = best;
    let mut entries = enter(&case, first.seconds, effort);
    let plain = race(&case, &mut entries, effort);
    Cell {
        row: row.name.to_owned(),
        about: row.about.to_owned(),
        length,
        items,
        rounds: plain.len(),
        loop_nanos: median(&plain) / items as f64 * 1e9,
        noise: quantile(&plain, 0.9) / quantile(&plain, 0.1),
        oracle_plan: best.to_string(),
        plan: case.plan(),
        scores: entries.iter().map(|entry| entry.score(&plain, items)).collect(),
        wall: began.elapsed().as_secs_f64(),
    }
}

/// A contender in a race.
struct Entry {
    contender: Contender,
    items: usize,
    laps: Vec<f64>,
}

impl Entry {
    fn score(&self, plain: &[f64], items: usize) -> Score {
        let share = self.items as f64 / items as f64;
        let ratios: Vec<f64> = plain.iter().zip(&self.laps).map(|(plain, lap)| share * plain / lap).collect();
        Score {
            contender: self.contender.name().to_owned(),
            speedup: median(&ratios),
            low: quantile(&ratios, 0.25),
            high: quantile(&ratios, 0.75),
            items: self.items,
            peak_bytes: 0,
        }
    }
}

/// Lets everybody warm up: pools start, caches fill, checksums are compared.
fn enter<J: Job>(case: &Case<J>, plain: f64, effort: Effort) -> Vec<Entry> {
    let takes_part = |contender: Contender| match contender {
        Contender::Loop => false,
        Contender::For => true,
        Contender::Fold | Contender::Any | Contender::Run | Contender::Collect => effort.cold,
        _ => effort.warm || !contender.is_warm(),
    };
    let contenders = CONTENDERS.iter().map(|&(contender, _)| contender).filter(|&contender| takes_part(contender));
    let mut honest = HashMap::new();
    let mut enter =
        |contender| Entry { contender, items: qualify(case, contender, plain, &mut honest), laps: Vec::new() };
    contenders.map(&mut enter).collect()
}

/// Checksums of the plain loop by number of items.
type Checksums = HashMap<usize, Option<u64>>;

/// Items for the laps of `contender`.
fn qualify<J: Job>(case: &Case<J>, contender: Contender, plain: f64, honest: &mut Checksums) -> usize {
    if contender.is_warm() {
        (0..WARM_UP).for_each(|_| _ = case.lap(contender, case.items));
    }
    let items = if contender.is_per_item() { case.items.min(TRIAL_ITEMS) } else { case.items };
    let lap = case.lap(contender, items);
    let honest = *honest.entry(items).or_insert_with(|| case.lap(Contender::Loop, items).checksum);
    assert!(lap.checksum.is_none() || lap.checksum == honest, "{} is wrong on {}", contender.name(), case.row);
    if !contender.is_per_item() {
        return items;
    }
    let affordable = PATIENCE * plain / lap.seconds * items as f64;
    (affordable as usize).clamp(items / 2, case.items)
}

/// The rounds: the loop first and last, the others between, each time in another order. What a lap leaves behind
/// (caches, sleeping threads, a heap in disorder) shows in the next one, so everybody follows a lap of the loop that is
/// not timed, the loop itself included.
fn race<J: Job>(case: &Case<J>, entries: &mut [Entry], effort: Effort) -> Vec<f64> {
    let began = Instant::now();
    let timed = |contender, items| {
        case.lap(Contender::Loop, case.items);
        case.lap(contender, items).seconds
    };
    let mut plain = Vec::new();
    let (fewest, most) = effort.rounds;
    while plain.len() < most && (plain.len() < fewest || began.elapsed() < effort.cell) {
        let before = timed(Contender::Loop, case.items);
        for place in order(entries.len(), plain.len()) {
            let entry = &mut entries[place];
            entry.laps.push(timed(entry.contender, entry.items));
        }
        let after = timed(Contender::Loop, case.items);
        plain.push((before + after) / 2.0);
    }
    plain
}

/// Who runs when in a round: steps change, so that nobody always follows the same one.
fn order(count: usize, round: usize) -> impl Iterator<Item = usize> {
    let steps: Vec<usize> = (1..count.max(2)).filter(|&step| gcd(step, count) == 1).collect();
    let step = steps[round % steps.len()];
    (0..count).map(move |place| (place * step + round) % count)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
