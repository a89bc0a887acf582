//! The plain loop between two thoughts: short stretches, so that items which turn a thousand times dearer are noticed
//! soon, of which only every thirtieth or so is worth more than a look at the clock.

use std::time::{Duration, Instant};

use super::observed::Looped;

/// Seconds of the plain loop between two looks at the clock: some 500 times what one costs.
const LOOK: f64 = 12e-6;
/// Ratio to the expected time from which a stretch is worth a thought.
const SLOW: f64 = 4.0;

/// Items that take so many seconds each, to the next look at the clock.
fn stretch(item_time: f64) -> usize {
    ((LOOK / item_time.max(1e-10)) as usize).max(1)
}

/// Seconds after which so many items, of `item_time` each, are worth a thought.
pub(crate) fn patience(items: usize, item_time: f64) -> f64 {
    (SLOW * items as f64 * item_time).max(SLOW * LOOK)
}

/// See the module. Holds instants that it is given; reads none.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    /// Items of one stretch, and the time by which it should have ended.
    stretch: usize,
    patience: Duration,
    /// Items that are still to be run before a thought.
    rest: usize,
    granted: usize,
    ran: usize,
    begin: Instant,
    last: Instant,
}

impl Pace {
    /// A plain loop over `items` that take `item_time` seconds each.
    pub(crate) fn new(items: usize, item_time: f64, now: Instant) -> Self {
        let stretch = stretch(item_time).min(items);
        let patience = Duration::from_secs_f64(patience(stretch, item_time));
        Self { stretch, patience, rest: items, granted: stretch, ran: 0, begin: now, last: now }
    }

    /// Items of the present stretch.
    pub(crate) fn granted(&self) -> usize {
        self.granted
    }

    /// The stretch ended with `items` run; how many to run next, or `None` if it is time for a thought.
    pub(crate) fn ran(&mut self, items: usize, now: Instant) -> Option<usize> {
        self.ran += items;
        self.rest = self.rest.saturating_sub(self.granted);
        let is_slow = now - self.last > self.patience;
        self.last = now;
        if is_slow || self.rest == 0 {
            return None;
        }
        self.granted = self.stretch.min(self.rest);
        Some(self.granted)
    }

    /// Everything that was run, and how long it took.
    pub(crate) fn total(&self, now: Instant) -> Option<Looped> {
        let (items, seconds) = (self.ran, (now - self.begin).as_secs_f64());
        (items > 0).then_some(Looped { items, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs 1,000 items that were expected to take 1 µs each and take `item_time`; how many before the first thought.
    fn first_thought(item_time: Duration) -> usize {
        let mut now = Instant::now();
        let mut pace = Pace::new(1_000, 1e-6, now);
        let mut items = pace.granted();
        loop {
            now += item_time * items as u32;
            match pace.ran(items, now) {
                Some(next) => items = next,
                None => return pace.total(now).unwrap().items,
            }
        }
    }

    #[test]
    fn a_steady_loop_is_thought_about_at_its_end() {
        assert_eq!(first_thought(Duration::from_micros(1)), 1_000);
    }

    #[test]
    fn dearer_items_are_noticed_within_a_few() {
        assert_eq!(first_thought(Duration::from_millis(1)), 12);
    }
}
