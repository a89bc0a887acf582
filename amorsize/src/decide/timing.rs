//! How long a plan would take for given costs. Constants are medians measured on a two-core virtual machine
//! (`benches/README.md`); they only have to be right within a factor of two, because a plan is watched while it runs.

use super::costs::Costs;

/// Seconds to hand a chunk over and take its results back: locks, cache lines, two clock readings.
pub(crate) const HAND_OVER: f64 = 1.2e-6;
/// Seconds that an item costs the consumer on its way into a chunk and out of one.
pub(crate) const ITEM_TRANSFER: f64 = 3e-9;
/// What it takes to get a sleeping thread to work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wake {
    /// Seconds that it costs the thread that wakes another.
    pub(crate) call: f64,
    /// Seconds until the woken thread runs its first item.
    pub(crate) latency: f64,
    /// Seconds that have to be spent first, once a process, on starting threads at all and on looking at the machine.
    pub(crate) start: f64,
}

/// Share of a run for which a thread is waited for at most, and seconds: a virtual processor may take those to wake up.
const WAITED: f64 = 0.05;
const LONGEST_WAIT: f64 = 1e-3;
/// Times as long as waking a thread that a run takes of which waiting for that is a hundredth, where it has two threads
/// and one of them works meanwhile; and seconds from which that does not matter. A shorter one takes a thread for
/// granted that was seen so many seconds ago.
const NOTHING_OF: f64 = 50.0;
const LONG: f64 = 5e-3;
const TRUSTED: f64 = 5e-3;

/// Seconds to start a thread (measured on Linux, in a virtual machine).
pub(crate) const THREAD_START: f64 = 40e-6;

/// How a run makes sure of a thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Patience {
    /// Seconds for which the run waits for a thread at most.
    pub(crate) waits: f64,
    /// Seconds for which the run takes a thread for granted that was seen.
    pub(crate) trusts: f64,
}

impl Wake {
    /// What waking a thread is thought to take where nothing was measured yet.
    pub(crate) const USUAL: Self = Self { call: 15e-6, latency: 35e-6, start: 0.0 };

    /// Seconds to get a thread to work: start, call and latency, one after the other.
    pub(crate) fn total(self) -> f64 {
        self.start + self.call + self.latency
    }

    /// How a run of so many seconds makes sure of a thread that was asleep.
    pub(crate) fn patience(self, seconds: f64) -> Patience {
        let usual = self.call + self.latency;
        let is_nothing = seconds >= (NOTHING_OF * usual).min(LONG);
        Patience {
            waits: (seconds * WAITED).max(usual).min(LONGEST_WAIT),
            trusts: if is_nothing { 0.0 } else { TRUSTED },
        }
    }
}

/// Seconds an item in the long run, on `threads` threads of which the consumer is one while it has nothing to yield:
/// bound by the consumer's own part (Amdahl), or by all the work spread over all threads.
pub(crate) fn steady(costs: &Costs, threads: usize, chunk: usize) -> f64 {
    let hand_over = HAND_OVER / chunk as f64;
    let own = costs.source + costs.consumer + ITEM_TRANSFER + hand_over;
    let cores = threads as f64;
    own.max((costs.serial() + ITEM_TRANSFER + hand_over) / cores)
}

/// Seconds for `items` more items: start, long run, and the last chunk, which on average leaves half of the other
/// threads without work. (Of a chunk that is all a thread gets, half is given away by then.)
pub(crate) fn parallel(costs: &Costs, threads: usize, chunk: usize, items: u64, wake: Wake) -> f64 {
    let others = (threads - 1) as f64 / threads as f64;
    let tail = if chunk > 1 {
        0.5 * others * costs.item * (chunk as f64).min(0.5 * items as f64 / threads as f64)
    } else {
        0.0
    };
    // Until the others begin, the consumer does at most all of it.
    let alone = wake.latency.min(items as f64 * costs.serial());
    // Whole items go to whole threads: five of them on four take as long as eight.
    let rounds = items.div_ceil(threads as u64) as f64 * costs.item;
    wake.start + wake.call + alone * others + (items as f64 * steady(costs, threads, chunk) + tail).max(rounds)
}

/// Throughput against the plain loop for `items` more items.
pub(crate) fn speedup(costs: &Costs, threads: usize, chunk: usize, items: u64, wake: Wake) -> f64 {
    items as f64 * costs.serial() / parallel(costs, threads, chunk, items, wake)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(item: f64) -> Costs {
        Costs { source: 1e-9, item, consumer: 1e-9, ..Costs::default() }
    }

    #[test]
    fn long_work_approaches_the_number_of_threads() {
        assert!(speedup(&cpu(50e-6), 2, 2, 100_000, Wake::USUAL) > 1.9);
        assert!(speedup(&cpu(1e-3), 64, 1, 100_000, Wake::USUAL) > 60.0);
    }

    #[test]
    fn work_too_small_to_share_stays_below_one() {
        assert!(speedup(&cpu(1.5e-9), 2, 4096, 10_000_000, Wake::USUAL) < 1.0);
        assert!(speedup(&cpu(1e-6), 2, 16, 20, Wake::USUAL) < 1.0);
    }

    #[test]
    fn a_slow_wake_up_makes_short_work_not_worth_sharing() {
        let slow = Wake { call: 20e-6, latency: 500e-6, start: 0.0 };
        assert!(speedup(&cpu(1e-6), 2, 25, 200, Wake::USUAL) > 1.2);
        assert!(speedup(&cpu(1e-6), 2, 25, 200, slow) < 1.0);
        assert!(speedup(&cpu(1e-6), 2, 100, 100_000, slow) > 1.8);
    }

    #[test]
    fn a_thread_is_waited_for_as_long_as_it_usually_takes_and_longer_where_that_is_nothing() {
        let wake = Wake { call: 0.0, latency: 50e-6, start: 0.0 };
        let patience = |seconds| wake.patience(seconds);
        assert_eq!(patience(0.2e-3), Patience { waits: 50e-6, trusts: TRUSTED });
        assert_eq!(patience(10e-3), Patience { waits: 10e-3 * WAITED, trusts: 0.0 });
        assert_eq!(patience(f64::INFINITY), Patience { waits: LONGEST_WAIT, trusts: 0.0 });
        let slow = Wake { latency: 2e-3, ..wake };
        assert_eq!(slow.patience(4e-3), Patience { waits: LONGEST_WAIT, trusts: TRUSTED });
        assert_eq!(slow.patience(LONG), Patience { waits: LONGEST_WAIT, trusts: 0.0 });
    }

    #[test]
    fn one_item_too_many_takes_another_round() {
        let seconds = |threads| parallel(&cpu(1e-3), threads, 1, 46, Wake::USUAL);
        assert!(seconds(45) > 1.9 * seconds(46));
    }

    #[test]
    fn the_consumer_is_a_bound_that_threads_do_not_move() {
        let costs = Costs { source: 1e-9, item: 1e-6, consumer: 100e-6, ..Costs::default() };
        assert!(speedup(&costs, 8, 64, 100_000, Wake::USUAL) < 1.02);
    }
}
