//! How many items are handed to a thread at a time.

use crate::options::Options;

use super::costs::Costs;
use super::timing;
use super::waiting::FEW_THREADS;
use super::window;

/// Seconds of work in a chunk, unless the option says otherwise: some 80 times what handing it over costs, and short
/// enough that the last one hardly matters. (The fixed-chunk optimum of Kruskal & Weiss 1985 is flat around it.)
pub(crate) const TARGET_CHUNK: f64 = 100e-6;
/// A chunk lasts at least so many hand-overs for each thread: the consumer has to hand one to each of them meanwhile.
const HAND_OVERS: f64 = 2.0;
/// Hand-overs for each thread that a chunk near the end lasts at least: no thread is to work alone there.
const LAST_HAND_OVERS: f64 = 0.5;
/// Part of a run for which threads have nothing to do beside the consumer.
const LONE_PART: f64 = 0.1;
/// Where the consumer is the bound, what it does for the items of a chunk takes so many hand-overs, as far as that
/// makes chunks so many times longer at most: items may become dearer.
const OWN_WORK: f64 = 6.0;
const LONGER: usize = 2;
/// Seconds of work below which handing a chunk over would show.
pub(crate) const SMALLEST_CHUNK: f64 = 10e-6;
/// Part of a chunk that is handed over where it matters more how soon it comes back.
const SMALL_PART: f64 = 0.3;
/// Seconds of an item from which it hardly shows if a thread is woken for each.
const DEAR: f64 = 0.5e-3;
/// Most items of a planned chunk; cheaper items do not pay for a hand-over anyway.
pub(super) const LARGEST_CHUNK: usize = 8192;

/// Items in a chunk: the smallest that makes the hand-over negligible, shrunk near a known end so that no thread
/// works alone.
pub(crate) fn items(costs: &Costs, remaining: Option<u64>, threads: usize, options: &Options) -> usize {
    if let Some(pinned) = options.chunk_size {
        return pinned.get();
    }
    let hand_overs = timing::HAND_OVER * threads as f64;
    let usual = TARGET_CHUNK.max(HAND_OVERS * hand_overs);
    let by_time = match options.target_chunk_duration {
        Some(target) => items_in(target.as_secs_f64(), costs.item),
        // Few threads never make the consumer the bound of longer chunks than that.
        None if OWN_WORK * hand_overs <= usual => items_in(usual, costs.item),
        None => {
            let usual_items = items_in(usual, costs.item);
            items_of_consumer(costs, threads).clamp(usual_items, LONGER * usual_items)
        }
    };
    let chunk = window::cached_chunk(by_time, costs, threads);
    remaining.map_or(chunk, |remaining| chunk.min(last(costs, remaining, threads)))
}

/// A part of a chunk that is worth handing over alone.
pub(crate) fn small(costs: &Costs, chunk: usize) -> usize {
    let least = items_in(SMALLEST_CHUNK, costs.item);
    chunk.min(least.max((SMALL_PART * chunk as f64) as usize))
}

/// Items that whoever runs a chunk gives away, of those that are left and take so many seconds each: half of them, or all
/// but the next one where they are dear. Such ones often are neighbours, and one that runs cannot be interrupted.
pub(crate) fn given_away(left: usize, each: f64) -> usize {
    if each >= DEAR { left.saturating_sub(1) } else { left / 2 }
}

/// Most items of a chunk where so many remain.
pub(crate) fn last(costs: &Costs, remaining: u64, threads: usize) -> usize {
    let share = (remaining as f64 / (threads as f64 * last_rounds(costs, threads))).ceil() as usize;
    let hand_overs = LAST_HAND_OVERS * timing::HAND_OVER * threads as f64;
    share.max(items_in(SMALLEST_CHUNK.max(hand_overs), costs.item))
}

