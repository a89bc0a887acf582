//! Times that threads tell each other, as numbers that fit into an atomic.

use std::sync::LazyLock;
use std::time::Instant;

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds since a time that is the same for the whole process.
pub(crate) fn nanos(at: Instant) -> u64 {
    // The first one may have been taken a little before that time.
    at.saturating_duration_since(*EPOCH).as_nanos() as u64
}

pub(crate) fn nanos_now() -> u64 {
    nanos(Instant::now())
}
