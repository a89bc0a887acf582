//! How many items to time before the first plan. Batches grow until the clock can be trusted; one slow item is enough.

use crate::constants::DEFAULT_SAMPLE_SIZE;

use super::observed::Clocks;

/// Seconds from which a timed batch is trusted: forty times what reading the clock costs.
const TRUSTED_BATCH: f64 = 1e-6;
/// Seconds after which a trial of the default sample size ends, whatever it has seen: by then it costs as much as
/// being wrong would.
const LONGEST_TRIAL: f64 = 30e-6;
/// Seconds after which a trial ends where items have differed so far, and are fewer than the sample: what two of them
/// take says little then.
const LONGEST_UNEVEN: f64 = 400e-6;
/// Seconds of a first item from which it stands for all: a second one alone would cost more than it is worth knowing
/// what a first call's set-up took.
const LONG_ITEM: f64 = 200e-6;
/// Seconds of pulling a batch from which everybody waits for the source, whatever the function takes.
const SLOW_SOURCE: f64 = 1e-3;
/// Ratio of the first item's time to the second's from which it set something up.
const SET_UP: f64 = 4.0;
/// Seconds of a batch from which reading all clocks costs nothing that shows.
const WORTH_CLOCKING: f64 = 20e-6;
/// Ratio within which two batches agree; a preemption or a first call's set-up makes them differ by more.
const AGREEMENT: f64 = 1.5;

/// A timed batch.
#[derive(Clone, Copy, Debug)]
struct Timed {
    items: usize,
    item_time: f64,
}

/// The state of a trial.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    sample_size: usize,
    items: usize,
    seconds: f64,
    /// Whether the function waits is still open: the thread was off the processor, and why was not known.
    is_open: bool,
    /// Items are so cheap that something else tells what they take.
    is_cheap: bool,
    is_source_slow: bool,
    last: Option<Timed>,
    before: Option<Timed>,
    /// As long as there was nothing else.
    singles: Singles,
}

/// Items that were timed each on its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Singles {
    items: usize,
    seconds: f64,
    longest: f64,
}

impl Singles {
    pub(crate) fn add(&mut self, seconds: f64) {
        self.items += 1;
        self.seconds += seconds;
        self.longest = self.longest.max(seconds);
    }

    /// Whether there are several, and all are alike.
    pub(crate) fn are_alike(&self) -> bool {
        self.items > 1 && self.mean().is_some_and(|mean| self.longest < AGREEMENT * mean)
    }

    /// Mean seconds of an item, the longest of several left aside; `None` of none.
    pub(crate) fn mean(&self) -> Option<f64> {
        match self.items {
            0 => None,
            1 => Some(self.seconds),
            items => Some((self.seconds - self.longest) / (items - 1) as f64),
        }
    }
}

impl Trial {
    pub(crate) fn new(sample_size: usize) -> Self {
        Self {
            sample_size,
            items: 0,
            seconds: 0.0,
            is_open: false,
            is_cheap: false,
            is_source_slow: false,
            last: None,
            before: None,
            singles: Singles::default(),
        }
    }

    /// Items of the next batch, or `None` when enough is known.
    pub(crate) fn next(&self) -> Option<usize> {
        let Some(last) = self.last else { return Some(1) };
        (!self.is_enough(last)).then(|| match self.before {
            // The second item alone shows whether the first one was slow only because it was the first.
            None => 1,
            Some(_) => last.items.saturating_mul(2).max(self.sample_size.saturating_sub(self.items)),
        })
    }

    fn is_enough(&self, last: Timed) -> bool {
        let generosity = (self.sample_size as f64 / DEFAULT_SAMPLE_SIZE as f64).max(1.0);
        let is_lonely = self.before.is_none() && self.seconds < LONG_ITEM;
        let is_uneven = self.items < self.sample_size && !self.agrees(last);
        let longest = if is_uneven { LONGEST_UNEVEN } else { LONGEST_TRIAL };
        let is_late = (self.seconds >= longest * generosity || self.is_source_slow) && !is_lonely;
        let is_trusted = last.items as f64 * last.item_time >= TRUSTED_BATCH;
        !self.is_open
            && (is_late || self.is_cheap || (self.items >= self.sample_size && is_trusted && self.agrees(last)))
    }

