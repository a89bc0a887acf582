//! Results that are finished and not yet yielded: how many bytes of them there may be. What is queued looked smaller
//! when it was pulled, perhaps; whoever would make more of them waits until some are yielded. Only what comes next is
//! made in any case.

/// Handfuls for each thread that fill the room there is, and the least that is worth handing in.
const HANDFULS: usize = 4;
const SMALLEST_HANDFUL: usize = 64 << 10;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    bytes: usize,
    most: usize,
    /// Bytes of the last chunk that came back: what runs will take as much.
    last: usize,
    /// Where the results begin that are yielded next.
    next: u64,
}

impl Held {
    pub(super) const NOTHING: Self = Self { bytes: 0, most: usize::MAX, last: 0, next: 0 };

    /// So many bytes of results, of one chunk, are finished.
    pub(super) fn add(&mut self, bytes: usize) {
        self.last = bytes;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// So many bytes of results are about to be yielded.
    pub(super) fn remove(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// The consumer waits for the results from `next` on, and has room for so many bytes before they are yielded.
    pub(super) fn expect(&mut self, next: u64, most: usize) {
        (self.next, self.most) = (next, most);
    }

    /// Results up to `next` were yielded, or are about to be.
    pub(super) fn advance(&mut self, next: u64) {
        self.next = next;
    }

    /// Whether there is no room for more results than so many running chunks make.
    pub(super) fn is_full(&self, running: usize) -> bool {
        self.bytes.saturating_add(self.last.saturating_mul(running)) > self.most
    }

    /// Bytes of results from which one of so many threads hands in what it has of a chunk.
    pub(super) fn handful(&self, threads: usize) -> usize {
        (self.most / (HANDFULS * threads.max(1))).max(SMALLEST_HANDFUL)
    }

    pub(super) fn is_next(&self, start: u64) -> bool {
        start == self.next
    }
}
