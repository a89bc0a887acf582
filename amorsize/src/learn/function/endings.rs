//! Where runs were left before their source ended, as by `take` or `find`: what a source says of its length there tells
//! little of the next run. Kept in memory only.

use std::sync::Mutex;

use crate::sync::lock;

/// Places that are remembered for a function.
const MOST_PLACES: usize = 16;
/// A source that says it has fewer than so many times as many items as the last run took is believed.
const FAR_BEFORE: u64 = 2;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Endings(Mutex<Vec<Left>>);

#[derive(Clone, Copy, Debug)]
struct Left {
    call_site: u64,
    /// Items that the last run from there took.
    items: u64,
}

impl Endings {
    /// A run from there was left after so many items, or went on to the end of its source.
    pub(crate) fn note(&self, call_site: u64, left_after: Option<u64>) {
        let mut places = lock(&self.0);
        places.retain(|left| left.call_site != call_site);
        if let Some(items) = left_after {
            if places.len() == MOST_PLACES {
                places.remove(0);
            }
            places.push(Left { call_site, items });
        }
    }

    pub(crate) fn forget(&self) {
        lock(&self.0).clear();
    }

    /// Whether a run from there is likely to be left long before so many items.
    pub(crate) fn are_early(&self, call_site: u64, items: u64) -> bool {
        let places = lock(&self.0);
        places.iter().any(|left| left.call_site == call_site && left.items.saturating_mul(FAR_BEFORE) <= items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_left_says_so_of_the_next_one_from_there() {
        let endings = Endings::default();
        endings.note(1, Some(100));
        assert!(endings.are_early(1, 200) && !endings.are_early(1, 199) && !endings.are_early(2, 200));
        endings.note(1, None);
        assert!(!endings.are_early(1, u64::MAX));
    }

    #[test]
    fn few_places_are_remembered() {
        let endings = Endings::default();
        (0..=MOST_PLACES as u64).for_each(|place| endings.note(place, Some(1)));
        assert!(!endings.are_early(0, 2) && endings.are_early(1, 2));
        assert_eq!(lock(&endings.0).len(), MOST_PLACES);
        endings.forget();
        assert!(!endings.are_early(1, 2));
    }
}
