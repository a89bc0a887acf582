//! Answers about this process and this moment, remembered for as long as they are likely to hold. No thread watches:
//! whoever asks after that time looks again.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Memory, everywhere, threads_variable};
use crate::sync::lock;

/// For how long limits hold. They change when somebody resizes a container; finding them takes some 0.2 ms.
const LIMITS_HOLD: Duration = Duration::from_secs(10);
/// For how long a reading of memory holds where it decides how much may be taken in a run: a reading takes 10 to 20 µs
/// on Linux, and streams may start one after the other.
const READING_HOLDS: Duration = Duration::from_millis(100);
/// For how long a reading of memory holds where it decides whether there is any left: the fastest thread fills 4 MB in
/// that time.
const FRESH: Duration = Duration::from_millis(1);
/// Bytes taken as available where the system tells nothing.
const ASSUMED_AVAILABLE: u64 = 1 << 30;

/// Processors this process may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Allowed {
    pub(super) cores: usize,
    pub(super) quota: Option<f64>,
    /// Processors' worth of time, whatever `AMORSIZE_THREADS` says.
    processors: f64,
}

/// What this process may use of the machine now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    /// Threads that may compute at the same time.
    pub(crate) cores: usize,
    /// Processors' worth of time.
    pub(crate) processors: f64,
    /// Bytes that this process may still take; see [`Memory::available`].
    pub(crate) available_memory: u64,
    /// Whether processors or memory are not known, or no longer.
    pub(crate) is_guess: bool,
    /// Whether processors or memory have never been known.
    pub(crate) is_unseen: bool,
}

/// A value and when it was found.
type Remembered<T> = Mutex<Option<(Instant, T)>>;

/// The remembered value, found again if it is older than `holds`.
fn remember<T, U>(cell: &Remembered<T>, holds: Duration, find: impl FnOnce() -> T, get: impl FnOnce(&T) -> U) -> U {
    let now = Instant::now();
    let mut cell = lock(cell);
    let is_fresh = cell.as_ref().is_some_and(|(found, _)| now.saturating_duration_since(*found) < holds);
    if !is_fresh {
        *cell = None;
    }
    get(&cell.get_or_insert_with(|| (now, find())).1)
}

/// The remembered value, and whether it still holds `now`.
fn recall<T: Copy>(cell: &Remembered<T>, now: Instant, holds: Duration) -> Option<(T, bool)> {
    let cell = lock(cell);
    cell.as_ref().map(|(found, value)| (*value, now.saturating_duration_since(*found) < holds))
}

static ALLOWED: Remembered<Allowed> = Mutex::new(None);
/// Processors this process may use, without a look at control groups, for as long as nobody has looked.
static USUAL: Remembered<Allowed> = Mutex::new(None);
static MEMORY: Remembered<Memory> = Mutex::new(None);

/// Threads that may compute at the same time: the processors of this process' affinity, within the CPU quota of every
/// control group (rounded up), or what `AMORSIZE_THREADS` says instead. At least 1.
pub(crate) fn cores() -> usize {
    allowed().cores
}

/// What this process may use. Takes a fifth of a millisecond the first time and after [`LIMITS_HOLD`].
pub(crate) fn share() -> Share {
    let Allowed { cores, processors, .. } = allowed();
    let available_memory = memory_within(READING_HOLDS).available();
    Share { cores, processors, available_memory, is_guess: false, is_unseen: false }
}

/// What this process may use, without looking: what is remembered, however old, or usual.
pub(crate) fn recalled_share() -> Share {
    let now = Instant::now();
    let (allowed, memory) = (recall(&ALLOWED, now, LIMITS_HOLD), recall(&MEMORY, now, READING_HOLDS));
    let Allowed { cores, processors, .. } = allowed.map_or_else(|| usual(now), |(allowed, _)| allowed);
    Share {
        cores,
        processors,
        available_memory: memory.map_or(ASSUMED_AVAILABLE, |(memory, _)| memory.available()),
        is_unseen: allowed.is_none() || memory.is_none(),
        is_guess: !(allowed.is_some_and(|(_, holds)| holds) && memory.is_some_and(|(_, holds)| holds)),
    }
}

fn usual(now: Instant) -> Allowed {
    if let Some((allowed, true)) = recall(&USUAL, now, LIMITS_HOLD) {
        return allowed;
    }
    let stated = threads_variable::threads();
    remember(&USUAL, LIMITS_HOLD, || allowed_within(None, stated), Allowed::clone)
}

/// The state of this process' memory now. For those who ask rarely.
pub(crate) fn memory() -> Memory {
    memory_within(FRESH)
}

pub(super) fn allowed() -> Allowed {
    // Asked before anything is locked: it may be told that the variable makes no sense.
    let stated = threads_variable::threads();
    remember(&ALLOWED, LIMITS_HOLD, || allowed_within(system::quota(), stated), Allowed::clone)
}

