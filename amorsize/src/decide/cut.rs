//! When a chunk is cut short, because it takes far longer than was thought: chunks are sized for what items took
//! before, and items that turn out a thousand times dearer must not keep results from the consumer. Whoever runs a
//! chunk hands in what is made of it by then, and the rest is the next chunk. Of one that is pulled from a slow source,
//! what is there goes.

/// Seconds for which results that are there may wait for others of their chunk, whatever was expected: some hundred
/// times what one more hand-over takes that wakes the consumer.
const LONG: f64 = 4e-3;
/// Ratio to the expected time of a chunk up to which it is one that takes somewhat longer.
const LONGER: f64 = 4.0;
/// Seconds between two looks at the clock: a thousand times what one costs.
const LOOK: f64 = 25e-6;
/// Items between two looks become at most so many times more.
const GROWTH: usize = 8;

/// See the module. Is told the time; reads no clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Seconds that the chunk may take.
    limit: f64,
    /// Items until the next look at the clock.
    items: usize,
    /// When the last look was.
    last: f64,
}

impl Cut {
    /// Whoever runs the chunk waits for all of it.
    pub(crate) const NEVER: Self = Self { limit: f64::INFINITY, items: usize::MAX, last: 0.0 };

    /// When a chunk that is run is cut: never where its size was asked for.
    pub(crate) fn of_chunk(expected: f64, is_pinned: bool) -> Self {
        if is_pinned { Self::NEVER } else { Self::of(expected) }
    }

    /// When what is expected to take so many seconds is cut.
    pub(crate) fn of(expected: f64) -> Self {
        Self { limit: LONG.max(LONGER * expected), items: 1, last: 0.0 }
    }

    /// Items until the next look at the clock.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// A look at the clock, after `elapsed` seconds of the chunk: whether that is too long.
    pub(crate) fn check(&mut self, elapsed: f64) -> bool {
        let since = elapsed - self.last;
        self.last = elapsed;
        if GROWTH as f64 * since <= LOOK {
            self.items = self.items.saturating_mul(GROWTH);
        } else if since > LOOK {
            self.items = (self.items / GROWTH).max(1);
        }
        elapsed > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items that are run before it is cut, where they take `cost(i)` seconds; and looks at the clock.
    fn ran_of(mut cut: Cut, items: usize, cost: impl Fn(usize) -> f64) -> (usize, u32) {
        let (mut ran, mut elapsed, mut looks) = (0, 0.0, 0);
        while ran < items {
            let next = ran.saturating_add(cut.items()).min(items);
            elapsed += (ran..next).map(&cost).sum::<f64>();
            (ran, looks) = (next, looks + 1);
            if cut.check(elapsed) {
                break;
            }
        }
        (ran, looks)
    }

    #[test]
    fn a_chunk_that_takes_what_was_expected_is_run_to_its_end_with_few_looks() {
        for (each, items) in [(5e-9, 20_000), (100e-9, 1_000), (5e-6, 20), (1e-3, 5), (1.0, 3)] {
            let (ran, looks) = ran_of(Cut::of(each * items as f64), items, |_| 3.0 * each);
            let time = 3.0 * each * items as f64;
            assert!(ran == items && f64::from(looks) * 25e-9 <= 150e-9 + 0.005 * time, "{each} {looks}");
        }
    }

    #[test]
    fn items_that_are_much_dearer_are_noticed_by_the_time_that_is_long() {
        let cut = Cut::of(8192.0 * 12e-9);
        assert_eq!(ran_of(cut, 8192, |_| 150e-6).0, 27);
        assert_eq!(ran_of(cut, 8192, |_| 0.5).0, 1);
    }

    #[test]
    fn items_that_become_dear_in_the_middle_are_noticed_within_what_was_run_between_two_looks() {
        let ran = ran_of(Cut::of(100e-6), 10_000, |item| if item < 5_000 { 20e-9 } else { 20e-6 }).0;
        assert!((5_001..=5_000 + 1_280).contains(&ran), "{ran}");
    }

    #[test]
    fn whoever_waits_for_all_of_it_runs_all_of_it() {
        assert_eq!(ran_of(Cut::NEVER, 1_000, |_| 1.0), (1_000, 1));
    }
}
