//! Three habits of glibc's allocator that make streams slow, and what keeps it from them.
//!
//! *It gives memory back that is needed again right away.* What is in flight comes and goes. Where a thread makes it
//! and the consumer frees it, more of that is free at the end of the thread's arena, now and then, than glibc keeps
//! there (128 KiB): it goes back, and each of its pages is asked for again, and zeroed. But the bound follows what a
//! program does: freeing a block that was mapped for itself raises it to twice the size of that block
//! (`M_MMAP_THRESHOLD` in mallopt(3)). So one is made and freed, of as much memory as is in flight, or less where there
//! is little; nobody touches it.
//!
//! *It keeps small blocks apart that were free at the same time* (in a fast bin), and hands them out seven at once to
//! where a thread finds them without asking (its cache), which gives them back one by one once it is full. A plain loop
//! whose results are more than seven blocks of one size each then takes a sixth longer, however long it goes on.
//! Whoever asks for a large block has small ones put together first, and in the loop's own few blocks they are not
//! missed.
//!
//! *It lets a block live where it was born.* Up to seven free blocks of a size stay with the thread that has freed them,
//! whosever they were: a chunk's vector, or an item that the function has dropped. The next vector or text that begins
//! with one grows in the arena of that other thread, which takes its lock each time, and once it is freed the block is
//! at hand again for the next one: two threads then wait for each other for as long as they run. (Rendering of Markdown
//! on two threads took as long as on one.) So the vectors of a chunk are the consumer's, who gets them back; those that
//! another thread has to make are too large to be kept so. And who runs chunks looks now and then whether what it has
//! at hand is its own, and sends the rest home: the consumer before each of its chunks, if it is given results that own
//! memory.

use std::cell::Cell;
use std::hint::black_box;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Bytes up to which nothing is given back anyway, and up to which glibc follows (less than 32 MiB).
const USUAL: usize = 128 << 10;
const MOST: usize = 31 << 20;

/// Bytes from which glibc calls a block large, and then some.
const LARGE: usize = 2048;

/// Bytes of the largest block that was made, and freed, so that glibc keeps as much. Mostly a power of two, so that
/// there are few of them.
static KEPT: AtomicUsize = AtomicUsize::new(USUAL);

/// Has glibc keep so many bytes, which are in flight.
pub(crate) fn expect(bytes: usize) {
    let bytes = bytes.min(MOST);
    if bytes > KEPT.load(Ordering::Relaxed) && cfg!(all(target_os = "linux", target_env = "gnu")) {
        keep(bytes.next_power_of_two().min(MOST));
    }
}

/// Has small blocks put together: results were held that own memory, and from now on each is freed before the next one
/// is made.
pub(crate) fn settle() {
    drop(black_box(Vec::<u8>::with_capacity(LARGE)));
}

/// Bytes of a block from which glibc keeps none at hand for a thread.
pub(crate) const KEPT_NOWHERE: usize = 1040;

/// Small blocks that glibc keeps at hand for a thread, of each size (`glibc.malloc.tcache_count`).
const AT_HAND: usize = 7;
/// Sizes of small blocks, in bytes, of each of which one is looked at: what most vectors and texts begin with.
const SIZES: RangeInclusive<usize> = 24..=264;
const STEP: usize = 16;
/// Each arena but the first lies within pieces of the address space of so many bytes, as a power of two.
const PIECE: u32 = 26;
/// Work of a thread between two looks for blocks of others, and before the first one of a ticket, of which there may be
/// many short ones. Looking takes 0.3 µs, and 0.3 µs more for each size of which there are some.
const PAUSE: Duration = Duration::from_millis(5);
const FIRST_PAUSE: Duration = Duration::from_millis(1);

thread_local! {
    /// Where the calling thread's own blocks are, as far as is known.
    static HOME: Cell<usize> = const { Cell::new(0) };
    /// The calling thread's work since it last looked.
    static SINCE: Cell<Duration> = const { Cell::new(FIRST_PAUSE) };
}

/// When a thread that runs chunks looks for blocks of others.
pub(crate) struct Upkeep {
    /// Work before the next look, and before later ones.
    pause: Duration,
    usual: Duration,
}

