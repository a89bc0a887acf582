//! How many tickets a stream may have at the same time. Where a thread could not be had, those that run are all there
//! will be for a while; where a call that has to wait for its tickets does not know whether a pool has time, there are
//! none.

use std::time::{Duration, Instant};

use crate::engine::door::Door;

/// For how long a stream that was refused a thread asks for no other one; so many times as long after each refusal, up
/// to the longest. Others may give theirs back at any time, but a system that refuses threads is asked for several.
const PAUSE: Duration = Duration::from_millis(100);
const LONGER: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    pub(super) door: Door,
    /// Until a thread has answered, none is launched.
    pub(super) is_shut: bool,
    /// The next ticket gets a thread of its own.
    pub(super) is_own: bool,
    refusal: Option<Refusal>,
}

/// A thread could not be had.
#[derive(Debug)]
struct Refusal {
    until: Instant,
    pause: Duration,
    /// Tickets that there were then.
    left: usize,
}

impl Tickets {
    /// How many tickets there may be now, of so many.
    pub(super) fn most(&self, most: usize) -> usize {
        match &self.refusal {
            _ if self.is_shut => 0,
            Some(refusal) if Instant::now() < refusal.until => most.min(refusal.left),
            _ => most,
        }
    }

    /// A thread could not be had `now`, beside so many tickets.
    pub(super) fn refuse(&mut self, now: Instant, left: usize) {
        let longer = |before: &Refusal| (LONGER * before.pause).min(LONGEST_PAUSE);
        let pause = self.refusal.as_ref().map_or(PAUSE, longer);
        self.refusal = Some(Refusal { until: now + pause, pause, left });
    }

    /// From now on tickets go to another pool, which has refused nothing.
    pub(super) fn leave_pool(&mut self, is_shut: bool) {
        self.refusal = None;
        self.is_shut = is_shut;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_refused_a_thread_asks_again_after_a_pause_and_another_pool_at_once() {
        let now = Instant::now();
        let mut tickets = Tickets::default();
        assert_eq!(tickets.most(4), 4);
        tickets.refuse(now + LONGEST_PAUSE, 1);
        assert_eq!([tickets.most(4), tickets.most(0)], [1, 0]);
        tickets.leave_pool(false);
        assert_eq!(tickets.most(4), 4);
        let long_ago = now.checked_sub(2 * PAUSE).expect("the machine runs for some time");
        tickets.refuse(long_ago, 1);
        assert_eq!(tickets.most(4), 4, "others may have given theirs back");
        tickets.refuse(long_ago, 1);
        assert_eq!(tickets.refusal.as_ref().map(|refusal| refusal.pause), Some(LONGER * PAUSE));
        tickets.leave_pool(true);
        assert_eq!(tickets.most(4), 0);
    }
}
