//! Which processor a thread computes on, and how another one makes way for it.
//!
//! A thread that is woken where another one computes may be put on that one's processor although the next is idle, and
//! then they take turns, for some milliseconds until the system notices: with a consumer that computes too, a short run
//! has one processor for two threads. (Linux since 5.19 looks for an idle processor only as far as a cache has few busy
//! ones; of two that share a cache and of which one is busy, it looks at none. And a virtual processor that is halted
//! counts as taken.) So a ticket that finds itself on the consumer's processor steps aside, which takes some
//! microseconds, and the consumer [lets it by](super::wake::Launched::let_by).

use std::thread::{self, ThreadId};

#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::machine;
use crate::quiet::quietly;

/// Where a thread computed a moment ago.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    processor: usize,
    thread: ThreadId,
}

impl Place {
    /// Where the calling thread is; `None` where the system does not tell.
    pub(crate) fn here() -> Option<Self> {
        processor().map(|processor| Self { processor, thread: thread::current().id() })
    }

    /// Takes the calling thread to another processor, if it is another thread and on this one, and may run elsewhere.
    pub(crate) fn make_way(self) {
        let is_in_the_way = Self::here().is_some_and(|caller| caller.disturbs(self));
        if is_in_the_way && leave(self.processor) {
            let processor = self.processor;
            quietly(|| tracing::trace!(target: "amorsize", processor, "a thread made way for the consumer"));
        }
    }

    fn disturbs(self, other: Self) -> bool {
        self.processor == other.processor && self.thread != other.thread
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn processor() -> Option<usize> {
    Some(rustix::thread::sched_getcpu())
}

/// Has the calling thread moved off `processor`, and allows it back at once: the system leaves it where it is now. Only
/// a thread that may run everywhere is moved. Whoever restricts one has a reason, and what is allowed to a container
/// may change, which a thread does not notice once it was told where it may run.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn leave(processor: usize) -> bool {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let Ok(mut others) = sched_getaffinity(None) else { return false };
    if processor >= CpuSet::MAX_CPU || machine::processors() != Some(others.count() as usize) {
        return false;
    }
    others.unset(processor);
    if others.count() == 0 || sched_setaffinity(None, &others).is_err() {
        return false;
    }
    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|processor| all.set(processor));
    if let Err(error) = sched_setaffinity(None, &all) {
        quietly(
            || tracing::warn!(target: "amorsize", %error, "the affinity of a thread could not be restored: it does not run on processor {processor} any more"),
        );
    }
    true
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn processor() -> Option<usize> {
    None
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn leave(_: usize) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::thread::{sched_getaffinity, sched_getcpu};

    use super::*;

    fn allowed() -> u32 {
        sched_getaffinity(None).unwrap().count()
    }

    /// Where the calling thread would be in the way of another one.
    fn shared() -> Place {
        Place { processor: sched_getcpu(), thread: thread::spawn(|| thread::current().id()).join().unwrap() }
    }

    #[test]
    fn a_thread_leaves_the_processor_of_another_and_may_come_back() {
        let (before, shared) = (allowed(), shared());
        let moved = leave(shared.processor);
        assert_eq!(allowed(), before);
        assert_eq!(moved, before > 1 && machine::processors() == Some(before as usize));
        shared.make_way();
        assert_eq!(allowed(), before);
    }

    #[test]
    fn a_restricted_thread_stays_so() {
        let mut one = rustix::thread::CpuSet::new();
        one.set(sched_getcpu());
        rustix::thread::sched_setaffinity(None, &one).unwrap();
        shared().make_way();
        assert_eq!((allowed(), one.is_set(sched_getcpu())), (1, true));
    }

    #[test]
    fn only_another_thread_on_the_same_processor_is_in_the_way() {
        let [this, other] = [thread::current().id(), thread::spawn(|| thread::current().id()).join().unwrap()];
        let consumer = Place { processor: 1, thread: this };
        assert!(Place { processor: 1, thread: other }.disturbs(consumer));
        assert!(!Place { processor: 0, thread: other }.disturbs(consumer));
        assert!(!consumer.disturbs(consumer), "f may itself wait for rayon, which then runs tickets on this thread");
    }
}
