//! The function's own attributes stay its own.

/// Documented.
#[amorsize::streaming]
#[inline]
#[must_use = "for nothing else"]
#[track_caller]
#[allow(clippy::identity_op)]
fn documented(n: u64) -> u64 {
    //! Inside too.
    /* and */
    n + 0
}

fn main() {
    assert_eq!(documented::stream(0..3).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((0..3).map(documented).sum::<u64>(), 3);
}
