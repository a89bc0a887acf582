//! The plan for given costs: serial or parallel, how many threads, which chunk, which window.

use std::time::Duration;

use crate::constants::{
    DEFAULT_BUFFER_SIZE_MULTIPLIER, HETEROGENEOUS_CV_THRESHOLD, LARGE_DATASET_THRESHOLD,
    STREAMING_BUFFER_MEMORY_FRACTION,
};
use crate::options::{Options, Order};

use super::costs::Costs;
use super::model::{self, Wake};
use super::refill::Refilled;

/// Seconds of work in a chunk, unless the option says otherwise: some 80 times what handing it over costs, and short
/// enough that the last one hardly matters. (The fixed-chunk optimum of Kruskal & Weiss 1985 is flat around it.)
pub(crate) const TARGET_CHUNK: f64 = 100e-6;
/// A chunk lasts at least so many hand-overs for each thread: the consumer has to hand one to each of them meanwhile.
const HAND_OVERS: f64 = 2.0;
/// The same near the end, where no thread is to work alone.
const LAST_HAND_OVERS: f64 = 0.5;
/// Where the consumer is the bound, what it does for the items of a chunk takes so many hand-overs, as far as that
/// makes chunks so many times longer at most: items may become dearer.
const OWN_WORK: f64 = 6.0;
const LONGER: usize = 2;
/// Seconds of work below which handing a chunk over would show.
pub(crate) const SMALLEST_CHUNK: f64 = 10e-6;
/// Part of a chunk that is handed over where it matters more how soon it comes back.
const SMALL_PART: f64 = 0.3;
/// Most items of a planned chunk; cheaper items do not pay for a hand-over anyway.
const LARGEST_CHUNK: usize = 8192;
/// Bytes of results in flight for each thread that stay in caches. More of them cost the speed of memory; with much
/// less, who takes a result has to fetch it from the core that has just made it.
const CACHE_BYTES: f64 = 1048576.0;
/// Bytes of results a second from which that shows beside the function's own time; below, so many more may be in
/// flight, up to a factor.
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
/// Seconds of a chunk up to which the consumer runs chunks itself rather than sleep: waking it would cost more than
/// the delay of what it could yield meanwhile.
const LONGEST_HELP: f64 = 500e-6;
/// Threads up to which it helps with longer ones too: its core is too large a part of the whole to leave it idle.
const FEW_THREADS: usize = 4;
/// For how long a consumer that does not help leaves all chunks to threads that have not begun: some times what waking
/// one takes, and no longer than a chunk, since they may be busy with something else; a blocking thread is sure to
/// come.
const COMPUTING_PATIENCE: Duration = Duration::from_micros(500);
const BLOCKING_PATIENCE: Duration = Duration::from_millis(20);
/// One thread in so many is spare: cores that work together are slower.
const SPARE: usize = 4;
/// Bytes of an item or result itself from which it stays on the caller's stack: a thread of a pool has two megabytes,
/// and there are several copies on them, each of which takes as long as a hand-over anyway.
const LARGEST_ON_THREADS: usize = 128 << 10;
/// Expected gain below which the plain loop is kept: the model is not better than that.
const WORTH_IT: f64 = 1.15;

/// What a value of a type owns that is freed when it is dropped, as far as the type tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owns {
    #[default]
    Nothing,
    /// One block of memory at most.
    OneBlock,
    /// Any number of them, or something else.
    Anything,
}

/// What a decision depends on besides the costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Situation {
    /// Threads that may compute at the same time.
    pub(crate) cores: usize,
    /// Processors' worth of time that this process may get. It may be more than `cores`, where a pool has fewer
    /// threads.
    pub(crate) processors: f64,
    /// Bytes this process may still take.
    pub(crate) available_memory: u64,
    /// Shallow bytes of an item or a result, whichever is larger.
    pub(crate) item_bytes: usize,
    /// What it takes to get a thread to work.
    pub(crate) wake: Wake,
    /// What items or results own, whichever is more: it is freed by another thread than made it.
    pub(crate) owns: Owns,
    /// Cores and memory are a guess, until somebody looks: which takes longer than many a run.
    pub(crate) is_guess: bool,
}

