//! Whether threads that wait only wait for each other. Items that want one lock take as many times longer as there are
//! threads, so by what threads see of them each thread does its part; but all together do no more than one that is
//! alone. Where that may be so, some items are run alone, once.

use super::watch::Progress;

/// Gain over one thread alone below which threads may only wait for each other.
const DOUBTFUL: f64 = 1.3;
/// Seconds and items of a run after which its threads are judged; the seconds are at least so many times what an item
/// takes alone.
const STRETCH: f64 = 10e-3;
const ITEMS: u64 = 16;
const PATIENCE: f64 = 4.0;
/// Items run alone that show whether threads pay.
const SHOWN_BY: usize = 4;
/// How many times as long as they should others may take to come to their end.
const LATE: f64 = 2.0;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doubt {
    since: Progress,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Open,
    Raised(Raised),
    Settled,
}

#[derive(Clone, Copy, Debug)]
struct Raised {
    threads: usize,
    /// Items a second.
    rate: f64,
    /// What one thread has run alone since: items, and the seconds that they took.
    items: usize,
    seconds: f64,
    /// Seconds of those that were slow.
    slow: f64,
}

/// What items that were run alone have shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shown {
    /// Threads pay: one alone takes so many seconds for each item.
    Kept { each: f64 },
    /// Threads reach only so much of the plain loop, which takes so many seconds for each item.
    Refuted { gain: f64, each: f64 },
}

impl Doubt {
    pub(crate) fn new(since: Progress) -> Self {
        Self { since, state: State::Open }
    }

    /// Judges `threads` by what they have made by now, where one alone is thought to take `alone` seconds for an item.
    pub(crate) fn judge(&mut self, threads: usize, at: Progress, alone: f64) {
        let (seconds, items) = (at.now - self.since.now, at.produced.saturating_sub(self.since.produced));
        if !matches!(self.state, State::Open) || items < ITEMS || seconds < STRETCH.max(PATIENCE * alone) {
            return;
        }
        let rate = items as f64 / seconds;
        self.state = if rate * alone < DOUBTFUL {
            State::Raised(Raised { threads, rate, items: 0, seconds: 0.0, slow: 0.0 })
        } else {
            State::Settled
        };
    }

    pub(crate) fn is_raised(&self) -> bool {
        matches!(self.state, State::Raised(_))
    }

    /// Adds some items of a plain loop; `None`: more are to follow. The first one is enough where it takes much longer
    /// than threads do.
    pub(crate) fn looped(&mut self, items: usize, seconds: f64) -> Option<Shown> {
        let State::Raised(raised) = &mut self.state else { return None };
        raised.items += items;
        raised.seconds += seconds;
        let each = raised.seconds / raised.items as f64;
        let gain = raised.rate * each;
        if gain < 2.0 * DOUBTFUL && raised.items < SHOWN_BY {
            return None;
        }
        self.state = State::Settled;
        Some(if gain < DOUBTFUL { Shown::Refuted { gain, each } } else { Shown::Kept { each } })
    }

    /// Adds items that one thread has run alone while others came to their end: as good as a plain loop once they have.
    /// Until then they are as slow as theirs, which must not last.
    pub(crate) fn ran_alone(&mut self, items: usize, seconds: f64) -> Option<Shown> {
        let State::Raised(raised) = &mut self.state else { return None };
        let each = seconds / items as f64;
        if raised.rate * each < DOUBTFUL {
            return self.looped(items, seconds);
        }
        let slow = raised.slow + seconds;
        if slow > LATE * raised.threads as f64 / raised.rate {
            self.state = State::Settled;
            return Some(Shown::Kept { each });
        }
        *raised = Raised { items: 0, seconds: 0.0, slow, ..*raised };
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: f64, produced: u64) -> Progress {
        Progress { now, produced, ..Progress::default() }
    }

    /// Of 64 threads that do so many items in 200 ms, where one alone was thought to do one a millisecond.
    fn judged(produced: u64) -> Doubt {
        let mut doubt = Doubt::new(Progress::default());
        doubt.judge(64, at(3e-3, 3), 1e-3);
        assert!(!doubt.is_raised(), "too early");
        doubt.judge(64, at(0.2, produced), 1e-3);
        doubt
    }

    #[test]
    fn items_that_wait_for_each_other_are_told_from_long_ones_by_a_few_of_the_loop() {
        let shown = |each| {
            let mut doubt = judged(200);
            (1..=SHOWN_BY).find_map(|items| doubt.looped(1, each).map(|shown| (items, shown)))
        };
        assert_eq!(shown(64e-3), Some((1, Shown::Kept { each: 64e-3 })));
        let Some((SHOWN_BY, Shown::Refuted { gain, each })) = shown(1e-3) else { panic!() };
        assert!((gain - 1.0).abs() < 1e-9 && (each - 1e-3).abs() < 1e-9);
        assert!(judged(200).is_raised() && !judged(2_000).is_raised());
    }

    #[test]
    fn items_run_alone_count_once_the_others_are_at_their_end_which_they_must_come_to() {
        let mut ending = judged(200);
        let shown = [1e-3, 64e-3, 1e-3, 1e-3, 1e-3].map(|each| ending.ran_alone(1, each));
        assert!(shown == [None; 5] && matches!(ending.ran_alone(1, 1e-3), Some(Shown::Refuted { .. })));
        let mut long = judged(200);
        let kept = Some(Shown::Kept { each: 64e-3 });
        assert_eq!([64e-3; 3].map(|each| long.ran_alone(1, each)), [None, None, kept]);
        long.judge(64, at(0.4, 400), 1e-3);
        assert!(!long.is_raised(), "once is enough");
    }
}
