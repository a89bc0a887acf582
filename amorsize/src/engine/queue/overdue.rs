//! A chunk of the consumer's that does not end because threads are in its way: a lock that one of them takes back
//! before the consumer, which was woken for it, has come. Nobody but the consumer can judge that and end it, so a thread
//! that has worked for long meanwhile looks at it, and if it was woken again and again, leaves everything to it for once.

use std::time::Duration;

use super::Queue;
use super::staff::Staff;
use crate::engine::asleep::{self, Thread};

/// How many times longer than expected the consumer's chunk may take until somebody looks, and the least time for that:
/// some thirty times what looking takes.
const OVERDUE: u32 = 8;
const LEAST: Duration = Duration::from_micros(500);
/// How often a consumer was given a processor between two looks if it is woken in vain: one that computes is interrupted
/// less often.
const OFTEN: u64 = 3;
/// How often it is left alone, for each stream: what it waits for may be no thread's fault.
const MOST: u32 = 4;

/// See the module.
#[derive(Default)]
pub(super) struct Overdue {
    /// While the consumer runs a chunk, and others can look at it.
    due: Option<Due>,
    /// It is left alone until it comes back, and was so often.
    pub(super) is_left_alone: bool,
    times: u32,
}

#[derive(Clone, Copy)]
struct Due {
    consumer: Thread,
    /// The work of threads by the time that it began, or was looked at, and after which it is to be looked at.
    since: Duration,
    patience: Duration,
    /// How often it had been given a processor by then, once it was looked at.
    times: Option<u64>,
}

impl Overdue {
    /// The consumer was given a processor so many times by now.
    fn look(&mut self, times: u64) {
        // It may have come back meanwhile.
        let Some(due) = &mut self.due else { return };
        let before = due.times.replace(times);
        if before.is_some_and(|before| times >= before + OFTEN) {
            self.is_left_alone = true;
            self.times += 1;
        }
    }
}

impl Staff {
    /// The calling thread, the consumer, begins with a chunk that is `expected` to take so long.
    pub(super) fn helps(&mut self, expected: Duration) {
        let others = u32::try_from(self.limit.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
        let patience = expected.saturating_mul(OVERDUE).max(LEAST).saturating_mul(others);
        let since = self.worked;
        self.overdue.due = asleep::this_thread().map(|consumer| Due { consumer, since, patience, times: None });
    }

    /// It is back.
    pub(super) fn helped(&mut self) {
        self.overdue.due = None;
        self.overdue.is_left_alone = false;
    }

    /// The consumer, if it is worth a look.
    pub(super) fn overdue(&mut self) -> Option<Thread> {
        let (worked, overdue) = (self.worked, &mut self.overdue);
        let due = overdue.due.as_mut().filter(|due| worked >= due.since.saturating_add(due.patience))?;
        due.since = worked;
        (overdue.times < MOST).then_some(due.consumer)
    }
}

impl<W, I, R> Queue<W, I, R> {
    /// Has everything left to a consumer that is overdue, if it was woken again and again since the last look.
    pub(super) fn look_after(&self, consumer: Thread) {
        if let Some(times) = asleep::times_on(consumer) {
            self.lock().staff.overdue.look(times);
        }
    }
}
