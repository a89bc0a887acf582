//! The first stream of a process, beside the plain loop: it pays for everything that is found out only once.

use std::path::Path;
use std::time::{Duration, Instant};

use amorsize::Tuner;
use anyhow::Result;

use crate::CACHE_DIR;
use crate::child;
use crate::source::{Length, Source};
use crate::work::{Pace, spin};

/// Items and nanoseconds of each.
const RUNS: [(usize, f64); 4] = [(200, 1e3), (20, 50e3), (2_000, 5e3), (4, 50e6)];
const PROCESSES: usize = 31;

/// `first`.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// One loop and one stream in this process, over so many items; prints their nanoseconds.
    #[arg(long, requires = "steps")]
    items: Option<usize>,
    #[arg(long)]
    steps: Option<u32>,
    /// What the source tells of its length.
    #[arg(long, default_value = "known")]
    length: Length,
}

/// Prints the figures.
pub(crate) fn run(options: Options) -> Result<()> {
    if let (Some(items), Some(steps)) = (options.items, options.steps) {
        let [plain, stream] = once(items, steps, options.length).map(|time| time.as_nanos());
        println!("{plain} {stream}");
        return Ok(());
    }
    let pace = Pace::measure();
    for (items, nanos) in RUNS {
        let steps = pace.steps(nanos);
        let cold =
            |length| child::medians(PROCESSES, || in_new_process(tempfile::tempdir()?.path(), items, steps, length));
        let (known, open) = (cold(Length::Known)?, cold(Length::Open)?);
        let learned = tempfile::tempdir()?;
        let warm = child::medians(PROCESSES, || in_new_process(learned.path(), items, steps, Length::Known))?;
        let [known, open, warm] = [known, open, warm].map(|[plain, stream]| {
            let extra = (stream - plain) * 1e6;
            format!("{:.2} times the loop's speed ({extra:+.0} µs)", plain / stream)
        });
        let item = Duration::from_nanos(nanos as u64);
        println!(
            "{items} items of {item:?} in a new process: {known}; of unknown length {open}; with what others have \
             learned {warm}"
        );
    }
    Ok(())
}

fn once(items: usize, steps: u32, length: Length) -> [Duration; 2] {
    let work = move |item: usize| spin(item as u64, steps);
    let begin = Instant::now();
    let plain: u64 = (0..items).map(work).fold(0, u64::wrapping_add);
    let loop_time = begin.elapsed();
    let begin = Instant::now();
    let mut sum = 0u64;
    for result in Tuner::new("first", work).stream(Source { inner: 0..items, length }) {
        sum = sum.wrapping_add(result);
    }
    let stream_time = begin.elapsed();
    assert_eq!(plain, sum, "results of the stream");
    [loop_time, stream_time]
}

/// Seconds of the loop and of the stream.
fn in_new_process(cache: &Path, items: usize, steps: u32, length: Length) -> Result<[f64; 2]> {
    let (items, steps) = (items.to_string(), steps.to_string());
    let mut command = child::command(&["first", "--items", &items, "--steps", &steps, "--length", length.name()])?;
    command.env(CACHE_DIR, cache);
    let nanos: [f64; 2] = child::numbers(command)?;
    Ok(nanos.map(|nanos| nanos * 1e-9))
}
