//! How many items are still to come: from the source's size hint when it knows, from experience when it does not.

/// Items of an input without an end.
pub(crate) const PLENTY: u64 = u64::MAX / 2;

/// Times as long as an input has lasted that it is expected to go on for, at most.
const BOLDEST: u64 = 4;

/// What a source says of its rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remaining {
    pub(crate) lower: u64,
    pub(crate) upper: Option<u64>,
}

impl Remaining {
    /// The rest of a source that says nothing.
    #[cfg(any(test, feature = "__sim"))]
    pub(crate) const UNKNOWN: Self = Self { lower: 0, upper: None };

    /// The rest of a source that is exhausted.
    pub(crate) const NONE: Self = Self { lower: 0, upper: Some(0) };

    /// Whether nothing is known: the source may even go on for ever, or wait for what the caller does.
    pub(crate) fn is_unknown(self) -> bool {
        (self.lower, self.upper) == (0, None)
    }

    pub(crate) fn from_hint((lower, upper): (usize, Option<usize>)) -> Self {
        Self { lower: lower as u64, upper: upper.map(|upper| upper as u64) }
    }

    /// The exact number, when the source knows it.
    pub(crate) fn exact(self) -> Option<u64> {
        self.upper.filter(|&upper| upper == self.lower)
    }

    /// This rest with so many items that were already taken.
    pub(crate) fn and(self, taken: u64) -> Self {
        let upper = self.upper.map(|upper| upper.saturating_add(taken));
        Self { lower: self.lower.saturating_add(taken), upper }
    }

    /// This rest where nobody believes that it will be taken: how much of it is not known.
    pub(crate) fn doubted(self) -> Self {
        // One that nothing at all is known of may also be a channel.
        let upper = self.upper.filter(|&upper| upper == 0);
        Self { lower: self.lower.min(1), upper }
    }

    /// A guess that never disappoints much: an input of unknown length is expected to last as long again as it has
    /// lasted (Lindy's law); of one that is known to end, each order of magnitude up to there is as likely as another,
    /// since nobody knows what a filter lets through.
    pub(crate) fn expected(self, done: u64) -> u64 {
        let least = done.max(self.lower);
        let Some(upper) = self.upper else { return least };
        let middle = (least as f64 * upper as f64).sqrt() as u64;
        middle.clamp(least, least.saturating_mul(BOLDEST)).min(upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_length_is_taken_at_its_word() {
        let known = Remaining::from_hint((7, Some(7)));
        assert_eq!(known.exact(), Some(7));
        assert_eq!(known.expected(1_000), 7);
    }

    #[test]
    fn an_unknown_length_is_expected_to_double() {
        let unknown = Remaining::from_hint((0, None));
        assert_eq!(unknown.exact(), None);
        assert_eq!(unknown.expected(100), 100);
        assert_eq!(Remaining::from_hint((0, Some(30))).expected(100), 30);
        assert_eq!(
            [144, 400, 10_000, usize::MAX].map(|most| Remaining::from_hint((0, Some(most))).expected(100)),
            [120, 200, 400, 400]
        );
        assert_eq!(Remaining::from_hint((0, Some(30))).expected(0), 0);
        assert_eq!(Remaining::from_hint((500, None)).expected(100), 500);
    }

    #[test]
    fn a_length_that_is_doubted_is_none_but_that_of_an_end() {
        let doubted = |hint| Remaining::from_hint(hint).doubted();
        assert_eq!(doubted((7, Some(7))), Remaining { lower: 1, upper: None });
        assert!(!doubted((usize::MAX, None)).is_unknown(), "it is no channel");
        assert_eq!(doubted((0, Some(0))), Remaining::NONE);
    }
}