    fn agrees(&self, last: Timed) -> bool {
        self.before.is_some_and(|before| {
            let ratio = last.item_time / before.item_time;
            (1.0 / AGREEMENT..=AGREEMENT).contains(&ratio)
        })
    }

    /// Adds a batch of `items` that took `seconds` in the function; in a part of that its thread was blocked, as far as
    /// these clocks could tell.
    pub(crate) fn observe(&mut self, items: usize, seconds: f64, clocks: Clocks, blocked: Option<f64>) {
        self.is_open = match clocks {
            Clocks::Wall => self.is_open,
            Clocks::Cpu => blocked.is_none(),
            Clocks::All => false,
        };
        // What a first call sets up is no part of what items take.
        let was_set_up =
            self.before.is_none() && self.last.is_some_and(|first| first.item_time * items as f64 > SET_UP * seconds);
        self.seconds = if was_set_up { seconds } else { self.seconds + seconds };
        self.items += items;
        if items == 1 {
            self.singles.add(seconds);
        }
        self.before = self.last;
        self.last = Some(Timed { items, item_time: (seconds / items as f64).max(1e-10) });
    }

    /// A batch was pulled in so many seconds.
    pub(crate) fn pulled(&mut self, seconds: f64) {
        self.is_source_slow = seconds >= SLOW_SOURCE;
    }

    /// Ends the trial if items surely take less than `limit` seconds, where it is enough to know that: a clock that is
    /// read for each of them only adds to what they take.
    pub(crate) fn end_below(&mut self, limit: f64) {
        self.is_cheap = self.items >= self.sample_size && self.last.is_some_and(|last| 2.0 * last.item_time < limit);
    }

    /// Whether more than the last batch is needed to know if the function waits.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The clocks for the next batch.
    pub(crate) fn clocks(&self) -> Clocks {
        match self.last {
            None => Clocks::Cpu,
            Some(_) if self.is_open => Clocks::All,
            Some(last) if last.items as f64 * last.item_time >= WORTH_CLOCKING => Clocks::All,
            Some(_) => Clocks::Wall,
        }
    }