impl Situation {
    /// Bytes that an item takes until it is yielded: its own or its result's, as far as is known.
    pub(crate) fn bytes_each(&self, costs: &Costs) -> f64 {
        costs.result_bytes.max(self.item_bytes as f64)
    }

    /// Whether items and results are small enough for the stacks of threads.
    pub(crate) fn fits_threads(&self) -> bool {
        self.item_bytes <= LARGEST_ON_THREADS
    }
}

#[cfg(test)]
impl Situation {
    pub(crate) const TWO_CORES: Self = Self {
        cores: 2,
        processors: 2.0,
        available_memory: 1 << 30,
        item_bytes: 8,
        wake: Wake::USUAL,
        owns: Owns::Nothing,
        is_guess: false,
    };
}

/// Threads for work on the CPU pool and what they gain, or `None` where the plain loop is as fast.
pub(crate) fn threads(costs: &Costs, items: u64, options: &Options, situation: &Situation) -> Option<(usize, f64)> {
    let most = options.threads.map_or(situation.cores, usize::from);
    enough_threads(costs, most, items, options, situation.wake)
}

/// What so many threads gain over the plain loop.
pub(crate) fn gain(costs: &Costs, threads: usize, items: u64, options: &Options, wake: Wake) -> f64 {
    let chunk = chunk(costs, Some(items), threads, options).min(most_of_window(threads, options));
    model::speedup(costs, threads, chunk, items, wake)
}

/// Threads for which a window that the user stated has a chunk each.
pub(crate) fn most_in_window(options: &Options) -> usize {
    let Some(window) = options.buffer_size else { return usize::MAX };
    (window.get() / options.chunk_size.map_or(1, usize::from)).max(1)
}

/// Items of such a window for each of so many threads.
pub(crate) fn most_of_window(threads: usize, options: &Options) -> usize {
    options.buffer_size.map_or(usize::MAX, |window| (window.get() / threads).max(1))
}

/// Seconds of the plain loop over so many items that a gain saves.
pub(crate) fn saved(costs: &Costs, gain: f64, items: u64) -> f64 {
    items as f64 * costs.serial() * (1.0 - 1.0 / gain)
}

/// What [`threads`] says, among 2..=`most` of them.
pub(crate) fn enough_threads(
    costs: &Costs,
    most: usize,
    items: u64,
    options: &Options,
    wake: Wake,
) -> Option<(usize, f64)> {
    let gain = |threads| gain(costs, threads, items, options, wake);
    let most = most.min(most_in_window(options));
    if most < 2 {
        return None;
    }
    let best = gain(most);
    // The fewest threads that reach the best: a slow source or consumer is not helped by more.
    let enough = (2..=most).find(|&threads| gain(threads) >= 0.97 * best).unwrap_or(most);
    let most = most.min(usize::try_from(items).unwrap_or(usize::MAX)).max(enough);
    let threads = (enough + enough / SPARE).min(most);
    let expected = gain(threads);
    (expected >= WORTH_IT).then_some((threads, expected))
}

/// Items in a chunk: the smallest that makes the hand-over negligible, shrunk near a known end so that no thread
/// works alone.
pub(crate) fn chunk(costs: &Costs, remaining: Option<u64>, threads: usize, options: &Options) -> usize {
    if let Some(pinned) = options.chunk_size {
        return pinned.get();
    }
    let hand_overs = model::HAND_OVER * threads as f64;
    let usual = TARGET_CHUNK.max(HAND_OVERS * hand_overs);
    let by_time = match options.target_chunk_duration {
        Some(target) => items_in(target.as_secs_f64(), costs.item),
        None => {
            let usual_items = items_in(usual, costs.item);
            items_of_consumer(costs, threads).clamp(usual_items, LONGER * usual_items)
        }
    };
    let by_bytes = cached_items(costs, threads) / (DEFAULT_BUFFER_SIZE_MULTIPLIER * threads);
    let chunk = by_time.min(by_bytes.max(1));
    remaining.map_or(chunk, |remaining| chunk.min(last_chunk(costs, remaining, threads)))
}

/// A part of a chunk that is worth handing over alone.
pub(crate) fn small_chunk(costs: &Costs, chunk: usize) -> usize {
    let least = items_in(SMALLEST_CHUNK, costs.item);
    chunk.min(least.max((SMALL_PART * chunk as f64) as usize))
}