fn allowed_within(quota: Option<f64>, stated: Option<usize>) -> Allowed {
    let affinity = system::affinity();
    let processors = quota.unwrap_or(f64::INFINITY).min(affinity as f64);
    Allowed { cores: allowed_cores(stated, affinity, quota), quota, processors }
}

fn allowed_cores(wanted: Option<usize>, affinity: usize, quota: Option<f64>) -> usize {
    // A conversion from floating point saturates.
    let by_quota = quota.map_or(usize::MAX, |quota| quota.ceil() as usize);
    wanted.unwrap_or(affinity.min(by_quota)).max(1)
}

fn memory_within(holds: Duration) -> Memory {
    let assumed = || Memory::new(0, ASSUMED_AVAILABLE);
    let find = || system::memory().or_else(everywhere::memory).unwrap_or_else(assumed);
    remember(&MEMORY, holds, find, Memory::clone)
}

/// Processors that the machine has in use, as of the first time that somebody asked; `None` if unknown.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn processors() -> Option<usize> {
    static PROCESSORS: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    *PROCESSORS.get_or_init(system::processors)
}

/// Bytes of memory that the machine has, or that this process' control groups allow; 0 if unknown.
pub(super) fn total_memory() -> u64 {
    system::total_memory().unwrap_or_else(everywhere::total_memory)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::path::Path;

    use super::super::linux;
    use super::super::linux::cgroup::Groups;
    use super::super::linux::memory::{Gauge, Limits};
    use super::*;

    pub(super) use linux::cores::affinity;

    const ROOT: &str = "/";
    /// For how long it holds in which groups this process is: long enough to ask for processors and memory at once.
    const GROUPS_HOLD: Duration = Duration::from_secs(1);

    pub(super) fn quota() -> Option<f64> {
        with_groups(linux::cores::quota)
    }

    pub(super) fn processors() -> Option<usize> {
        linux::topology::processors(Path::new(ROOT))
    }

    pub(super) fn memory() -> Option<Memory> {
        with_gauge(Gauge::read)
    }

    pub(super) fn total_memory() -> Option<u64> {
        with_gauge(Gauge::total)
    }

    fn with_gauge<T>(get: impl FnOnce(&Gauge) -> T) -> T {
        static GAUGE: Remembered<Gauge> = Mutex::new(None);
        let open = || with_groups(|groups| Gauge::open(Path::new(ROOT), groups, Limits::current()));
        remember(&GAUGE, LIMITS_HOLD, open, get)
    }

    fn with_groups<T>(get: impl FnOnce(&Groups) -> T) -> T {
        static GROUPS: Remembered<Groups> = Mutex::new(None);
        remember(&GROUPS, GROUPS_HOLD, || Groups::read(Path::new(ROOT)), get)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use super::Memory;

    pub(super) use super::everywhere::affinity;

    pub(super) fn quota() -> Option<f64> {
        None
    }

    pub(super) fn memory() -> Option<Memory> {
        None
    }

    pub(super) fn total_memory() -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_quota_is_rounded_up_and_leaves_at_least_one() {
        assert_eq!(allowed_cores(None, 8, None), 8);
        assert_eq!(allowed_cores(None, 8, Some(1.5)), 2);
        assert_eq!(allowed_cores(None, 8, Some(0.1)), 1);
        assert_eq!(allowed_cores(None, 2, Some(100.0)), 2);
        assert_eq!(allowed_cores(None, 0, None), 1);
    }

    #[test]
    fn the_variable_overrides_the_machine() {
        assert_eq!(allowed_cores(Some(5), 2, Some(1.0)), 5);
    }

    #[test]
    fn an_answer_holds_for_its_time() {
        let (cell, calls) = (Mutex::new(None), Cell::new(0));
        let ask = |holds| {
            let find = || {
                calls.set(calls.get() + 1);
                calls.get()
            };
            remember(&cell, holds, find, |&answer| answer)
        };
        assert_eq!([ask(Duration::MAX), ask(Duration::MAX), ask(Duration::ZERO)], [1, 1, 2]);
    }

    #[test]
    fn what_is_recalled_may_be_too_old() {
        let cell = Mutex::new(None);
        assert_eq!(recall(&cell, Instant::now(), Duration::MAX), None);
        remember(&cell, Duration::MAX, || 7, |_| ());
        assert_eq!(
            [Duration::MAX, Duration::ZERO].map(|holds| recall(&cell, Instant::now(), holds)),
            [Some((7, true)), Some((7, false))]
        );
    }

    #[test]
    fn this_machine_has_cores_and_memory() {
        assert!(cores() >= 1);
        assert!(share().available_memory > 0 && !share().is_guess);
        assert!(memory().used() > 0 && total_memory() > 0);
    }
}
