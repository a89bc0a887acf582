//! A thread of a borrowed call's own, for its first items. A pool's threads may all be busy, or wait for the very
//! caller, and a scope could not end before one of them had taken its ticket; a thread that is started for it begins at
//! once. It takes twice the time that waking one does.
//!
//! Functions that make such calls themselves would multiply them: there are none for calls from within one, nor, where
//! the options do not ask for threads, while there is another one.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::first_thread;

thread_local! {
    static IS_ONE: Cell<bool> = const { Cell::new(false) };
}

/// Calls' own threads that run. Two callers that find none at the same time start one each.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Whether the calling thread may start a thread of its call's own. `is_pinned`: threads are asked for.
pub(super) fn may_start(is_pinned: bool) -> bool {
    !IS_ONE.get() && (is_pinned || RUNNING.load(Relaxed) == 0)
}

/// Starts a call's own thread.
pub(super) fn start<'s>(
    scope: &'s Scope<'s, '_>,
    job: impl FnOnce() + Send + 's,
) -> io::Result<ScopedJoinHandle<'s, ()>> {
    first_thread::may_start();
    let counted = Counted::new();
    let run = move || {
        let _counted = counted;
        IS_ONE.set(true);
        job();
    };
    Builder::new().name("amorsize-first".into()).spawn_scoped(scope, run)
}

/// A call's own thread that runs, counted in [`RUNNING`] until this is dropped.
struct Counted;

impl Counted {
    fn new() -> Self {
        RUNNING.fetch_add(1, Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn there_is_none_from_within_one_and_a_second_one_only_where_threads_are_asked_for() {
        let within = thread::scope(|scope| {
            let (sender, within) = mpsc::channel();
            let (ends, end) = mpsc::channel::<()>();
            let asks = move || {
                sender.send([false, true].map(may_start)).expect("somebody waits");
                end.recv().expect_err("nothing is sent");
            };
            start(scope, asks).expect("a thread can be had");
            let within = within.recv().expect("it answers");
            assert_eq!([false, true].map(may_start), [false, true]);
            drop(ends);
            within
        });
        assert_eq!(within, [false, false]);
    }
}
