//! Rayon's own pools: the one that the calling thread belongs to, and the global one, which is started when that first
//! pays.

use std::panic::catch_unwind;
use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;

use crate::first_thread;

/// Whether rayon's global pool could be started, once that was tried.
static GLOBAL_POOL: OnceLock<bool> = OnceLock::new();

/// Whether using the current pool starts no thread, as far as we know.
pub(crate) fn is_running() -> bool {
    rayon::current_thread_index().is_some() || GLOBAL_POOL.get() == Some(&true)
}

/// Starts rayon's global pool unless it runs already; whether it runs then. (Rayon itself would panic where the system
/// refuses threads.)
pub(crate) fn start_global() -> bool {
    let mut refused = None;
    let is_running = *GLOBAL_POOL.get_or_init(|| {
        first_thread::may_start();
        match ThreadPoolBuilder::new().build_global() {
            Err(error) if std::error::Error::source(&error).is_some() => {
                refused = Some(error);
                false
            }
            // Either started now, or by somebody before; who perhaps was refused it, and has not told.
            _ => catch_unwind(rayon::current_num_threads).is_ok(),
        }
    });
    // Whoever listens may start a stream: not while others wait for the answer.
    if let Some(error) = refused {
        tracing::warn!(target: "amorsize", %error, "rayon's global pool could not be started; trying fewer threads");
    }
    is_running
}

/// Threads of the pool that the calling thread belongs to; 0 outside of pools, where pinned threads are our own.
pub(crate) fn threads_here() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 0 }
}
