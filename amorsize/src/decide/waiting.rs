//! How the consumer spends its time while it has nothing to yield.

use std::time::Duration;

use super::chunks::TARGET_CHUNK;
use super::refill::Refilled;

/// Seconds of a chunk up to which the consumer runs chunks itself rather than sleep: waking it would cost more than
/// the delay of what it could yield meanwhile.
const LONGEST_HELP: f64 = 500e-6;
/// Threads up to which the consumer helps with longer chunks too: its core is too large a part of the whole to leave it
/// idle.
pub(super) const FEW_THREADS: usize = 4;
/// For how long a consumer that does not help leaves all chunks to threads that have not begun: some times what waking
/// one takes, and no longer than a chunk, since they may be busy with something else; a blocking thread is sure to
/// come.
const COMPUTING_PATIENCE: Duration = Duration::from_micros(500);
const BLOCKING_PATIENCE: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// The consumer runs chunks itself.
    pub(crate) helps: bool,
    /// A chunk is expected back about as soon as it would take to fall asleep.
    pub(crate) is_short: bool,
    /// For how long the consumer leaves all chunks to threads that have not begun, where it does not help.
    pub(crate) patience: Duration,
}

impl Waiting {
    /// How the consumer spends its time where a plan has so many threads. It never runs a function that waits: its
    /// delay would be everybody's.
    pub(crate) fn on(threads: usize, chunk_seconds: f64, is_computing: bool) -> Self {
        Self {
            helps: is_computing && threads > 1 && (threads <= FEW_THREADS || chunk_seconds <= LONGEST_HELP),
            is_short: chunk_seconds <= 1.5 * TARGET_CHUNK,
            patience: if is_computing { COMPUTING_PATIENCE } else { BLOCKING_PATIENCE },
        }
    }

    /// How the consumer spends its time where chunks were pulled ahead so far: a slow source is left only for what
    /// nobody else begins with.
    pub(crate) fn beside(self, refilled: Refilled) -> Self {
        Self { helps: self.helps && refilled != Refilled::Slowly, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_consumer_helps_with_what_computes_unless_chunks_are_long_and_threads_many() {
        let helps = |threads, seconds, is_computing| Waiting::on(threads, seconds, is_computing).helps;
        assert!(helps(2, 1.0, true) && helps(64, 100e-6, true));
        assert!(!helps(64, 1.0, true) && !helps(2, 100e-6, false) && !helps(1, 100e-6, true));
    }

    #[test]
    fn a_slow_source_comes_before_chunks() {
        let waiting = Waiting::on(2, 100e-6, true);
        assert!(waiting.beside(Refilled::All).helps && !waiting.beside(Refilled::Slowly).helps);
    }
}
