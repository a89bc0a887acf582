//! How long a prediction takes, with 100 and 1,000 recorded runs: warm, and the first of a process, which opens and
//! decodes the file.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use amorsize::{ByValue, Outcome, Tuner};
use anyhow::Result;

use crate::child;
use crate::stats::median;

/// Seconds that the Python original's dry run takes for an item of 1 ms.
const DRY_RUN: f64 = 12.6e-3;
const SAMPLES: [u32; 2] = [100, 1_000];
const QUESTIONS: usize = 2_001;
const PROCESSES: usize = 21;

/// `selection`.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Only the first prediction of this process, for a function with so many recorded runs; prints nanoseconds.
    #[arg(long)]
    first: Option<u32>,
}

/// A function of its own for each number of samples.
fn tuner(samples: u32) -> Tuner<ByValue<impl Fn(u64) -> u64>> {
    let name = if samples == SAMPLES[0] { "hundred" } else { "thousand" };
    Tuner::new(name, |item: u64| item)
}

/// Prints the figures.
pub(crate) fn run(options: Options) -> Result<()> {
    if let Some(samples) = options.first {
        println!("{}", first(samples).as_nanos());
        return Ok(());
    }
    for samples in SAMPLES {
        let before = bytes()?;
        (0..samples).try_for_each(|run| tuner(samples).record(outcome(run)))?;
        amorsize::flush()?;
        let size = (bytes()? - before) as f64 / f64::from(samples);
        let warm = warm(samples);
        let [first] = child::medians(PROCESSES, || in_new_process(samples))?;
        let ratio = DRY_RUN / warm;
        let [warm, first] = [warm, first].map(Duration::from_secs_f64);
        println!(
            "{samples} runs: {warm:.1?} warm, {first:.1?} first, {size:.0} bytes a run; \
             the Python original's dry run of a 1 ms item takes {ratio:.0} times as long"
        );
    }
    Ok(())
}

fn outcome(run: u32) -> Outcome {
    let item = Duration::from_micros(900 + u64::from(run % 200));
    let (threads, speedup) = if run.is_multiple_of(3) { (1, 1.0) } else { (2, 1.9) };
    Outcome::new(1_000 + u64::from(run), item).threads(threads).chunk_size(1).speedup(speedup).spread(0.1)
}

fn warm(samples: u32) -> f64 {
    let tuner = tuner(samples);
    let ask = |_| {
        let begin = Instant::now();
        black_box(tuner.predict(black_box(1_000)));
        begin.elapsed().as_secs_f64()
    };
    median(&(0..QUESTIONS).map(ask).collect::<Vec<_>>())
}

/// Everything that any function needs has been found out: what machine this is, and by asking about another function.
fn first(samples: u32) -> Duration {
    black_box(amorsize::machine());
    black_box(Tuner::new("another", |item: u64| item).predict(1_000));
    let tuner = tuner(samples);
    let begin = Instant::now();
    black_box(tuner.predict(black_box(1_000)));
    begin.elapsed()
}

fn in_new_process(samples: u32) -> Result<[f64; 1]> {
    let nanos: [f64; 1] = child::numbers(child::command(&["selection", "--first", &samples.to_string()])?)?;
    Ok(nanos.map(|nanos| nanos * 1e-9))
}

/// Bytes of all histories.
fn bytes() -> Result<u64> {
    let entries = fs::read_dir(amorsize::cache_dir()?).into_iter().flatten().flatten();
    Ok(entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum())
}
