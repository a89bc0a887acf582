//! The first thread of a process slows what allocates: glibc's `malloc` takes no locks until there is one, and from
//! then on, for as long as the process lives, a small block takes half as long again. So none is started on a guess:
//! neither to look in on first items of which there are many, nor to write down runs that had none themselves.
//!
//! Our own threads are known, and those of rayon's global pool. Others are seen by whoever looks at the machine; until
//! then what is spared for them gains nothing, and costs little.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether the C library is known to become slower with a process's first thread.
const MATTERS: bool = cfg!(all(target_os = "linux", target_env = "gnu"));

static HAS_ANY: AtomicBool = AtomicBool::new(false);

/// A thread is about to be started.
pub(crate) fn may_start() {
    HAS_ANY.store(true, Relaxed);
}

/// Whether a thread that is started now may be the first one.
pub(crate) fn would_be_first() -> bool {
    MATTERS && !HAS_ANY.load(Relaxed)
}

/// Whether a thread that is started now may be the first one, after a look, which takes some microseconds.
pub(crate) fn is_seen_to_be_first() -> bool {
    if would_be_first() && threads().is_some_and(|threads| threads > 1) {
        may_start();
    }
    would_be_first()
}

/// Threads of this process. The directory that lists them has a link for each, and two of its own.
#[cfg(target_os = "linux")]
fn threads() -> Option<u64> {
    let tasks = std::fs::metadata("/proc/self/task").ok()?;
    std::os::unix::fs::MetadataExt::nlink(&tasks).checked_sub(2)
}

#[cfg(not(target_os = "linux"))]
fn threads() -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn threads_that_others_have_started_are_seen() {
        thread::scope(|scope| {
            let (ends, end) = mpsc::channel::<()>();
            scope.spawn(move || end.recv());
            assert!(threads().is_some_and(|threads| threads > 1), "{:?}", threads());
            assert!(!is_seen_to_be_first() && !would_be_first());
            drop(ends);
        });
    }
}
