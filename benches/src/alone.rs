//! A process without threads: what results of many small blocks take in the plain loop, in streams of a function that
//! is new to start with, and in the loop afterwards. A first thread would slow them all.

use std::hint::black_box;
use std::time::Instant;

use amorsize::Tuner;
use anyhow::Result;

use crate::CACHE_DIR;
use crate::child;
use crate::stats::median;

/// Items of a run.
const RUNS: [usize; 3] = [2_000, 20_000, 200_000];
/// Runs of each kind in a process, and processes.
const LAPS: usize = 9;
const PROCESSES: usize = 15;
const BLOCKS: u8 = 12;

/// `alone`.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// All of it in this process, over so many items; prints nanoseconds an item.
    #[arg(long)]
    items: Option<usize>,
}

/// Prints the figures.
pub(crate) fn run(options: Options) -> Result<()> {
    if let Some(items) = options.items {
        let [before, first, streams, after] = once(items);
        println!("{before} {first} {streams} {after}");
        return Ok(());
    }
    for items in RUNS {
        let [before, first, streams, after] = child::medians(PROCESSES, || in_new_process(items))?;
        println!(
            "{items} results of {} blocks: {before:.0} ns in the loop, {first:.0} in the first stream, {streams:.0} in \
             later ones, {after:.0} in the loop afterwards",
            BLOCKS + 1
        );
    }
    Ok(())
}

fn in_new_process(items: usize) -> Result<[f64; 4]> {
    let cache = tempfile::tempdir()?;
    let mut command = child::command(&["alone", "--items", &items.to_string()])?;
    command.env(CACHE_DIR, cache.path());
    child::numbers(command)
}

fn once(items: usize) -> [f64; 4] {
    let before = laps(|| plain(items), items);
    let first = each(|| stream(items), items);
    [median(&before), first, median(&laps(|| stream(items), items)), median(&laps(|| plain(items), items))]
}

fn laps(run: impl Fn(), items: usize) -> Vec<f64> {
    (0..LAPS).map(|_| each(&run, items)).collect()
}

/// Nanoseconds an item.
fn each(run: impl Fn(), items: usize) -> f64 {
    let begin = Instant::now();
    run();
    begin.elapsed().as_secs_f64() * 1e9 / items as f64
}

fn pieces(item: usize) -> Vec<Vec<u8>> {
    (0..BLOCKS).map(|block| vec![item as u8 ^ block; 16]).collect()
}

fn plain(items: usize) {
    for result in (0..items).map(pieces) {
        black_box(result);
    }
}

fn stream(items: usize) {
    for result in Tuner::new("pieces", pieces).stream(0..items) {
        black_box(result);
    }
}
