//! A stalled consumer must burn nothing: processor time while nobody asks for the next result.

use std::thread;
use std::time::{Duration, Instant};

use amorsize::Tuner;
use anyhow::{Result, ensure};

use crate::usage::Usage;
use crate::work::{Pace, spin};

/// How long the consumer stalls; the kernel counts in hundredths of a second, so this resolves 0.5 %.
const STALL: Duration = Duration::from_secs(2);
/// Time for what is in flight to be finished.
const SETTLE: Duration = Duration::from_millis(500);
/// Share of one core that is still nothing.
const NOTHING: f64 = 0.01;

/// Starts an endless parallel stream, reads some of it, and stops reading.
pub(crate) fn run() -> Result<()> {
    let steps = Pace::measure().steps(20_000.0);
    for ordered in [true, false] {
        let tuner = Tuner::new("idle", move |item: u64| spin(item, steps)).ordered(ordered);
        let mut stream = tuner.stream(0..);
        let read: u64 = stream.by_ref().take(10_000).fold(0, u64::wrapping_add);
        std::hint::black_box(read);
        thread::sleep(SETTLE);
        let (before, begin) = (Usage::now()?, Instant::now());
        thread::sleep(STALL);
        let after = Usage::now()?;
        let share = (after.cpu - before.cpu).as_secs_f64() / begin.elapsed().as_secs_f64();
        let order = if ordered { "in order " } else { "unordered" };
        let sleeps = after.sleeps - before.sleeps;
        println!(
            "{order}: {:.2} % of a core, {sleeps} wake-ups in {STALL:?}, while {}",
            share * 100.0,
            stream.report()
        );
        ensure!(share < NOTHING, "a stalled consumer burns {:.1} % of a core", share * 100.0);
    }
    Ok(())
}
