//! Locks, watching before one sleeps, and sleeping under one, where a panic leaves nothing half done: nothing of a
//! user's runs under a lock of ours, and values are complete before they are put in. So what a thread that panicked has
//! left is as good as any.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a mutex; `None` while somebody else has it locked.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Watches until a count is not what it was `before`, or for so long: for what would be over before one falls asleep.
/// (What goes with it is found under a lock.)
pub(crate) fn look_out(count: &AtomicUsize, before: usize, most: Duration) {
    let begin = Instant::now();
    while count.load(Ordering::Relaxed) == before && begin.elapsed() < most {
        std::hint::spin_loop();
    }
}

/// Sleeps until `changed` is told, and what is guarded is so no more.
pub(crate) fn sleep_while<T>(changed: &Condvar, guard: MutexGuard<'_, T>, is_so: impl FnMut(&mut T) -> bool) {
    drop(changed.wait_while(guard, is_so).unwrap_or_else(PoisonError::into_inner));
}

/// Sleeps until woken, which may be for nothing, or for so long at most.
pub(crate) fn sleep<'a, T>(changed: &Condvar, guard: MutexGuard<'a, T>, most: Option<Duration>) -> MutexGuard<'a, T> {
    match most {
        None => changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
        Some(most) => changed.wait_timeout(guard, most).unwrap_or_else(PoisonError::into_inner).0,
    }
}
