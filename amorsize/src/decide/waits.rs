//! Whether a function that blocks its thread waits for something outside of the process. One that shares its own work
//! among threads blocks its caller as well, and is to get no more threads for that. Where the process keeps the
//! processors busy while the caller's thread is blocked, it may be either, and threads of a pool are to tell: whoever
//! waits for others there computes as well.

use super::observed::{Ran, Runner};
use super::verdict::BLOCKING_SHARE;

/// Part of the processors from which a blocked thread may wait for others of its process that compute.
const BUSY: f64 = 0.5;
/// Times that a thread of a pool is found blocked in a row, in a process that keeps the processors busy, until that is
/// thought to be for something else. Once in a while one that computes waits for the others, too.
const SURE: u32 = 3;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Waits {
    /// The question has not come up.
    Unasked,
    /// Threads of a pool are to tell whether the function waits. So many were blocked.
    Open {
        found: u32,
    },
    /// The function does not wait for anything outside.
    ForItself,
    Surely,
}

impl Waits {
    /// Whether threads of a pool are to tell if the function waits.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// The share for which the function waits for something outside, as far as is known, where there are so many
    /// processors.
    pub(crate) fn outside(&mut self, ran: Ran, processors: f64) -> Option<f64> {
        let blocked = ran.blocked?;
        let may_compute = may_be_for_itself(ran.busy, processors);
        if let (Self::Open { found }, Runner::Thread) = (*self, ran.runner) {
            *self = match found + 1 {
                _ if blocked < BLOCKING_SHARE => Self::ForItself,
                found if may_compute && found < SURE => Self::Open { found },
                _ => Self::Surely,
            };
        }
        let is_outside = *self == Self::Surely || blocked < BLOCKING_SHARE || !may_compute;
        if !is_outside && *self == Self::Unasked {
            *self = Self::Open { found: 0 };
        }
        Some(if is_outside { blocked } else { 0.0 })
    }
}

/// Whether a thread that is blocked, while its process has so many processors' worth of time, may wait for nothing but
/// that: the function shares its own work among threads. With one processor it gains nothing by that, and no other
/// thread could tell.
pub(crate) fn may_be_for_itself(busy: f64, processors: f64) -> bool {
    processors > 1.0 && busy >= BUSY * processors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_while_the_process_keeps_half_of_its_processors_busy_may_wait_for_that() {
        assert!(may_be_for_itself(1.0, 2.0) && may_be_for_itself(40.0, 64.0));
        assert!(!may_be_for_itself(0.9, 2.0) && !may_be_for_itself(1.0, 1.0));
    }
}