/// Most items of a chunk where so many remain.
pub(crate) fn last_chunk(costs: &Costs, remaining: u64, threads: usize) -> usize {
    let share = (remaining as f64 / (threads as f64 * last_rounds(costs, threads))).ceil() as usize;
    let hand_overs = LAST_HAND_OVERS * model::HAND_OVER * threads as f64;
    share.max(items_in(SMALLEST_CHUNK.max(hand_overs), costs.item))
}

/// Rounds that what is left near the end is divided into: two (FAC2), or less where items are alike and threads are
/// few, since each chunk keeps the consumer from running items then, and a running chunk can still be divided (one:
/// guided self-scheduling).
fn last_rounds(costs: &Costs, threads: usize) -> f64 {
    if threads <= FEW_THREADS { 1.0 + costs.spread.min(1.0) } else { 2.0 }
}

/// Items for which handing a chunk over hardly shows beside what else the consumer does for them, as far as it is the
/// bound: a matter of many threads.
fn items_of_consumer(costs: &Costs, threads: usize) -> usize {
    let own = costs.source + costs.consumer + model::ITEM_TRANSFER;
    let bound = (own * threads as f64 / costs.item.max(1e-12)).min(1.0);
    items_in(bound * OWN_WORK * model::HAND_OVER, own)
}

fn items_in(seconds: f64, item_time: f64) -> usize {
    if item_time <= 0.0 {
        return 1;
    }
    // `as` saturates, so an absurd ratio is only a large number.
    ((seconds / item_time).ceil() as usize).clamp(1, LARGEST_CHUNK)
}

/// Results that may be in flight without leaving the caches of the threads that make them, or without that being seen.
fn cached_items(costs: &Costs, threads: usize) -> usize {
    (cached_bytes(costs, threads) / costs.result_bytes.max(1.0)) as usize
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
pub(crate) fn window(chunk: usize, threads: usize, costs: &Costs) -> usize {
    let chunk_time = chunk as f64 * costs.item;
    let delays =
        if chunk_time > SCHEDULER_SLICE { 0.0 } else { (SCHEDULER_SLICE / chunk_time.max(TARGET_CHUNK)).ceil() };
    let jitter = delays + (MULTIPLIER * chunk_spread(costs, chunk)).min(WORST_SPREAD);
    let bytes = costs.result_bytes * chunk as f64 * threads as f64;
    let cached = cached_bytes(costs, threads) / bytes.max(1.0);
    let chunks = MULTIPLIER + jitter.min((cached - MULTIPLIER).max(0.0));
    (chunks * chunk as f64 * threads as f64) as usize
}

/// Coefficient of variation of chunks: a mean over n items spreads √n times less than one.
pub(crate) fn chunk_spread(costs: &Costs, chunk: usize) -> f64 {
    costs.spread / (chunk as f64).sqrt()
}

/// The stated bound on items in flight: the user's, or room for chunks that grow when items turn out cheaper than
/// the first ones, within a tenth of the available memory.
pub(crate) fn buffer(costs: &Costs, threads: usize, options: &Options, situation: &Situation) -> usize {
    if let Some(pinned) = options.buffer_size {
        return pinned.get();
    }
    let bytes = situation.bytes_each(costs).max(1.0);
    let by_memory = most_bytes(situation) as f64 / bytes;
    let largest = options.chunk_size.map_or(LARGEST_CHUNK, usize::from);
    let wanted = largest.saturating_mul(DEFAULT_BUFFER_SIZE_MULTIPLIER * threads);
    let usual = window(chunk(costs, None, threads, options), threads, costs);
    let cached = cached_items(costs, threads).saturating_mul(SMALLER).max(usual);
    wanted.min(cached).min(by_memory as usize).max(1)
}

/// Bytes that items in flight may take, where nobody has said how many there may be.
pub(crate) fn most_bytes(situation: &Situation) -> usize {
    (situation.available_memory as f64 * STREAMING_BUFFER_MEMORY_FRACTION) as usize
}

/// How the consumer spends its time while it has nothing to yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// It runs chunks itself.
    pub(crate) helps: bool,
    /// A chunk is expected back about as soon as it would take to fall asleep.
    pub(crate) is_short: bool,
    /// For how long it leaves all chunks to threads that have not begun, where it does not help.
    pub(crate) patience: Duration,
}

