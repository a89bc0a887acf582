//! Measures amorsize against the plain loop: interleaved rounds in one process, medians and ratios of one run.
//! `cargo run --release -p amorsize-bench [-- ROW…]`

use std::hint::black_box;
use std::time::{Duration, Instant};

use amorsize::Tuner;

/// Work that cannot be vectorised or hoisted: `steps` rounds of a 64-bit mix.
#[inline]
fn spin(seed: u64, steps: u32) -> u64 {
    let mut x = seed | 1;
    for _ in 0..steps {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}

/// Nanoseconds of one round of [`spin`].
fn calibrate() -> f64 {
    (0..20)
        .map(|_| {
            let begin = Instant::now();
            black_box(spin(black_box(1), 1_000_000));
            begin.elapsed().as_secs_f64() * 1e3
        })
        .fold(f64::MAX, f64::min)
}

struct Row {
    name: &'static str,
    nanos: f64,
    items: u64,
}

const ROWS: &[Row] = &[
    Row { name: "1.5ns", nanos: 1.5, items: 20_000_000 },
    Row { name: "20ns", nanos: 20.0, items: 3_000_000 },
    Row { name: "50ns", nanos: 50.0, items: 1_000_000 },
    Row { name: "200ns", nanos: 200.0, items: 300_000 },
    Row { name: "500ns", nanos: 500.0, items: 100_000 },
    Row { name: "2us", nanos: 2_000.0, items: 30_000 },
    Row { name: "5us", nanos: 5_000.0, items: 10_000 },
    Row { name: "50us", nanos: 50_000.0, items: 1_500 },
    Row { name: "1ms", nanos: 1_000_000.0, items: 100 },
    Row { name: "200x1us", nanos: 1_000.0, items: 200 },
    Row { name: "20x50us", nanos: 50_000.0, items: 20 },
];

fn time(run: impl FnOnce() -> u64) -> Duration {
    let begin = Instant::now();
    black_box(run());
    begin.elapsed()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let step = calibrate();
    println!("one round takes {step:.3} ns");
    println!("{:>9} {:>10} {:>7} {:>7} {:>7} {:>7}   plan", "row", "loop/item", "for", "fold", "any", "noise");
    for row in ROWS.iter().filter(|row| wanted.is_empty() || wanted.iter().any(|name| name == row.name)) {
        measure(row, step);
    }
}

fn measure(row: &Row, step: f64) {
    let steps = (row.nanos / step).round() as u32;
    let items = row.items;
    let work = move |seed: u64| spin(seed, steps);
    let tuner = Tuner::new(row.name, work);
    let unordered = Tuner::new(row.name, work).ordered(false);
    let rounds = ((1.0 / (row.nanos * 1e-9 * items as f64)) as usize).clamp(7, 201);
    let [mut plain, mut by_for, mut by_fold, mut any] = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        plain.push(
            time(|| {
                let mut sum = 0u64;
                for seed in 0..black_box(items) {
                    sum = sum.wrapping_add(work(seed));
                }
                sum
            })
            .as_secs_f64(),
        );
        by_for.push(
            time(|| {
                let mut sum = 0u64;
                for result in tuner.stream(0..black_box(items)) {
                    sum = sum.wrapping_add(result);
                }
                sum
            })
            .as_secs_f64(),
        );
        by_fold.push(time(|| tuner.stream(0..black_box(items)).fold(0u64, u64::wrapping_add)).as_secs_f64());
        any.push(time(|| unordered.stream(0..black_box(items)).fold(0u64, u64::wrapping_add)).as_secs_f64());
    }
    let ratio = |times: &[f64]| median(plain.iter().zip(times).map(|(a, b)| a / b).collect());
    let noise = {
        let mut sorted = plain.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() * 9 / 10] / sorted[sorted.len() / 10]
    };
    let each = median(plain.clone()) / items as f64;
    let mut stream = tuner.stream(0..items);
    let _ = stream.plan();
    stream.by_ref().for_each(drop);
    println!(
        "{:>9} {:>8.1}ns {:>7.2} {:>7.2} {:>7.2} {:>7.2}   {}",
        row.name,
        each * 1e9,
        ratio(&by_for),
        ratio(&by_fold),
        ratio(&any),
        noise,
        stream.report()
    );
    println!("{:>60}{}", "", stream.plan());
}
