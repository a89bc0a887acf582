//! How many items may be in flight: taken from the source and not yet yielded.

use crate::constants::{DEFAULT_BUFFER_SIZE_MULTIPLIER, STREAMING_BUFFER_MEMORY_FRACTION};
use crate::options::Options;

use super::chunks;
use super::costs::Costs;
use super::situation::Situation;

/// Bytes of results in flight for each thread that stay in caches. More of them cost the speed of memory; with much
/// less, who takes a result has to fetch it from the core that has just made it.
const CACHE_BYTES: f64 = 1048576.0;
/// Bytes of results a second from which the speed of memory shows beside the function's own time; below, so many times
/// more may be in flight, up to a factor.
const FLOOD: f64 = 2e9;
const MOST_CACHES: f64 = 8.0;
/// Bytes of a result from which it shows where its memory comes from.
const LARGE_RESULT: f64 = 16384.0;
/// The stated bound leaves room for results so many times smaller than the first ones.
const SMALLER: usize = 8;
/// Seconds for which a woken thread may wait for a core that another one uses (Linux: the base slice).
const SCHEDULER_SLICE: f64 = 4e-3;
/// Most chunks a thread that are held because of spread.
const WORST_SPREAD: f64 = 12.0;
const MULTIPLIER: f64 = DEFAULT_BUFFER_SIZE_MULTIPLIER as f64;

/// Results that may be in flight without leaving the caches of the threads that make them, or without that being seen.
pub(super) fn cached_items(costs: &Costs, threads: usize) -> usize {
    (cached_bytes(costs, threads) / costs.result_bytes.max(1.0)) as usize
}

/// Items of a chunk, as many as are wanted if what is in flight with such chunks stays in the caches. (Asked for many
/// times a chunk, so nothing is divided where there is no doubt.)
pub(super) fn cached_chunk(wanted: usize, costs: &Costs, threads: usize) -> usize {
    let chunks = DEFAULT_BUFFER_SIZE_MULTIPLIER * threads;
    if stays_cached(chunks * wanted, costs, threads) {
        return wanted;
    }
    wanted.min((cached_items(costs, threads) / chunks).max(1))
}

/// Whether so many results are within the caches of the threads that make them, however fast they come.
fn stays_cached(items: usize, costs: &Costs, threads: usize) -> bool {
    items as f64 * costs.result_bytes.max(1.0) <= CACHE_BYTES * threads as f64
}

/// Results that threads make before they are judged, where these are large: the memory that they come and go in is new
/// to the process until all of it was used once, or far away.
pub(crate) fn warm_up(costs: &Costs, threads: usize) -> u64 {
    if costs.result_bytes < LARGE_RESULT { 0 } else { cached_items(costs, threads) as u64 }
}

fn cached_bytes(costs: &Costs, threads: usize) -> f64 {
    let rate = costs.result_bytes / costs.item.max(1e-12);
    CACHE_BYTES * threads as f64 * (FLOOD / rate.max(1.0)).clamp(1.0, MOST_CACHES)
}

/// Items in flight that keep every thread busy: for each thread a chunk that runs, one that waits, one that is done,
/// and what it can do while the consumer waits for a core or for an item much slower than the others.
pub(crate) fn items(chunk: usize, threads: usize, costs: &Costs) -> usize {
    let chunk_time = chunk as f64 * costs.item;
    let delays = if chunk_time > SCHEDULER_SLICE {
        0.0
    } else {
        (SCHEDULER_SLICE / chunk_time.max(chunks::TARGET_CHUNK)).ceil()
    };
    let jitter = delays + (MULTIPLIER * chunks::spread(costs, chunk)).min(WORST_SPREAD);
    let of_chunks = |chunks: f64| (chunks * chunk as f64 * threads as f64) as usize;
    let wanted = of_chunks(MULTIPLIER + jitter);
    if stays_cached(wanted, costs, threads) {
        return wanted;
    }
    let bytes = costs.result_bytes * chunk as f64 * threads as f64;
    let cached = cached_bytes(costs, threads) / bytes.max(1.0);
    of_chunks(MULTIPLIER + jitter.min((cached - MULTIPLIER).max(0.0)))
}

/// The stated bound on items in flight: the user's, or room for chunks that grow when items turn out cheaper than
/// the first ones, within a tenth of the available memory.
pub(crate) fn buffer(costs: &Costs, threads: usize, options: &Options, situation: &Situation) -> usize {
    if let Some(pinned) = options.buffer_size {
        return pinned.get();
    }
    let largest = options.chunk_size.map_or(chunks::LARGEST_CHUNK, usize::from);
    let wanted = largest.saturating_mul(DEFAULT_BUFFER_SIZE_MULTIPLIER * threads);
    let usual = items(chunks::items(costs, None, threads, options), threads, costs);
    let cached = cached_items(costs, threads).saturating_mul(SMALLER).max(usual);
    wanted.min(cached).min(most_items(costs, situation)).max(1)
}

/// Bytes that items in flight may take, where nobody has said how many there may be.
pub(crate) fn most_bytes(situation: &Situation) -> usize {
    (situation.available_memory as f64 * STREAMING_BUFFER_MEMORY_FRACTION) as usize
}

/// Items in flight that have room in that memory.
pub(crate) fn most_items(costs: &Costs, situation: &Situation) -> usize {
    (most_bytes(situation) as f64 / situation.bytes_each(costs).max(1.0)) as usize
}

/// Threads for which there is a chunk each, within the window that is pinned or that memory has room for.
pub(crate) fn most_threads(costs: &Costs, options: &Options, situation: &Situation) -> usize {
    let window = options.buffer_size.map_or_else(|| most_items(costs, situation), usize::from);
    (window / options.chunk_size.map_or(1, usize::from)).max(1)
}

/// A chunk that fits into so large a buffer: one of a pinned size as it is, others so that there is place for every
/// thread's and one more that is being yielded.
pub(crate) fn fitting(chunk: usize, buffer: usize, threads: usize, options: &Options) -> usize {
    if options.chunk_size.is_some() { chunk.min(buffer) } else { chunk.min((buffer / (threads + 1)).max(1)) }
}

/// Items of a pinned window for each of so many threads.
pub(crate) fn per_thread(threads: usize, options: &Options) -> usize {
    options.buffer_size.map_or(usize::MAX, |window| (window.get() / threads).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_never_takes_more_than_a_tenth_of_the_memory() {
        let costs = Costs { result_bytes: 1e6, item: 1e-3, ..Costs::default() };
        let small = Situation { available_memory: 20_000_000, ..Situation::TWO_CORES };
        assert_eq!(buffer(&costs, 2, &Options::default(), &small), 2);
    }

    #[test]
    fn what_is_not_divided_is_what_division_would_give() {
        for (item, result_bytes) in [(1e-6, 8.0), (1e-6, 0.0), (5e-6, 4e3), (10e-6, 65536.0), (1e-3, 4e6)] {
            let costs = Costs { item, result_bytes, ..Costs::default() };
            for threads in [1, 2, 64] {
                for wanted in [1, 7, 99, 8192] {
                    let fitting = cached_items(&costs, threads) / (DEFAULT_BUFFER_SIZE_MULTIPLIER * threads);
                    assert_eq!(
                        cached_chunk(wanted, &costs, threads),
                        wanted.min(fitting.max(1)),
                        "{costs:?} {threads}"
                    );
                }
            }
        }
    }
}
