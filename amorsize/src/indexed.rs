//! A stream's results with their places in the source. Counts nothing itself: the stream knows where it is.

use std::cell::Cell;
use std::fmt;
use std::iter::FusedIterator;

use crate::engine::launch::{Detached, Launch};
use crate::plan::Plan;
use crate::report::Report;
use crate::stream::Stream;
use crate::work::Work;

/// Results with the index of their items in the source; made by [`Stream::indexed`].
#[must_use = "a stream does nothing until it is iterated"]
pub struct Indexed<S, W, P = Detached>(pub(crate) Stream<S, W, P>)
where
    S: Iterator,
    W: Work<S::Item>;

impl<S, W, P> Indexed<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
{
    /// As [`Stream::report`].
    #[must_use]
    pub fn report(&self) -> Report {
        self.0.report()
    }
}

impl<S, W, P> Indexed<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    P: Launch<W, S::Item>,
{
    /// As [`Stream::plan`].
    #[must_use]
    pub fn plan(&mut self) -> &Plan {
        self.0.plan()
    }
}

impl<S, W, P> fmt::Debug for Indexed<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Indexed").field(&self.0).finish()
    }
}

impl<S, W, P> Iterator for Indexed<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    P: Launch<W, S::Item>,
{
    type Item = (usize, W::Output);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let result = self.0.next()?;
        Some((self.0.last_index(), result))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }

    /// Folds as fast as the stream's own `fold`.
    fn fold<B, G>(self, init: B, mut fold: G) -> B
    where
        G: FnMut(B, Self::Item) -> B,
    {
        let place = Cell::new(0);
        let indexed = |folded, result| fold(folded, (place.replace(place.get() + 1), result));
        self.0.fold_placed(init, |next| place.set(next), indexed).0
    }
}

impl<S, W, P> FusedIterator for Indexed<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    P: Launch<W, S::Item>,
{
}

impl<S, W, P> ExactSizeIterator for Indexed<S, W, P>
where
    S: ExactSizeIterator,
    W: Work<S::Item>,
    P: Launch<W, S::Item>,
{
}