    /// Seconds an item: the smaller of the last two batches, since what disturbs a measurement only lengthens it; of
    /// items that were timed one by one all but the longest.
    pub(crate) fn item_time(&self) -> f64 {
        if let Some(mean) = self.singles.mean().filter(|_| self.items > 1 && self.singles.items == self.items) {
            return mean.max(1e-10);
        }
        let times = [self.last, self.before].into_iter().flatten().map(|timed| timed.item_time);
        times.reduce(f64::min).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a trial where item `i` takes `cost(i)` seconds.
    fn run(sample_size: usize, cost: impl Fn(usize) -> f64) -> Trial {
        let mut trial = Trial::new(sample_size);
        while let Some(batch) = trial.next() {
            let begin = trial.items;
            trial.observe(batch, (begin..begin + batch).map(&cost).sum(), trial.clocks(), Some(0.0));
        }
        trial
    }

    #[test]
    fn one_slow_item_is_enough() {
        assert_eq!(run(5, |_| 1e-3).items, 1);
    }

    #[test]
    fn a_first_item_that_may_be_slow_for_being_the_first_is_followed_by_another() {
        assert_eq!(run(5, |_| 50e-6).items, 2);
    }

    #[test]
    fn a_thread_off_the_processor_for_unknown_reasons_is_looked_at_again() {
        let mut trial = Trial::new(5);
        assert_eq!(trial.clocks(), Clocks::Cpu);
        trial.observe(1, 1e-3, trial.clocks(), None);
        assert_eq!((trial.next(), trial.clocks()), (Some(1), Clocks::All));
        trial.observe(1, 1e-3, trial.clocks(), None);
        assert_eq!(trial.next(), None, "where it cannot be known, once is enough");
    }

    #[test]
    fn cheap_items_are_timed_in_batches_that_the_clock_resolves() {
        let trial = run(5, |_| 1.5e-9);
        assert!((trial.item_time() - 1.5e-9).abs() < 1e-12);
        assert!((400..10_000).contains(&trial.items), "{}", trial.items);
    }

    #[test]
    fn where_something_else_tells_what_cheap_items_take_few_are_tried() {
        let tried = |limit, each: f64| {
            let mut trial = Trial::new(5);
            while let Some(batch) = trial.next() {
                trial.observe(batch, batch as f64 * each, trial.clocks(), Some(0.0));
                trial.end_below(limit);
            }
            trial.items
        };
        assert_eq!([tried(250e-9, 100e-9), tried(5e-6, 1e-6), tried(5e-6, 0.0)], [5; 3]);
        assert_eq!(tried(250e-9, 200e-9), tried(0.0, 200e-9), "not sure");
    }

    #[test]
    fn the_sample_size_is_reached() {
        assert_eq!(run(5, |_| 4e-6).items, 5);
        assert!(run(100, |_| 4e-6).items >= 100);
    }

    #[test]
    fn a_slow_first_item_does_not_count() {
        assert!((run(5, |item| if item == 0 { 20e-6 } else { 1e-6 }).item_time() - 1e-6).abs() < 1e-9);
    }

    #[test]
    fn a_long_set_up_does_not_end_the_trial() {
        let trial = run(5, |item| if item == 0 { 150e-6 } else { 40e-9 });
        assert!(trial.items > 20 && (trial.item_time() - 40e-9).abs() < 1e-12, "{trial:?}");
    }

    #[test]
    fn a_preemption_is_not_believed() {
        let trial = run(5, |item| if item == 5 { 50e-6 } else { 1e-6 });
        assert!(trial.item_time() < 2e-6, "{}", trial.item_time());
    }

    #[test]
    fn items_that_differ_are_tried_until_some_are_alike_or_the_sample_is_there() {
        let tried = |each: &[f64]| {
            let mut trial = Trial::new(5);
            for &seconds in each {
                assert!(trial.next().is_some(), "{trial:?}");
                trial.observe(1, seconds, trial.clocks(), Some(0.0));
            }
            assert_eq!(trial.next(), None, "{trial:?}");
            trial.item_time() * 1e6
        };
        assert!((tried(&[2e-6, 193e-6, 156e-6]) - 79.0).abs() < 1e-6);
        assert!((tried(&[4e-6, 100e-6, 30e-6, 5e-6, 98e-6]) - 137.0 / 4.0).abs() < 1e-6);
        assert!((tried(&[4e-6, 500e-6]) - 4.0).abs() < 1e-6, "by then it is late");
        assert!((tried(&[1e-6, 1e-6, 3e-3]) - 1.0).abs() < 1e-6, "one may have been interrupted");
    }

    #[test]
    fn a_slow_source_ends_it_and_one_that_begins_slowly_does_not() {
        let tried = |is_slow: fn(usize) -> bool| {
            let mut trial = Trial::new(5);
            while let Some(batch) = trial.next() {
                trial.pulled(if is_slow(trial.items) { 0.1 } else { 1e-6 });
                trial.observe(batch, 50e-9 * batch as f64, trial.clocks(), Some(0.0));
            }
            trial.items
        };
        assert_eq!(tried(|_| true), 2);
        assert!(tried(|item| item == 0) > 20);
    }

    #[test]
    fn a_trial_ends_even_if_nothing_agrees() {
        let trial = run(5, |item| if item % 2 == 0 { 1e-9 } else { 20e-6 });
        assert!(trial.items < 100);
    }
}
