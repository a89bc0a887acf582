//! Runs so many items in one way and nothing else, to be counted by callgrind; see `benches/README.md`.
//! The difference of two runs over the difference of their items is the cost of an item, without what starting costs.

use std::hint::black_box;

use amorsize::{Pool, Tuner};
use anyhow::{Result, bail};
use clap::Parser;

#[derive(Parser)]
#[command(about = "Runs items in one way, to be counted by an instruction counter")]
struct Cli {
    /// loop, serial, fold, ordered or unordered.
    way: String,
    items: u64,
    /// Items of a chunk.
    #[arg(long, default_value_t = 256)]
    chunk: usize,
    /// Threads of the parallel ways.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// A few instructions, so that the rest is what is counted.
#[inline]
fn work(item: u64) -> u64 {
    item.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (item >> 7)
}

fn drain(results: impl Iterator<Item = u64>) -> u64 {
    let mut sum = 0u64;
    for result in results {
        sum = sum.wrapping_add(black_box(result));
    }
    sum
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let items = 0..cli.items;
    let tuner = Tuner::new("counted", work).ml_prediction(false).online_learning(false);
    let serial = || Tuner::new("counted", work).ml_prediction(false).online_learning(false).pool(Pool::Serial);
    let parallel = tuner.pool(Pool::Cpu).threads(cli.threads).chunk_size(cli.chunk).buffer_size(12 * cli.chunk);
    let sum = match cli.way.as_str() {
        "loop" => drain(items.map(work)),
        "serial" => drain(serial().stream(items)),
        "fold" => serial().stream(items).fold(0u64, |sum, result| sum.wrapping_add(black_box(result))),
        "ordered" => drain(parallel.stream(items)),
        "unordered" => drain(parallel.ordered(false).stream(items)),
        other => bail!("{other:?} is none of loop, serial, fold, ordered, unordered"),
    };
    black_box(sum);
    Ok(())
}
