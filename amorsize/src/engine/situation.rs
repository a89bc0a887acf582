//! What a stream's decisions depend on, as it is here and now.

use super::wake;
use crate::bytes::guess;
use crate::decide::situation::{Kind, Situation};
use crate::decide::timing::Wake;
use crate::first_thread;
use crate::machine::{self, Share};
use crate::pool::{is_running, threads_here};

impl Kind {
    /// Of items `I` and results `R`.
    pub(crate) fn of<I, R>() -> Self {
        Self { bytes: size_of::<I>().max(size_of::<R>()), owns: guess::owns::<I>().max(guess::owns::<R>()) }
    }
}

impl Situation {
    /// What there is for a stream of such items and results made here, as far as is known without a look at the
    /// machine.
    pub(crate) fn here(kind: Kind) -> Self {
        Self::with(kind, machine::recalled_share())
    }

    /// What there is for a stream of such items and results made here, after a look at the machine.
    pub(crate) fn seen(kind: Kind) -> Self {
        Self::with(kind, machine::share())
    }

    fn with(kind: Kind, Share { cores, processors, available_memory, is_guess, is_unseen }: Share) -> Self {
        Self {
            cores: cores_here(cores),
            processors,
            available_memory,
            item_bytes: kind.bytes,
            wake: wake::expected(is_running(), is_unseen),
            owns: kind.owns,
            is_threadless: first_thread::would_be_first() && !is_running(),
            is_guess,
        }
    }

    /// This situation after a look at the machine.
    pub(crate) fn looked_at(&self) -> Self {
        let Share { cores, processors, available_memory, is_guess, is_unseen } = machine::share();
        let wake = Wake { start: wake::expected(is_running(), is_unseen).start, ..self.wake };
        let is_threadless = first_thread::is_seen_to_be_first();
        Self { cores: cores_here(cores), processors, available_memory, is_threadless, is_guess, wake, ..*self }
    }
}

/// Threads that may compute at the same time for a stream made here, where this process may use so many cores: those of
/// the pool that the caller belongs to, or of the global pool and the caller.
fn cores_here(cores: usize) -> usize {
    match threads_here() {
        0 if is_running() && !machine::has_stated_threads() => cores.min(rayon::current_num_threads() + 1),
        0 => cores,
        threads => threads.min(cores),
    }
}
