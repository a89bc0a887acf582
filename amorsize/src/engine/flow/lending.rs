//! Items that were pulled ahead of the first one, and that no thread has taken, are lent to the plain loop: it takes
//! them as if from the source, and until then they do not count as pulled.

use super::{Flow, Next};

impl<W, I, R, P> Flow<W, I, R, P> {
    /// Items taken from the source by the flow.
    pub(super) fn taken(&self) -> u64 {
        self.pulled + self.lent as u64
    }

    /// Items that the plain loop has from here, and not from the source.
    pub(crate) fn lent(&self) -> usize {
        self.lent
    }

    /// The next item that is lent to the plain loop.
    pub(crate) fn next_lent(&mut self) -> Option<I> {
        self.lent = self.lent.checked_sub(1)?;
        self.ahead.pop_front()
    }

    /// The plain loop may run so many items, of the source or of what was pulled ahead of it.
    pub(super) fn grant(&mut self, items: usize) -> Next<R> {
        if self.is_ahead {
            self.lent = items;
            self.pulled -= items as u64;
        }
        Next::Loop(items)
    }

    /// The plain loop takes no more of what was lent to it.
    pub(super) fn take_back(&mut self) {
        self.pulled += std::mem::take(&mut self.lent) as u64;
    }
}
