//! What beginning a stream takes after many small blocks were freed: whoever asks glibc for a large one waits until all
//! of those are put together.

use std::hint::black_box;
use std::time::Instant;

use amorsize::Tuner;

use crate::stats::median;

const FREED: [usize; 4] = [0, 1_000, 10_000, 100_000];
const ITEMS: u64 = 20;
const ROUNDS: usize = 21;
/// Runs after which the function is known.
const KNOWN: usize = 5;

/// Prints a line for each number of blocks.
pub(crate) fn run() {
    let tuner = Tuner::new("next", |number: u64| black_box(number) + 1);
    (0..KNOWN).for_each(|_| _ = black_box(tuner.stream(0..ITEMS).sum::<u64>()));
    for freed in FREED {
        // What holds the texts is large itself, so it stays.
        let mut kept = Vec::new();
        let laps = [(); ROUNDS].map(|()| {
            let mut texts: Vec<String> =
                (0..freed).map(|number| format!("some text of thirty bytes {number}")).collect();
            while texts.pop().is_some() {}
            kept.push(texts);
            let begin = Instant::now();
            black_box(tuner.stream(0..ITEMS).sum::<u64>());
            begin.elapsed().as_secs_f64()
        });
        println!("after {freed:>6} texts were freed: {:.1} us for a stream of {ITEMS} items", median(&laps) * 1e6);
    }
}
