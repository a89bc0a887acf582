//! What this machine takes to wake a thread, with nothing but the standard library: the floor under every short job.
//! From it follows what two threads can gain at most on a job of given length, however little anything else costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::stats::{median, quantile};

/// Times that a thread is woken, and microseconds for which both threads have had nothing to do with each other before.
const WAKES: usize = 600;
const APART: u64 = 1_500;
/// Longest microseconds until the woken thread runs.
const PATIENCE: u64 = 1_000;
/// Microseconds of jobs in the plain loop.
const JOBS: [f64; 4] = [100.0, 200.0, 300.0, 1_000.0];

/// A thread that sleeps until it is woken, and notes when that was.
#[derive(Default)]
struct Sleeper {
    is_called: AtomicBool,
    ended: AtomicBool,
    /// Nanoseconds since the beginning.
    woke: AtomicU64,
}

impl Sleeper {
    fn sleep(&self, begin: Instant) {
        while !self.ended.load(Ordering::Acquire) {
            if self.is_called.swap(false, Ordering::AcqRel) {
                self.woke.store(begin.elapsed().as_nanos() as u64, Ordering::Release);
            } else {
                thread::park();
            }
        }
    }

    /// Microseconds that waking it takes the caller, and until it runs; nothing where that takes too long.
    fn wake(&self, thread: &Thread, begin: Instant) -> Option<(f64, f64)> {
        compute(APART);
        let called = begin.elapsed();
        self.is_called.store(true, Ordering::Release);
        thread.unpark();
        let call = begin.elapsed() - called;
        compute(PATIENCE);
        let woke = Duration::from_nanos(self.woke.load(Ordering::Acquire));
        let latency = woke.checked_sub(called)?;
        Some((call.as_secs_f64() * 1e6, latency.as_secs_f64() * 1e6))
    }
}

/// Prints both, and what follows.
pub(crate) fn run() {
    let (sleeper, begin) = (Arc::new(Sleeper::default()), Instant::now());
    let other = Arc::clone(&sleeper);
    let handle = thread::spawn(move || other.sleep(begin));
    let wakes = (0..WAKES).filter_map(|_| sleeper.wake(handle.thread(), begin));
    let (calls, latencies): (Vec<f64>, Vec<f64>) = wakes.unzip();
    sleeper.ended.store(true, Ordering::Release);
    handle.thread().unpark();
    handle.join().expect("it only sleeps");
    println!("Waking a thread that sleeps (us; quantiles 0.1, 0.5, 0.9 of {})", calls.len());
    for (what, values) in [("the call", &calls), ("until it runs", &latencies)] {
        let [low, middle, high] = [0.1, 0.5, 0.9].map(|q| quantile(values, q));
        println!("{what:>14} {low:>6.1} {middle:>6.1} {high:>6.1}");
    }
    let (call, latency) = (median(&calls), median(&latencies));
    println!("\nMost that two threads gain if nothing else costs anything");
    for job in JOBS {
        println!("{job:>7.0}us {:>5.2}x", job / shared(job, call, latency));
    }
}

/// Time of a job of which one thread begins at `call` and the other at `latency`, and both end at once.
fn shared(job: f64, call: f64, latency: f64) -> f64 {
    let alone = call + job;
    let both = (job + call + latency) / 2.0;
    if latency < alone { both } else { alone }
}

fn compute(micros: u64) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_micros(micros) {
        std::hint::spin_loop();
    }
}
