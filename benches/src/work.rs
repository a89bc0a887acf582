//! The synthetic functions: work of a known length that no compiler can vectorise away or hoist.

use std::hint::black_box;
use std::time::Instant;

/// `steps` rounds of a 64-bit mix, each of which waits for the one before.
#[inline]
pub(crate) fn spin(seed: u64, steps: u32) -> u64 {
    let mut x = seed | 1;
    for _ in 0..steps {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}

/// How long a round of [`spin`] takes on this machine now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    step_nanos: f64,
}

impl Pace {
    /// The fastest of twenty readings: whatever disturbs one only lengthens it.
    pub(crate) fn measure() -> Self {
        const ROUNDS: u32 = 1_000_000;
        let reading = || {
            let begin = Instant::now();
            black_box(spin(black_box(1), ROUNDS));
            begin.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
        };
        Self { step_nanos: (0..20).map(|_| reading()).fold(f64::MAX, f64::min) }
    }

    /// Rounds that take about `nanos`, at least one.
    pub(crate) fn steps(self, nanos: f64) -> u32 {
        (nanos / self.step_nanos).round().max(1.0) as u32
    }
}

/// Step between the rows that follow one another, so that few of them are like all of them. A prime.
const ROW_STEP: usize = 211;

/// Escape times of one row of the Mandelbrot set, `width` points wide.
pub(crate) fn mandelbrot_row(row: usize, height: usize, width: usize, limit: u16) -> Vec<u16> {
    let imaginary = 2.4 * (row * ROW_STEP % height) as f64 / height as f64 - 1.2;
    (0..width).map(|column| escape_time(3.0 * column as f64 / width as f64 - 2.2, imaginary, limit)).collect()
}

fn escape_time(re: f64, im: f64, limit: u16) -> u16 {
    let (mut x, mut y) = (0.0, 0.0);
    (0..limit)
        .find(|_| {
            (x, y) = (x * x - y * y + re, 2.0 * x * y + im);
            x * x + y * y > 4.0
        })
        .unwrap_or(limit)
}
