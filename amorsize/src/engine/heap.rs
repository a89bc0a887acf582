//! Two habits of glibc's allocator that make streams slow, and what keeps it from them.
//!
//! *It gives memory back that is needed again right away.* What is in flight comes and goes. Where a thread makes it
//! and the consumer frees it, more of that is free at the end of the thread's arena, now and then, than glibc keeps
//! there (128 KiB): it goes back, and each of its pages is asked for again, and zeroed. But the bound follows what a
//! program does: freeing a block that was mapped for itself raises it to twice the size of that block
//! (`M_MMAP_THRESHOLD` in mallopt(3)). So one is made and freed, of as much memory as is in flight; nobody touches it.
//! What is kept then is no more than what was in flight.
//!
//! *It keeps small blocks apart that were free at the same time* (in a fast bin), and hands them out seven at once to
//! where a thread finds them without asking (its cache), which gives them back one by one once it is full. A plain loop
//! whose results are more than seven blocks of one size each then takes a sixth longer, however long it goes on. Whoever
//! asks for a large block has small ones put together first, and in the loop's own few blocks they are not missed.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes up to which nothing is given back anyway, and up to which glibc follows (less than 32 MiB).
const USUAL: usize = 128 << 10;
const MOST: usize = 31 << 20;

/// Bytes from which glibc calls a block large, and then some.
const LARGE: usize = 2048;

/// The largest block that was made for this. Mostly a power of two, so that there are few of them.
static KEPT: AtomicUsize = AtomicUsize::new(USUAL);

/// So many bytes are in flight.
pub(crate) fn expect(bytes: usize) {
    let bytes = bytes.min(MOST);
    if bytes > KEPT.load(Ordering::Relaxed) && cfg!(all(target_os = "linux", target_env = "gnu")) {
        keep(bytes.next_power_of_two().min(MOST));
    }
}

/// Results were held that own memory, and from now on each is freed before the next one is made.
pub(crate) fn settle() {
    drop(black_box(Vec::<u8>::with_capacity(LARGE)));
}

#[cold]
fn keep(bytes: usize) {
    if KEPT.fetch_max(bytes, Ordering::Relaxed) < bytes {
        let mut block = Vec::<u8>::new();
        // Where there is not as much, there is nothing to be kept.
        let _ = block.try_reserve_exact(bytes);
        drop(black_box(block));
    }
}
