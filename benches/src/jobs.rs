//! The synthetic rows' functions: each one trap or one regime.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::vec;

use crate::source::Input;
use crate::work::{mandelbrot_row, spin};

/// What a row measures: where items come from, what is done with one, and how the consumer reads a result.
pub(crate) trait Job: Clone + Send + Sync + 'static {
    type Source: Input;
    type Result: Send + 'static;

    /// The first `items` items; made anew for each lap, outside of the timed part.
    fn source(&self, items: usize) -> Self::Source;
    fn work(&self, item: <Self::Source as Iterator>::Item) -> Self::Result;
    /// The consumer's part: looks at the result, and drops it.
    fn read(result: Self::Result) -> u64;
}

/// An item of a job.
pub(crate) type Item<J> = <<J as Job>::Source as Iterator>::Item;

/// A job over the numbers from 0, with numbers as results.
macro_rules! numeric {
    ($name:ty, |$job:ident, $item:ident| $work:expr) => {
        impl Job for $name {
            type Source = Range<usize>;
            type Result = u64;

            fn source(&self, items: usize) -> Range<usize> {
                0..items
            }

            #[inline]
            fn work(&self, $item: usize) -> u64 {
                let $job = self;
                $work
            }

            #[inline]
            fn read(result: u64) -> u64 {
                result
            }
        }
    };
}

/// Every item costs the same.
#[derive(Clone)]
pub(crate) struct Even(pub(crate) u32);
numeric!(Even, |job, item| spin(item as u64, job.0));

/// Results of so many allocations, each of up to so many bytes.
#[derive(Clone)]
pub(crate) struct Pieces {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

impl Job for Pieces {
    type Source = Range<usize>;
    type Result = Vec<Vec<u8>>;

    fn source(&self, items: usize) -> Range<usize> {
        0..items
    }

    fn work(&self, item: usize) -> Self::Result {
        let bytes = |piece: usize| 1 + spin((item + piece) as u64, 3) as usize % self.bytes;
        (0..self.count).map(|piece| vec![piece as u8; bytes(piece)]).collect()
    }

    fn read(result: Self::Result) -> u64 {
        result.iter().map(|piece| piece.len() as u64).sum()
    }
}

/// Vectors of up to so many numbers, which grow while they are made.
#[derive(Clone)]
pub(crate) struct Grown(pub(crate) usize);

impl Job for Grown {
    type Source = Range<usize>;
    type Result = Vec<u32>;

    fn source(&self, items: usize) -> Range<usize> {
        0..items
    }

    fn work(&self, item: usize) -> Vec<u32> {
        let numbers = 1 + spin(item as u64, 3) as usize % self.0;
        // Of these the compiler does not know how many there will be.
        (0..numbers).map(|number| spin((item ^ number) as u64, 20) as u32).filter(|&number| number != 0).collect()
    }

    fn read(result: Vec<u32>) -> u64 {
        result.iter().map(|&number| u64::from(number)).sum()
    }
}

/// Items that own memory, which whoever runs them frees.
#[derive(Clone)]
pub(crate) struct Strings;

impl Job for Strings {
    type Source = vec::IntoIter<String>;
    type Result = u64;

    fn source(&self, items: usize) -> Self::Source {
        (0..items).map(|item| item.to_string()).collect::<Vec<_>>().into_iter()
    }

    fn work(&self, text: String) -> u64 {
        text.bytes().filter(|byte| *byte == b'7').count() as u64
    }

    fn read(result: u64) -> u64 {
        result
    }
}

/// Items so large that moving one takes as long as anything else.
#[derive(Clone)]
pub(crate) struct Moved;

impl Job for Moved {
    type Source = vec::IntoIter<[u64; 500]>;
    type Result = u64;

    fn source(&self, items: usize) -> Self::Source {
        (0..items).map(|item| [item as u64; 500]).collect::<Vec<_>>().into_iter()
    }

    fn work(&self, item: [u64; 500]) -> u64 {
        item.iter().fold(0, |sum: u64, number| sum.rotate_left(5) ^ number)
    }

    fn read(result: u64) -> u64 {
        result
    }
}

/// One in 128 items costs a hundred times as much.
#[derive(Clone)]
pub(crate) struct HeavyTail(pub(crate) u32);
numeric!(HeavyTail, |job, item| spin(item as u64, if item % 128 == 77 { 100 * job.0 } else { job.0 }));

/// `cheap` up to item `turn` and from item `back` on, `dear` between.
#[derive(Clone)]
pub(crate) struct Phases {
    pub(crate) cheap: u32,
    pub(crate) dear: u32,
    pub(crate) turn: usize,
    pub(crate) back: usize,
}
numeric!(Phases, |job, item| spin(
    item as u64,
    if (job.turn..job.back).contains(&item) { job.dear } else { job.cheap }
));

/// Waits, as for a server.
#[derive(Clone)]
pub(crate) struct Sleep(pub(crate) Duration);
numeric!(Sleep, |job, item| {
    std::thread::sleep(job.0);
    item as u64
});

/// Works under a lock that all items share.
#[derive(Clone)]
pub(crate) struct Contended(pub(crate) u32, pub(crate) Arc<Mutex<u64>>);
numeric!(Contended, |job, item| {
    let mut shared = job.1.lock().unwrap_or_else(PoisonError::into_inner);
    *shared = spin(*shared ^ item as u64, job.0);
    item as u64
});

/// Adds to a counter that all items share, many times.
#[derive(Clone)]
pub(crate) struct Counter(pub(crate) u32, pub(crate) Arc<AtomicU64>);
numeric!(Counter, |job, item| {
    for _ in 0..job.0 {
        job.1.fetch_add(1, Ordering::Relaxed);
    }
    item as u64
});

/// Reads at random places of a table larger than the caches.
#[derive(Clone)]
pub(crate) struct Gather(pub(crate) u32, pub(crate) Arc<Vec<u64>>);
numeric!(Gather, |job, item| {
    let (mut at, mut sum) = (item as u64, 0u64);
    for _ in 0..job.0 {
        at = at.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        sum = sum.wrapping_add(job.1[(at >> 20) as usize % job.1.len()]);
    }
    sum
});

/// Makes a block of bytes.
#[derive(Clone)]
pub(crate) struct Blocks {
    pub(crate) steps: u32,
    pub(crate) bytes: usize,
}

impl Job for Blocks {
    type Source = Range<usize>;
    type Result = Vec<u8>;

    fn source(&self, items: usize) -> Range<usize> {
        0..items
    }

    fn work(&self, item: usize) -> Vec<u8> {
        vec![spin(item as u64, self.steps) as u8 | 1; self.bytes]
    }

    /// Touches every cache line, as any real consumer does.
    fn read(result: Vec<u8>) -> u64 {
        result.iter().step_by(64).map(|&byte| u64::from(byte)).sum()
    }
}

/// Rows of the Mandelbrot set.
#[derive(Clone)]
pub(crate) struct Mandelbrot {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) limit: u16,
}

impl Job for Mandelbrot {
    type Source = Range<usize>;
    type Result = Vec<u16>;

    fn source(&self, items: usize) -> Range<usize> {
        0..items
    }

    fn work(&self, row: usize) -> Vec<u16> {
        mandelbrot_row(row, self.height, self.width, self.limit)
    }

    fn read(result: Vec<u16>) -> u64 {
        result.iter().map(|&escape| u64::from(escape)).sum()
    }
}
