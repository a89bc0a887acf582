//! The oracle: amorsize with everything pinned, the best of a grid. What a plan could reach if it knew everything.

use std::fmt;

use amorsize::{Pool, Tuner};

use crate::contenders::{Case, Contender, cores};
use crate::jobs::Job;
use crate::stats::median;

/// A pinned plan; `None` is the plain loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pin(Option<Parallel>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Parallel {
    pool: Pool,
    threads: usize,
    chunk: usize,
    buffer: usize,
}

const CHUNKS: [usize; 8] = [1, 4, 16, 64, 256, 1024, 4096, 8192];
/// Chunks in flight for each thread.
const WINDOWS: [usize; 3] = [2, 4, 12];
const BLOCKING_THREADS: [usize; 4] = [8, 32, 64, 128];
/// Plans that survive the first lap, and laps that each of them then gets.
const FINALISTS: usize = 4;
const FINAL_LAPS: usize = 3;
/// A lap shorter than this (seconds) is repeated: one reading says too little.
const SHORT_LAP: f64 = 2e-3;
const SHORT_REPEATS: usize = 9;

impl Pin {
    pub(crate) const SERIAL: Self = Self(None);

    pub(crate) fn apply<W>(self, tuner: Tuner<W>) -> Tuner<W> {
        let tuner = tuner.ml_prediction(false).online_learning(false);
        match self.0 {
            None => tuner.pool(Pool::Serial),
            Some(Parallel { pool, threads, chunk, buffer }) => {
                let tuner = tuner.pool(pool).threads(threads).chunk_size(chunk).buffer_size(buffer);
                tuner.adaptive_chunking(false)
            }
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("plain loop"),
            Some(Parallel { pool, threads, chunk, buffer }) => write!(f, "{pool} {threads} x {chunk}, window {buffer}"),
        }
    }
}

/// Chunks of less work than this (seconds) are not tried: their hand-over alone takes as long.
const LEAST_CHUNK: f64 = 1e-6;

/// Every plan worth a try for so many items of `item_time` seconds.
fn grid(items: usize, item_time: f64, blocks: bool, coarse: bool) -> Vec<Pin> {
    let every = if coarse { 2 } else { 1 };
    let windows: &[usize] = if coarse { &WINDOWS[1..2] } else { &WINDOWS };
    let cpu = [(Pool::Cpu, cores())];
    let blocking = BLOCKING_THREADS.map(|threads| (Pool::Blocking, threads));
    let pools = cpu.iter().chain(blocking.iter().filter(|_| blocks));
    let mut pins = vec![Pin::SERIAL];
    for &(pool, threads) in pools {
        let fits = |chunk: usize| chunk == 1 || chunk * threads <= items;
        let pays = |chunk: usize| chunk as f64 * item_time >= LEAST_CHUNK;
        for chunk in CHUNKS.into_iter().step_by(every).filter(|&chunk| fits(chunk) && pays(chunk)) {
            pins.extend(
                windows
                    .iter()
                    .map(|window| Pin(Some(Parallel { pool, threads, chunk, buffer: window * threads * chunk }))),
            );
        }
    }
    pins
}

/// Finds the best plan: one lap for all, more for the best of them.
pub(crate) fn search<J: Job>(case: &mut Case<J>, item_time: f64, blocks: bool, coarse: bool) -> Pin {
    let mut timed: Vec<(f64, Pin)> =
        grid(case.items, item_time, blocks, coarse).into_iter().map(|pin| (time(case, pin, 1), pin)).collect();
    timed.sort_by(|a, b| a.0.total_cmp(&b.0));
    timed.truncate(FINALISTS);
    let finals = timed.into_iter().map(|(_, pin)| (time(case, pin, FINAL_LAPS), pin));
    finals.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(Pin::SERIAL, |(_, pin)| pin)
}

/// Median seconds of a lap.
fn time<J: Job>(case: &mut Case<J>, pin: Pin, laps: usize) -> f64 {
    case.pin = pin;
    let mut times = vec![case.lap(Contender::Oracle, case.items).seconds];
    let laps = if times[0] < SHORT_LAP { laps * SHORT_REPEATS } else { laps };
    times.extend((1..laps).map(|_| case.lap(Contender::Oracle, case.items).seconds));
    median(&times)
}
