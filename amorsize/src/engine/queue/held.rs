//! Results that are finished and not yet yielded: how many bytes of them there may be. What is queued looked smaller
//! when it was pulled, perhaps; whoever would make more of them waits until some are yielded. Only what comes next is
//! made in any case.

use crate::engine::chunk::Batch;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    bytes: usize,
    most: usize,
    /// Where the results begin that are yielded next.
    next: u64,
}

impl Held {
    pub(super) const NOTHING: Self = Self { bytes: 0, most: usize::MAX, next: 0 };

    pub(super) fn add<R>(&mut self, batch: &Batch<R>) {
        self.bytes = self.bytes.saturating_add(batch.bytes());
    }

    pub(super) fn remove<R>(&mut self, batch: &Batch<R>) {
        self.bytes = self.bytes.saturating_sub(batch.bytes());
    }

    /// The consumer waits for the results from `next` on, and has room for so many bytes before they are yielded.
    pub(super) fn expect(&mut self, next: u64, most: usize) {
        (self.next, self.most) = (next, most);
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes > self.most
    }

    /// Whether results that begin there may be made now.
    pub(super) fn has_room_for(&self, start: u64) -> bool {
        !self.is_full() || start == self.next
    }
}
