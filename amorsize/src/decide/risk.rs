//! What trying threads may cost where a trial does not show whether they gain: they are not tried where that is more
//! than they can save, or than a run can spare.
//!
//! Memory makes threads lose against the plain loop: what one thread makes and another frees, and items so large that
//! moving them counts. Cheap items have to be held against a stretch of it.

use super::choose;
use super::costs::Costs;
use super::situation::{Owns, Situation};
use super::watch::{CHEAP, PROBE};

/// Bytes of an item from which moving it into a chunk and out of it counts, seconds for each byte, and the part of an
/// item's time from which that is much.
const LARGE: usize = 256;
const MOVING: f64 = 0.1e-9;
const MUCH: f64 = 0.1;
/// Seconds of an item below which freeing what belongs to it may take as long.
pub(crate) const FREED_DEARLY: f64 = 20e-6;
/// Seconds that are lost with the cheapest items until it shows that threads are in each other's way, the heap included
/// that they leave; and seconds of an item that make it a quarter: the dearer items are, the less memory is of them.
const LOST: f64 = 4e-3;
const QUARTERS: f64 = 1e-6;
/// Seconds that are lost where a single block is freed for each item, or none, and items are large.
const LOST_BY_A_BLOCK: f64 = 1e-3;
/// Seconds before another attempt at threads for each second that the last one has lost: so that attempts cost 1 %.
pub(crate) const PAUSES_A_LOSS: f64 = 100.0;
/// Part of a run that may be lost to plans which nobody has tried.
pub(crate) const HARMLESS: f64 = 0.02;

/// Seconds an item by which what it owns takes longer to be made and freed once a process has a thread: 3 to 4 ns for
/// each small block.
const SLOWED: f64 = 30e-9;
const SLOWED_BLOCK: f64 = 4e-9;

/// Whether threads would be the process's first, and slow all items of the plain loop by more than a run may lose,
/// whatever becomes of them.
pub(crate) fn slows_everything(costs: &Costs, situation: &Situation) -> bool {
    let slowed = match situation.owns {
        Owns::Nothing => 0.0,
        Owns::OneBlock => SLOWED_BLOCK,
        Owns::Anything => SLOWED,
    };
    situation.is_threadless && slowed > HARMLESS * costs.serial()
}

/// Whether threads may lose because of memory, whatever items take.
pub(crate) fn may_be_of_memory(situation: &Situation) -> bool {
    is_of_memory(&Costs::default(), situation)
}

/// Whether threads may lose because of memory.
pub(crate) fn is_of_memory(costs: &Costs, situation: &Situation) -> bool {
    let bytes = situation.item_bytes;
    let moves_much = bytes >= LARGE && bytes as f64 * MOVING > MUCH * costs.item;
    costs.item < FREED_DEARLY && (situation.owns != Owns::Nothing || moves_much)
}

/// Seconds that an attempt at threads loses if memory makes them lose, which it mostly does where it may.
pub(crate) fn by_memory(costs: &Costs, situation: &Situation) -> f64 {
    let lost = match situation.owns {
        _ if !is_of_memory(costs, situation) => return 0.0,
        Owns::Nothing | Owns::OneBlock => LOST_BY_A_BLOCK,
        Owns::Anything => LOST,
    };
    lost / (1.0 + costs.item / QUARTERS).powi(2)
}

/// Seconds that an attempt at threads loses where one thread frees what another has made, which leaves a heap that
/// makes what follows slow.
pub(crate) fn by_heap(costs: &Costs, situation: &Situation) -> f64 {
    if situation.owns == Owns::Nothing { 0.0 } else { by_memory(costs, situation) }
}

/// Whether threads of such a gain are expected to save as much over so many items as trying them puts at risk, and as a
/// check of them takes; the run is long enough to lose that; and they would not slow everything.
pub(crate) fn is_worth_it(costs: &Costs, gain: f64, items: u64, situation: &Situation) -> bool {
    let (by_memory, run) = (by_memory(costs, situation), items as f64 * costs.serial());
    let is_spared = choose::saved(costs, gain, items) >= by_memory && HARMLESS * run >= by_memory;
    is_spared && !slows_everything(costs, situation) && pays_for_check(costs, gain, items)
}

/// Whether threads of such a gain are expected to save what it takes to hold them against the plain loop, if they are.
pub(crate) fn pays_for_check(costs: &Costs, gain: f64, items: u64) -> bool {
    costs.item >= CHEAP || choose::saved(costs, gain, items) >= PROBE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(item: f64) -> Costs {
        Costs { item, ..Costs::default() }
    }

    const OWNING: Situation = Situation { owns: Owns::Anything, ..Situation::TWO_CORES };

    #[test]
    fn what_is_freed_elsewhere_and_what_is_large_may_matter_unless_items_are_dear() {
        let large = Situation { item_bytes: 4096, ..Situation::TWO_CORES };
        for (situation, cheap, dear) in [(OWNING, 1e-6, 30e-6), (large, 1e-6, 10e-6)] {
            assert!(is_of_memory(&item(cheap), &situation) && !is_of_memory(&item(dear), &situation));
        }
        assert!(!is_of_memory(&item(1e-9), &Situation::TWO_CORES));
        let one_block = Situation { owns: Owns::OneBlock, ..Situation::TWO_CORES };
        let risks = [one_block, OWNING].map(|situation| by_memory(&item(1e-6), &situation));
        assert!(0.0 < risks[0] && risks[0] < risks[1]);
        assert_eq!(by_memory(&item(1e-6), &large), risks[0], "no heap in disorder");
        assert!(by_memory(&item(1e-9), &OWNING) > 10.0 * by_memory(&item(15e-6), &OWNING));
        assert_eq!(by_memory(&item(30e-6), &OWNING), 0.0);
    }

    #[test]
    fn an_attempt_that_fails_costs_a_fiftieth_of_a_run_at_most() {
        for each in [100e-9, 1e-6, 10e-6] {
            let costs = item(each);
            let least = (50.0 * by_memory(&costs, &OWNING) / each) as u64;
            let is_worth_it = |items| is_worth_it(&costs, 1.8, items, &OWNING);
            assert!(is_worth_it(least + least / 100) && !is_worth_it(least - least / 100), "{each}");
        }
    }

    #[test]
    fn the_first_thread_of_a_process_is_not_risked_for_cheap_items_that_own_memory() {
        let slows = |each, owns, is_threadless| {
            slows_everything(&item(each), &Situation { owns, is_threadless, ..Situation::TWO_CORES })
        };
        assert!(slows(200e-9, Owns::Anything, true) && !slows(2e-6, Owns::Anything, true));
        assert!(slows(100e-9, Owns::OneBlock, true) && !slows(300e-9, Owns::OneBlock, true));
        assert!(!slows(100e-9, Owns::Anything, false) && !slows(1e-9, Owns::Nothing, true));
        let threadless = Situation { is_threadless: true, ..OWNING };
        assert!(
            !is_worth_it(&item(200e-9), 1.8, 1 << 30, &threadless) && is_worth_it(&item(200e-9), 1.8, 1 << 30, &OWNING)
        );
    }

    #[test]
    fn cheap_items_must_save_what_holding_threads_against_the_loop_takes() {
        let is_worth_it = |each: f64, items: u64| is_worth_it(&item(each), 1.2, items, &Situation::TWO_CORES);
        assert!(!is_worth_it(10e-9, 100_000) && is_worth_it(10e-9, 150_000));
        assert!(is_worth_it(300e-9, 200));
    }
}
