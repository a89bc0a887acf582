//! What handing work over costs: METG (minimum effective task granularity), and how often a thread goes to sleep.

use amorsize::Tuner;
use anyhow::Result;

use crate::contenders::{Case, Contender, cores};
use crate::jobs::{Even, Job as _};
use crate::oracle::Pin;
use crate::source::Length;
use crate::stats::median;
use crate::usage::Usage;
use crate::work::{Pace, spin};

/// Efficiencies at which the cheapest item is sought. On two cores the plain loop itself reaches the first, so the
/// second says more there.
const EFFICIENCIES: [f64; 2] = [0.5, 0.75];
/// Bounds (nanoseconds) and steps of the search; each step halves the ratio of the bounds.
const BOUNDS: (f64, f64) = (2.0, 65_536.0);
const STEPS: usize = 10;
/// Seconds of a lap of the plain loop, and laps for a judgement.
const LAP: f64 = 20e-3;
const LAPS: usize = 5;

/// Prints METG(50 %) of amorsize and its peers, and sleeps a chunk.
pub(crate) fn run() -> Result<()> {
    let pace = Pace::measure();
    println!(
        "METG: the cheapest item (ns in the plain loop) at which 50 % and 75 % of {} cores' time go into items",
        cores()
    );
    for contender in [Contender::For, Contender::Run, Contender::Bridge, Contender::Channel, Contender::Pariter] {
        let [half, most] = EFFICIENCIES.map(|efficiency| metg(contender, pace, efficiency));
        println!("{:>8} {half:>9.0} {most:>9.0}", contender.name());
    }
    println!("\nSleeps of all threads a chunk (a sleep is what a wake-up ends)");
    println!("{:>8} {:>7} {:>8} {:>14}", "item", "chunk", "chunks", "sleeps/chunk");
    for (nanos, chunk) in [(200.0, 500), (1_000.0, 100), (10_000.0, 10), (100_000.0, 1), (1_000_000.0, 1)] {
        let (chunks, sleeps) = sleeps(pace.steps(nanos), chunk, (0.5e9 / nanos) as usize)?;
        println!("{:>6.1}us {chunk:>7} {chunks:>8} {:>14.3}", nanos / 1e3, sleeps as f64 / chunks as f64);
    }
    Ok(())
}

/// Bisection over the item's cost, in steps of equal ratio. The plain loop of a cheap item is slower than its nominal
/// cost says, so the figure is what the loop really took.
fn metg(contender: Contender, pace: Pace, efficiency: f64) -> f64 {
    let (mut low, mut high) = BOUNDS;
    for _ in 0..STEPS {
        let middle = (low * high).sqrt();
        if judge(contender, pace, middle).0 >= efficiency { high = middle } else { low = middle }
    }
    judge(contender, pace, high).1
}

/// Efficiency at an item of `nanos`, and what the plain loop took for one.
fn judge(contender: Contender, pace: Pace, nanos: f64) -> (f64, f64) {
    let items = (LAP * 1e9 / nanos) as usize;
    let expert_chunk = ((100_000.0 / nanos) as usize).clamp(1, 4096);
    let job = Even(pace.steps(nanos));
    let case = Case { job, row: "metg", items, length: Length::Known, expert_chunk, pin: Pin::SERIAL };
    // An item-by-item contender on the cheapest items is known to fail: part of them suffices.
    let part = if contender.is_per_item() { items.min(20_000) } else { items };
    let laps = (0..LAPS).map(|_| {
        let plain = case.lap(Contender::Loop, items).seconds / items as f64;
        (plain, plain * part as f64 / case.lap(contender, part).seconds)
    });
    let (plain, speedups): (Vec<f64>, Vec<f64>) = laps.unzip();
    (median(&speedups) / cores() as f64, median(&plain) * 1e9)
}

/// Chunks of a pinned run and the sleeps meanwhile.
fn sleeps(steps: u32, chunk: usize, items: usize) -> Result<(usize, u64)> {
    let tuner = Tuner::new("sleeps", move |item: usize| spin(item as u64, steps)).chunk_size(chunk).threads(cores());
    let warm_up: u64 = tuner.stream(0..items / 10).fold(0, u64::wrapping_add);
    std::hint::black_box(warm_up);
    let before = Usage::now()?;
    let mut sum = 0u64;
    for result in tuner.stream(Even(steps).source(items)) {
        sum = sum.wrapping_add(result);
    }
    std::hint::black_box(sum);
    Ok((items.div_ceil(chunk), Usage::now()?.sleeps.saturating_sub(before.sleeps)))
}
