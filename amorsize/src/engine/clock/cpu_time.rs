//! The time that a thread, and its process, had a processor, where the system tells.

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "openbsd"
))]
mod system {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    pub(in crate::engine) fn thread_cpu_time() -> Option<Duration> {
        of(ClockId::ThreadCPUTime)
    }

    pub(in crate::engine) fn process_cpu_time() -> Option<Duration> {
        of(ClockId::ProcessCPUTime)
    }

    fn of(clock: ClockId) -> Option<Duration> {
        let time = clock_gettime(clock);
        Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
    }
}

/// Systems for which rustix does not have these clocks.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "openbsd"
)))]
mod system {
    use std::time::Duration;

    pub(in crate::engine) fn thread_cpu_time() -> Option<Duration> {
        None
    }

    pub(in crate::engine) fn process_cpu_time() -> Option<Duration> {
        None
    }
}

pub(in crate::engine) use system::{process_cpu_time, thread_cpu_time};
