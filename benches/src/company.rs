//! Threads that run one stream of a function after the other, as those of a server do, against as many that run the plain
//! loop. With as many of them as processors there is nothing to gain, and what more threads cost is lost.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use amorsize::Tuner;

use crate::contenders::{cores, fresh};
use crate::stats::quantile;
use crate::work::{Pace, spin};

const ROUNDS: usize = 21;
/// Seconds that each thread takes in a round, roughly: the system takes some milliseconds to give each a processor.
const ROUND: f64 = 40e-3;
/// Nanoseconds of an item, and items of a stream.
const FUNCTIONS: [(f64, u64); 4] = [(1e3, 200), (200.0, 20_000), (5e3, 1_000), (1e6, 40)];

/// Prints the figures.
pub(crate) fn run() {
    let pace = Pace::measure();
    for times in [1, 2] {
        for (nanos, items) in FUNCTIONS {
            at_once(times * cores(), nanos, pace.steps(nanos), items);
        }
    }
}

fn at_once(threads: usize, nanos: f64, steps: u32, items: u64) {
    let work = move |item: u64| spin(item, steps);
    let runs = (ROUND / (nanos * 1e-9 * items as f64)).ceil() as usize;
    let plain = || {
        let run = || (0..items).map(work).for_each(|result| _ = black_box(result));
        seconds(threads, || (0..runs).for_each(|_| run()))
    };
    let streams = |name: &'static str| {
        let run = || {
            for result in Tuner::new(name, work).stream(0..items) {
                black_box(result);
            }
        };
        seconds(threads, || (0..runs).for_each(|_| run()))
    };
    let known = fresh("company");
    streams(known);
    let rounds = (0..ROUNDS).map(|_| {
        let (before, cold) = (plain(), streams(fresh("company")));
        let (known, after) = (streams(known), plain());
        let loops = (before + after) / 2.0;
        (loops / cold, loops / known)
    });
    let (cold, known): (Vec<_>, Vec<_>) = rounds.unzip();
    let [cold, known] = [cold, known].map(|speeds| [0.1, 0.5, 0.9].map(|q| quantile(&speeds, q)));
    println!(
        "{threads} threads, each {runs} streams of {items} items of {} µs: {:.2} of the loops' speed ({:.2} to {:.2}), \
         {:.2} ({:.2} to {:.2}) once known",
        nanos / 1e3,
        cold[1],
        cold[0],
        cold[2],
        known[1],
        known[0],
        known[2]
    );
}

/// What so many threads take that begin with it at the same time, from the first that begins to the last that ends.
fn seconds(threads: usize, run: impl Fn() + Sync) -> f64 {
    let start = Barrier::new(threads);
    let timed = || {
        start.wait();
        let begin = Instant::now();
        run();
        (begin, Instant::now())
    };
    let times: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        running.into_iter().map(|thread| thread.join().expect("nothing panics")).collect()
    });
    let begin = times.iter().map(|&(begin, _)| begin).min();
    let end = times.iter().map(|&(_, end)| end).max();
    end.zip(begin).map_or(f64::NAN, |(end, begin)| (end - begin).as_secs_f64())
}
