//! Whether chunks take longer while threads run beside each other than alone: by what factor, and how sure that is.
//!
//! Real items differ by orders of magnitude, so means over a few say nothing. What threads do to each other multiplies
//! the time of all, so times are compared as logarithms, by their medians.

/// Newest times that count.
const MOST: usize = 32;
/// A median is uncertain by so much more than a mean (normal distribution: √(π/2)).
const MEDIAN: f64 = 1.2533;
/// Deviation of a logarithm that is never excluded: few times alike prove little.
const LEAST_DEVIATION: f64 = 0.03;

/// Times of chunks, by item.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    logs: Vec<f64>,
    next: usize,
}

/// A factor between two sets of times, as a logarithm with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shift {
    pub(crate) log: f64,
    pub(crate) error: f64,
}

impl Times {
    /// Adds a chunk whose items took `each` seconds on average; drops the oldest if there are many.
    pub(crate) fn add(&mut self, each: f64) {
        let log = each.max(1e-10).ln();
        if self.logs.len() < MOST {
            self.logs.push(log);
        } else {
            self.logs[self.next] = log;
            self.next = (self.next + 1) % MOST;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.logs.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The median, in seconds; 0 of none.
    pub(crate) fn median(&self) -> f64 {
        if self.logs.is_empty() { 0.0 } else { self.middle().exp() }
    }

    /// The time, in seconds, that a quarter of the chunks do not exceed; 0 of none.
    pub(crate) fn lower_quartile(&self) -> f64 {
        self.sorted().get(self.len() / 4).map_or(0.0, |log| log.exp())
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.logs.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }

    fn middle(&self) -> f64 {
        let sorted = self.sorted();
        let half = sorted.len() / 2;
        if sorted.len().is_multiple_of(2) { (sorted[half - 1] + sorted[half]) / 2.0 } else { sorted[half] }
    }

    /// Standard deviation of the logarithms.
    pub(crate) fn deviation(&self) -> f64 {
        (self.scatter() / (self.len() as f64 - 1.0).max(1.0)).sqrt()
    }

    /// Sum of squared deviations from the mean.
    fn scatter(&self) -> f64 {
        let mean = self.logs.iter().sum::<f64>() / self.logs.len() as f64;
        self.logs.iter().map(|log| (log - mean) * (log - mean)).sum()
    }

    /// Variance, in which `others` count as one more time: a few that are alike by chance say little.
    fn variance(&self, others: &Self) -> f64 {
        let usual = others.scatter() / (others.len() as f64 - 1.0).max(1.0);
        ((self.scatter() + usual) / self.len() as f64).max(LEAST_DEVIATION * LEAST_DEVIATION)
    }

    /// How much longer these times are than `others`; `None` while either are unknown. The standard error is Welch's,
    /// since threads in each other's way take times much more different than one thread alone.
    pub(crate) fn shift_from(&self, others: &Self) -> Option<Shift> {
        if self.logs.is_empty() || others.logs.is_empty() {
            return None;
        }
        let part = |times: &Self, others: &Self| times.variance(others) / times.len() as f64;
        let error = MEDIAN * (part(self, others) + part(others, self)).sqrt();
        Some(Shift { log: self.middle() - others.middle(), error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(each: impl IntoIterator<Item = f64>) -> Times {
        let mut times = Times::default();
        each.into_iter().for_each(|each| times.add(each));
        times
    }

    #[test]
    fn even_items_show_a_factor_at_once() {
        let shift = times([2e-6; 6]).shift_from(&times([1e-6; 3])).unwrap();
        assert!((shift.log - 2f64.ln()).abs() < 1e-9);
        assert!(shift.error < 0.05);
    }

    #[test]
    fn uneven_items_leave_it_open() {
        let uneven = [1e-6, 50e-6, 3e-6, 9e-6, 200e-6];
        let shift = times(uneven).shift_from(&times(uneven.map(|each| each / 2.0))).unwrap();
        assert!(shift.error > shift.log, "{shift:?}");
    }

    #[test]
    fn one_outlier_changes_nothing() {
        let shift = times([1e-6, 1e-6, 1e-6, 1e-6, 1.0]).shift_from(&times([1e-6; 3])).unwrap();
        assert_eq!(shift.log, 0.0);
    }

    #[test]
    fn the_newest_times_count() {
        let mut all = times([1.0; 100]);
        (0..MOST).for_each(|_| all.add(2.0));
        assert!((all.median() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_known_of_nothing() {
        assert_eq!(times([]).shift_from(&times([1.0])), None);
        assert_eq!(times([]).median(), 0.0);
    }
}
