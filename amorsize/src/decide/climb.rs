//! How many threads a computing function gets on a machine with many cores: a part of those that its costs call for at
//! first, and more as chunks show that threads are not in each other's way. Where each disturbs each, too many cost the
//! square of their number, and all that time is over before anybody can judge them; too few cost a few chunks, except
//! where an item is a long chunk by itself. (The idea is that of TCP's slow start.)

/// Threads up to which all begin at once.
const FEW: usize = 8;
/// Part of the threads that begin.
const FIRST_PART: usize = 4;
/// Seconds of an item that is a chunk by itself, so that each step costs a whole round; and items a thread up to which
/// that would be most of a run.
const LONG: f64 = 10e-3;
const FEW_ROUNDS: u64 = 4;
/// Ratio of an item's time to that among half as many threads up to which twice as many would do more.
const UNHINDERED: f64 = 1.6;
/// Ratio of an item's time among the first threads to that in the trial, whose items are few, up to which twice as many
/// threads would do more.
const LIKE_THE_TRIAL: f64 = 4.0;
/// Ratio from which other costs call for notably more threads.
const NOTABLY_MORE: f64 = 1.2;

/// The state of the climb.
#[derive(Clone, Debug)]
pub(crate) struct Climb {
    threads: usize,
    /// Seconds of an item up to which so many threads do no harm.
    most: f64,
    chunks: u64,
    items: u64,
    seconds: f64,
    /// Chunks after which the next step is thought of.
    next: u64,
    /// Items that were begun before the last step: they say nothing of it.
    from: u64,
    /// Items that were begun before the last step have not all been yielded.
    is_settling: bool,
}

impl Climb {
    /// Begins with `threads`, where an item of the trial took `item` seconds.
    pub(crate) fn new(threads: usize, item: f64) -> Self {
        Self {
            threads,
            most: LIKE_THE_TRIAL * item,
            chunks: 0,
            items: 0,
            seconds: 0.0,
            next: threads.div_ceil(2) as u64,
            from: 0,
            is_settling: false,
        }
    }

    /// Threads to begin with, of those that are wanted for so many items of `item` seconds.
    pub(crate) fn first(wanted: usize, items: u64, item: f64) -> usize {
        let rounds = if item >= LONG { FEW_ROUNDS } else { 1 };
        if items <= rounds * wanted as u64 { wanted } else { wanted.min((wanted / FIRST_PART).max(FEW)) }
    }

    /// Adds a chunk of `items` that took `seconds`, and came back after `place` others.
    pub(crate) fn ran(&mut self, place: u64, items: usize, seconds: f64) {
        if place < self.from {
            return;
        }
        self.chunks += 1;
        self.items += items as u64;
        self.seconds += seconds;
    }

    /// Seconds an item if it is time for another step, and that would do no harm.
    pub(crate) fn take_due(&mut self) -> Option<f64> {
        if self.chunks < self.next {
            return None;
        }
        self.next = 2 * self.chunks;
        Some(self.seconds / self.items as f64).filter(|&each| each <= self.most)
    }

    /// The threads to go on with, where an item takes `each` seconds and so many threads are wanted. So many items have
    /// `begun`.
    pub(crate) fn step(&mut self, wanted: usize, each: f64, begun: u64) -> Option<usize> {
        if (wanted as f64) < NOTABLY_MORE * self.threads as f64 {
            return None;
        }
        let threads = wanted.min(2 * self.threads);
        *self = Self { most: UNHINDERED * each, from: begun, is_settling: true, ..Self::new(threads, each) };
        Some(threads)
    }

    /// Whether the first result of the last step is yielded now, or was since this was last asked.
    pub(crate) fn take_settled(&mut self, yielded: u64) -> bool {
        self.is_settling && yielded >= self.from && std::mem::take(&mut self.is_settling)
    }

    /// Items turned out to take `each` seconds alone, whatever the trial had.
    pub(crate) fn rebase(&mut self, each: f64) {
        *self = Self { from: self.from, is_settling: self.is_settling, ..Self::new(self.threads, each) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: f64 = 1e-6;

    /// Climbs from `first` of `wanted` threads, where an item takes so many times as long among some threads; the last
    /// step.
    fn climb(first: usize, wanted: usize, inflation: impl Fn(usize) -> f64) -> usize {
        let (mut climb, mut threads) = (Climb::new(first, ITEM), first);
        for _ in 0..10_000 {
            climb.ran(0, 10, 10.0 * ITEM * inflation(threads));
            let step = climb.take_due().and_then(|each| climb.step(wanted, each, 0));
            threads = step.unwrap_or(threads);
        }
        threads
    }

    #[test]
    fn a_few_threads_begin_at_once_and_a_quarter_of_many() {
        let first = |wanted, items| Climb::first(wanted, items, ITEM);
        assert_eq!([first(6, 1_000_000), first(16, 1_000_000), first(256, 1_000_000)], [6, 8, 64]);
        assert_eq!(first(100, 100), 100, "one round is over before the next step");
        assert_eq!([first(100, 400), Climb::first(100, 400, LONG)], [25, 100], "steps would take most of the run");
    }

    #[test]
    fn threads_that_are_not_in_each_others_way_become_all_that_are_wanted() {
        assert_eq!(climb(64, 256, |_| 1.0), 256);
        assert_eq!(climb(64, 240, |threads| 1.0 + threads as f64 / 500.0), 240);
        assert_eq!(climb(6, 64, |_| 3.0), 64, "the trial had cheap items");
    }

    #[test]
    fn threads_that_are_stay_as_few_as_they_began() {
        assert_eq!(climb(64, 256, |threads| threads as f64), 64);
        assert_eq!(climb(16, 64, |threads| 1.0 + (threads as f64 / 16.0).powi(2)), 32, "twice as many did no more");
    }

    #[test]
    fn items_that_are_dearer_alone_as_well_do_not_stop_it() {
        let mut climb = Climb::new(8, ITEM);
        let dear = 10.0 * ITEM;
        let runs = |climb: &mut Climb| {
            (0..100).for_each(|_| climb.ran(0, 10, 10.0 * dear));
            climb.take_due()
        };
        assert_eq!(runs(&mut climb), None, "they may be in each other's way");
        climb.rebase(dear);
        assert!(runs(&mut climb).is_some());
    }

    #[test]
    fn a_step_counts_from_the_first_item_that_was_begun_after_it() {
        let mut climb = Climb::new(8, ITEM);
        assert!(!climb.take_settled(0), "there was none");
        climb.step(64, ITEM, 100);
        climb.ran(99, 10, 1.0);
        assert_eq!(climb.items, 0);
        climb.ran(100, 10, 1.0);
        assert_eq!(climb.items, 10);
        assert_eq!([99, 100, 101].map(|yielded| climb.take_settled(yielded)), [false, true, false], "once");
    }

    #[test]
    fn a_little_more_is_not_worth_a_step() {
        assert_eq!(climb(60, 64, |_| 1.0), 60);
    }
}
