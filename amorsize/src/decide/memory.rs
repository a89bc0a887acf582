//! Where memory makes threads lose against the plain loop, which no trial shows: what one thread makes and another frees,
//! and items so large that moving them counts. Threads are not tried where that may cost more than they can save.

use super::choose::{self, Situation};
use super::costs::Costs;

/// Bytes of an item from which moving it into a chunk and out of it counts, seconds for each byte, and the part of an item's
/// time from which that is much.
const LARGE: usize = 256;
const MOVING: f64 = 0.1e-9;
const MUCH: f64 = 0.1;
/// Seconds of an item below which freeing what belongs to it may take as long.
pub(crate) const FREED_DEARLY: f64 = 20e-6;
/// Seconds that threads must promise to save for the cheapest items, since they lose one or two until it shows that they are
/// in each other's way, the heap included that they leave, and most often are; and seconds of an item that make it
/// a quarter: the dearer items are, the less memory is of them.
const LOST: f64 = 4e-3;
const QUARTERS: f64 = 1e-6;

/// Whether threads may lose for that.
pub(crate) fn may_matter(costs: &Costs, situation: &Situation) -> bool {
    let bytes = situation.item_bytes;
    let moves_much = bytes >= LARGE && bytes as f64 * MOVING > MUCH * costs.item;
    costs.item < FREED_DEARLY && (situation.owns || moves_much)
}

/// Whether threads of such a gain are expected to save as much over so many items as trying them puts at risk.
pub(crate) fn is_worth_the_risk(costs: &Costs, gain: f64, items: u64, situation: &Situation) -> bool {
    choose::saved(costs, gain, items) >= at_risk(costs, situation)
}

/// Seconds that are at risk where threads are tried.
fn at_risk(costs: &Costs, situation: &Situation) -> f64 {
    if may_matter(costs, situation) { LOST / (1.0 + costs.item / QUARTERS).powi(2) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_freed_elsewhere_and_what_is_large_may_matter_unless_items_are_dear() {
        let item = |item| Costs { item, ..Costs::default() };
        let owning = Situation { owns: true, ..Situation::TWO_CORES };
        let large = Situation { item_bytes: 4096, ..Situation::TWO_CORES };
        for (situation, cheap, dear) in [(owning, 1e-6, 30e-6), (large, 1e-6, 10e-6)] {
            assert!(may_matter(&item(cheap), &situation) && !may_matter(&item(dear), &situation));
        }
        assert!(!may_matter(&item(1e-9), &Situation::TWO_CORES));
        assert!(at_risk(&item(1e-9), &owning) > 10.0 * at_risk(&item(15e-6), &owning));
        assert_eq!(at_risk(&item(30e-6), &owning), 0.0);
    }
}