impl Upkeep {
    /// The upkeep of a thread that helps.
    pub(crate) fn of_helper() -> Self {
        Self { pause: FIRST_PAUSE, usual: PAUSE }
    }

    /// The upkeep of the consumer, which may free results that own memory.
    pub(crate) fn of_consumer(frees: bool) -> Self {
        if frees { Self { pause: Duration::ZERO, usual: Duration::ZERO } } else { Self::of_helper() }
    }

    /// Looks for blocks of others if that is due, before the thread goes on: whether it was.
    pub(crate) fn look(&mut self) -> bool {
        let is_due = SINCE.get() >= self.pause;
        if is_due {
            SINCE.set(Duration::ZERO);
            self.pause = self.usual;
            if cfg!(all(target_os = "linux", target_env = "gnu")) {
                SIZES.step_by(STEP).for_each(look_at);
            }
        }
        is_due
    }
}

/// The calling thread has run chunks for so long.
pub(crate) fn worked(time: Duration) {
    SINCE.set(SINCE.get().saturating_add(time));
}

/// Looks at the block of such a size that the calling thread would get next.
fn look_at(size: usize) {
    let [next] = blocks(size);
    if piece(&next) != HOME.get() {
        drop(next);
        HOME.set(send_home(size));
    }
}

/// Has blocks of such a size that the calling thread has at hand go where they came from, if they are of others, and
/// its own take their place; where those are.
fn send_home(size: usize) -> usize {
    let at_hand: [_; AT_HAND] = blocks(size);
    let [own] = blocks(size);
    let home = piece(&own);
    if at_hand.iter().any(|block| piece(block) != home) {
        // Whatever is freed first is at hand from then on.
        drop(blocks::<AT_HAND>(size));
    }
    home
}

fn blocks<const COUNT: usize>(size: usize) -> [Vec<u8>; COUNT] {
    std::array::from_fn(|_| black_box(Vec::with_capacity(size)))
}

fn piece(block: &[u8]) -> usize {
    block.as_ptr().addr() >> PIECE
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

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use std::thread;

    use super::*;

    const SIZE: usize = 128;

    /// Whether the next blocks are of one piece, as those that follow.
    fn are_own() -> bool {
        let [blocks, own] = [blocks::<AT_HAND>(SIZE), blocks(SIZE)];
        blocks.iter().all(|block| piece(block) == piece(&own[0]))
    }

    #[test]
    fn blocks_of_another_thread_are_not_at_hand_any_more() {
        let foreign = blocks::<AT_HAND>(SIZE);
        let other = thread::spawn(move || {
            // Its own arena, and not that of somebody who has ended.
            let own: [_; 1] = blocks(SIZE);
            if piece(&own[0]) == piece(&foreign[0]) {
                return None;
            }
            drop(foreign);
            let before = are_own();
            assert!(Upkeep::of_helper().look());
            Some((before, are_own()))
        });
        if let Some(found) = other.join().expect("no panic") {
            assert_eq!(found, (false, true));
        }
    }

    /// Whether a look is due before so much work.
    fn go_on(upkeep: &mut Upkeep, work: Duration) -> bool {
        let looked = upkeep.look();
        worked(work);
        looked
    }

    #[test]
    fn a_thread_looks_now_and_then_whatever_it_works_for_and_each_time_if_it_frees_results() {
        let looks = |mut upkeep: Upkeep| [FIRST_PAUSE / 2, FIRST_PAUSE / 2, PAUSE].map(|work| go_on(&mut upkeep, work));
        let after = |ticket: fn() -> Upkeep| thread::spawn(move || looks(ticket())).join().expect("no panic");
        assert_eq!(after(Upkeep::of_helper), [true, false, false]);
        assert_eq!(after(|| Upkeep::of_consumer(true)), [true; 3]);
        let many_short_ones = thread::spawn(|| [(); 4].map(|()| go_on(&mut Upkeep::of_helper(), FIRST_PAUSE / 2)));
        assert_eq!(many_short_ones.join().expect("no panic"), [true, false, true, false]);
    }
}
