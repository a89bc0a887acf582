//! The first thread of a process slows what allocates: glibc's `malloc` takes no locks until there is one, and from then
//! on, for as long as the process lives, a small block takes half as long again. So none is started on a guess: neither
//! to look in on first items of which there are many, nor to write down runs that had none themselves.
//!
//! Only our own threads are known here, and those of rayon's global pool. Where a program has others, what is spared
//! gains nothing, and costs little.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether the C library is known to do that.
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