impl Waiting {
    /// The same where chunks were pulled ahead so far: a slow source is left only for what nobody else begins with.
    pub(crate) fn beside(self, refilled: Refilled) -> Self {
        Self { helps: self.helps && refilled != Refilled::Slowly, ..self }
    }
}

/// See [`Waiting`]; a function that waits is never run by the consumer, whose delay would be everybody's.
pub(crate) fn waiting(threads: usize, chunk_seconds: f64, is_computing: bool) -> Waiting {
    Waiting {
        helps: is_computing && threads > 1 && (threads <= FEW_THREADS || chunk_seconds <= LONGEST_HELP),
        is_short: chunk_seconds <= 1.5 * TARGET_CHUNK,
        patience: if is_computing { COMPUTING_PATIENCE } else { BLOCKING_PATIENCE },
    }
}

/// Whether results keep the order of the input.
pub(crate) fn ordered(order: Order, spread: f64, items: u64) -> bool {
    match order {
        Order::Input => true,
        Order::Any => false,
        Order::Auto => spread <= HETEROGENEOUS_CV_THRESHOLD && items <= LARGE_DATASET_THRESHOLD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_CORES: Situation = Situation::TWO_CORES;

    fn cpu(item: f64) -> Costs {
        Costs { source: 1e-9, item, consumer: 2e-9, result_bytes: 8.0, ..Costs::default() }
    }

    fn options() -> Options {
        Options::default()
    }

    #[test]
    fn cheap_items_stay_in_the_plain_loop() {
        assert_eq!(threads(&cpu(1.5e-9), 100_000_000, &options(), &TWO_CORES), None);
    }

    #[test]
    fn dear_items_use_every_core() {
        let (threads, gain) = threads(&cpu(5e-6), 100_000, &options(), &TWO_CORES).unwrap();
        assert_eq!(threads, 2);
        assert!(gain > 1.8);
    }

    #[test]
    fn a_slow_consumer_gets_no_more_threads_than_help() {
        let costs = Costs { item: 10e-6, consumer: 10e-6, ..cpu(0.0) };
        let many = Situation { cores: 64, ..TWO_CORES };
        assert_eq!(threads(&costs, 100_000, &options(), &many).unwrap().0, 2);
    }

    #[test]
    fn a_chunk_holds_about_the_target_time() {
        assert!((99..=101).contains(&chunk(&cpu(1e-6), None, 2, &options())));
        assert_eq!(chunk(&cpu(1.0), None, 2, &options()), 1);
    }

    #[test]
    fn large_results_make_small_chunks() {
        let costs = Costs { result_bytes: 65536.0, ..cpu(12e-6) };
        assert!(chunk(&costs, None, 2, &options()) <= 5);
    }

    #[test]
    fn chunks_shrink_towards_a_known_end() {
        assert_eq!(chunk(&cpu(1e-6), Some(100), 2, &options()), 50);
        assert_eq!(chunk(&Costs { spread: 2.0, ..cpu(1e-6) }, Some(100), 2, &options()), 25);
        assert_eq!(chunk(&cpu(1e-6), Some(1_000), 8, &options()), 63);
        assert!((9..=11).contains(&chunk(&cpu(1e-6), Some(4), 2, &options())));
    }

    #[test]
    fn the_buffer_never_takes_more_than_a_tenth_of_the_memory() {
        let costs = Costs { result_bytes: 1e6, ..cpu(1e-3) };
        let small = Situation { available_memory: 20_000_000, ..TWO_CORES };
        assert_eq!(buffer(&costs, 2, &options(), &small), 2);
    }

    #[test]
    fn auto_order_follows_spread_and_length() {
        assert!(ordered(Order::Auto, 0.5, 10_000));
        assert!(!ordered(Order::Auto, 0.51, 10));
        assert!(!ordered(Order::Auto, 0.0, 10_001));
        assert!(ordered(Order::Input, 9.0, u64::MAX));
        assert!(!ordered(Order::Any, 0.0, 1));
    }
}