/// Rounds that what is left near the end is divided into: two (FAC2), or less where items are alike and threads are
/// few, since each chunk keeps the consumer from running items then, and a running chunk can still be divided (one:
/// guided self-scheduling). More where nobody has anything to do beside the consumer for long: while it pulls the items
/// of the first chunk, and while it has the results of the last one.
fn last_rounds(costs: &Costs, threads: usize) -> f64 {
    let usual = if threads <= FEW_THREADS { 1.0 + costs.spread.min(1.0) } else { 2.0 };
    let own = (costs.source + costs.consumer) / costs.serial().max(1e-12);
    usual.max(own.min(1.0 / threads as f64) / LONE_PART)
}

/// Items for which handing a chunk over hardly shows beside what else the consumer does for them, as far as it is the
/// bound: a matter of many threads.
fn items_of_consumer(costs: &Costs, threads: usize) -> usize {
    let own = costs.source + costs.consumer + timing::ITEM_TRANSFER;
    let bound = (own * threads as f64 / costs.item.max(1e-12)).min(1.0);
    items_in(bound * OWN_WORK * timing::HAND_OVER, own)
}

fn items_in(seconds: f64, item_time: f64) -> usize {
    if item_time <= 0.0 {
        return 1;
    }
    // `as` saturates, so an absurd ratio is only a large number.
    ((seconds / item_time).ceil() as usize).clamp(1, LARGEST_CHUNK)
}

/// Coefficient of variation of chunks: a mean over n items spreads √n times less than one.
pub(crate) fn spread(costs: &Costs, chunk: usize) -> f64 {
    costs.spread / (chunk as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(item: f64) -> Costs {
        Costs { source: 1e-9, item, consumer: 2e-9, result_bytes: 8.0, ..Costs::default() }
    }

    fn options() -> Options {
        Options::default()
    }

    #[test]
    fn a_chunk_holds_about_the_target_time() {
        assert!((99..=101).contains(&items(&cpu(1e-6), None, 2, &options())));
        assert_eq!(items(&cpu(1.0), None, 2, &options()), 1);
    }

    #[test]
    fn large_results_make_small_chunks() {
        let costs = Costs { result_bytes: 65536.0, ..cpu(12e-6) };
        assert!(items(&costs, None, 2, &options()) <= 5);
    }

    #[test]
    fn of_dear_items_all_but_one_are_given_away() {
        assert_eq!([given_away(23, 1e-6), given_away(2, 1e-6), given_away(1, 1e-6)], [11, 1, 0], "half of cheap ones");
        assert_eq!([given_away(23, 1e-3), given_away(2, 1e-3), given_away(0, 1e-3)], [22, 1, 0]);
    }

    #[test]
    fn chunks_shrink_towards_a_known_end() {
        assert_eq!(items(&cpu(1e-6), Some(100), 2, &options()), 50);
        assert_eq!(items(&Costs { spread: 2.0, ..cpu(1e-6) }, Some(100), 2, &options()), 25);
        assert_eq!(items(&cpu(1e-6), Some(1_000), 8, &options()), 63);
        assert!((9..=11).contains(&items(&cpu(1e-6), Some(4), 2, &options())));
    }

    #[test]
    fn chunks_shrink_earlier_where_nobody_has_anything_to_do_beside_the_consumer() {
        let first =
            |consumer, threads| items(&Costs { consumer, ..cpu(1e-6) }, Some(60 * threads as u64), threads, &options());
        assert_eq!([0.05e-6, 1e-6, 10e-6].map(|consumer| first(consumer, 2)), [60, 12, 12]);
        assert_eq!(first(1e-6, 64), first(2e-9, 64), "there are many chunks anyway");
    }

    #[test]
    fn few_threads_never_make_the_consumer_the_bound_of_chunks() {
        for (item, own) in [(1e-9, 1e-6), (1e-6, 1e-9), (1e-6, 1e-6), (1e-3, 1.0)] {
            let costs = Costs { consumer: own, ..cpu(item) };
            let longest = [1, 2, 8].map(|threads| items_of_consumer(&costs, threads));
            assert!(longest.iter().all(|&items| items <= items_in(TARGET_CHUNK, item)), "{item} {own}: {longest:?}");
        }
    }
}
