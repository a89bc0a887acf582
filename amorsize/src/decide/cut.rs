//! When a chunk is cut short, because it takes far longer than was thought: chunks are sized for what items took before,
//! and items that turn out a thousand times dearer must not keep results from the consumer. Whoever runs a chunk hands in
//! what is made of it by then, and the rest is the next chunk. Of one that is pulled from a slow source, what is there
//! goes.

/// Seconds for which results that are there may wait for others of their chunk, whatever was expected: some hundred
/// times what one more hand-over takes.
const LONG: f64 = 1e-3;
/// Ratio to the expected time of a chunk up to which it is one that takes somewhat longer.
const LONGER: f64 = 4.0;
/// Seconds between two looks at the clock: a thousand times what one costs.
const LOOK: f64 = 25e-6;
/// Items between two looks become at most so many times more.
const GROWTH: usize = 4;

/// See the module. Is told the time; reads no clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Seconds that the chunk may take.
    limit: f64,
    /// Items until the next look, of those between the last one and that.
    left: usize,
    between: usize,
    /// When the last look was.
    last: f64,
}

impl Cut {
    /// Whoever runs the chunk waits for all of it.
    pub(crate) const NEVER: Self = Self { limit: f64::INFINITY, left: usize::MAX, between: usize::MAX, last: 0.0 };

    /// Of a chunk that is expected to take so many seconds, to be run or to be pulled.
    pub(crate) fn of(expected: f64) -> Self {
        Self { limit: LONG.max(LONGER * expected), left: 1, between: 1, last: 0.0 }
    }

    /// Items until the next look.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Counts `items` that were run; whether it is time for a look at the clock.
    #[inline]
    pub(crate) fn wants_look(&mut self, items: usize) -> bool {
        self.left = self.left.saturating_sub(items);
        self.left == 0
    }

    /// The chunk has taken `elapsed` seconds by now: whether that is too long.
    pub(crate) fn is_due(&mut self, elapsed: f64) -> bool {
        let since = elapsed - self.last;
        self.last = elapsed;
        if GROWTH as f64 * since <= LOOK {
            self.between = self.between.saturating_mul(GROWTH);
        } else if since > LOOK {
            self.between = (self.between / GROWTH).max(1);
        }
        self.left = self.between;
        elapsed > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items that are run before it is cut, of items that take `cost(i)` seconds; and looks at the
    /// clock.
    fn ran_of(mut cut: Cut, items: usize, cost: impl Fn(usize) -> f64) -> (usize, u32) {
        let (mut elapsed, mut looks) = (0.0, 0);
        for item in 0..items {
            elapsed += cost(item);
            if cut.wants_look(1) {
                looks += 1;
                if cut.is_due(elapsed) {
                    return (item + 1, looks);
                }
            }
        }
        (items, looks)
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
        assert_eq!(ran_of(cut, 8192, |_| 150e-6).0, 7);
        assert_eq!(ran_of(cut, 8192, |_| 0.5).0, 1);
    }

    #[test]
    fn items_that_become_dear_in_the_middle_are_noticed_within_what_was_run_between_two_looks() {
        let ran = ran_of(Cut::of(100e-6), 10_000, |item| if item < 5_000 { 20e-9 } else { 20e-6 }).0;
        assert!((5_001..=5_000 + 1_280).contains(&ran), "{ran}");
    }

    #[test]
    fn whoever_waits_for_all_of_it_runs_all_of_it() {
        assert_eq!(ran_of(Cut::NEVER, 1_000, |_| 1.0), (1_000, 0));
    }
}
