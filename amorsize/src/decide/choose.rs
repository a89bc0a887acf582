//! What suits given costs: the plain loop or threads, how many, and in which order. (See [`chunks`] and [`window`] for
//! the rest of a plan.)

use crate::constants::{HETEROGENEOUS_CV_THRESHOLD, LARGE_DATASET_THRESHOLD};
use crate::options::{Options, Order};

use super::costs::Costs;
use super::situation::Situation;
use super::timing::{self, Wake};
use super::{chunks, window};

/// One thread in so many is spare: cores that work together are slower.
const SPARE: usize = 4;
/// Expected gain below which the plain loop is kept: the model is not better than that.
const WORTH_IT: f64 = 1.15;

/// Threads for work on the CPU pool and what they gain, or `None` where the plain loop is as fast.
pub(crate) fn threads(costs: &Costs, items: u64, options: &Options, situation: &Situation) -> Option<(usize, f64)> {
    let most = options.threads.map_or(situation.cores, usize::from);
    enough_threads(costs, most, items, options, situation)
}

/// What so many threads gain over the plain loop.
pub(crate) fn gain(costs: &Costs, threads: usize, items: u64, options: &Options, wake: Wake) -> f64 {
    let chunk = chunks::items(costs, Some(items), threads, options).min(window::per_thread(threads, options));
    timing::speedup(costs, threads, chunk, items, wake)
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
    situation: &Situation,
) -> Option<(usize, f64)> {
    let gain = |threads| gain(costs, threads, items, options, situation.wake);
    let most = most.min(window::most_threads(costs, options, situation));
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
    fn auto_order_follows_spread_and_length() {
        assert!(ordered(Order::Auto, 0.5, 10_000));
        assert!(!ordered(Order::Auto, 0.51, 10));
        assert!(!ordered(Order::Auto, 0.0, 10_001));
        assert!(ordered(Order::Input, 9.0, u64::MAX));
        assert!(!ordered(Order::Any, 0.0, 1));
    }
}
