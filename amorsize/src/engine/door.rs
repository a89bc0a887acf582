//! Whether a ticket may be handed to a pool now. A borrowed call has to wait, at its end, until each of its tickets was
//! taken: where all threads of the pool are busy with something else for seconds, so long. So it rings first, and goes
//! on alone until a thread has answered. A run that is too short for that takes the answer for granted where a thread
//! had time a moment ago.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::launch::Target;
use super::place::Place;
use super::wake::{self, Launched};
use crate::decide::model::Patience;
use crate::pool::Bell;

/// For how long a door stays open without another look.
const STAYS_OPEN: Duration = Duration::from_millis(5);

/// A run's, to the pool that its tickets go to.
#[derive(Debug, Default)]
pub(super) struct Door {
    /// Answers that there were when it rang.
    rang: Option<u64>,
    /// When a thread was last known to come.
    opened: Option<Instant>,
}

impl Door {
    /// Whether it is open. `has_tickets`: threads of the pool run chunks, and so whatever else is handed over.
    pub(super) fn opens(
        &mut self,
        bell: &Arc<Bell>,
        target: &Target,
        patience: Patience,
        has_tickets: impl FnOnce() -> bool,
    ) -> bool {
        let now = Instant::now();
        if let Some(opened) = self.opened {
            if now.saturating_duration_since(opened) < STAYS_OPEN {
                return true;
            }
            *self = Self { rang: None, opened: has_tickets().then_some(now) };
        }
        if self.opened.is_none() && self.is_answered(bell, target, patience) {
            *self = Self { rang: None, opened: Some(Instant::now()) };
        }
        self.opened.is_some()
    }

    fn is_answered(&mut self, bell: &Arc<Bell>, target: &Target, patience: Patience) -> bool {
        if let Some(before) = self.rang {
            return bell.has_answered(before);
        }
        if bell.saw_thread_within(Duration::from_secs_f64(patience.trusts)) {
            return true;
        }
        let before = ring(bell, target);
        self.rang = Some(before);
        bell.answers_within(Duration::from_secs_f64(patience.waits), before)
    }
}

/// Wakes a thread as a ticket does.
fn ring(bell: &Arc<Bell>, target: &Target) -> u64 {
    let caller = Place::here();
    bell.ring(|answer| {
        let launched = Launched::now();
        target.spawn(move || {
            launched.has_begun();
            caller.into_iter().for_each(Place::make_way);
            answer();
            wake::worked();
        });
        launched.let_by();
        launched.is_done();
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::plan::Pool;
    use crate::pool::Crew;

    /// What fails fails soon, and what succeeds may take its time.
    const SOON: Patience = Patience { waits: 1e-3, trusts: 0.0 };
    const EVER: Patience = Patience { waits: 60.0, trusts: 0.0 };
    const TRUSTS: Patience = Patience { waits: 1e-3, trusts: 60.0 };

    /// A pool of one thread, which is busy until what is returned is dropped.
    fn busy() -> (Target, Arc<Bell>, mpsc::Sender<()>) {
        let crew = Arc::new(Crew::start(Pool::Cpu, 1).expect("a thread can be had"));
        let (busy, idle) = mpsc::channel::<()>();
        crew.pool().spawn(move || assert!(idle.recv().is_err()));
        (Target::Crew(crew), Arc::default(), busy)
    }

    #[test]
    fn it_opens_when_a_thread_of_the_pool_has_time() {
        let (target, bell, busy) = busy();
        let mut door = Door::default();
        assert!(!door.opens(&bell, &target, SOON, || false));
        assert!(!door.opens(&bell, &target, EVER, || unreachable!("it was never open")));
        drop(busy);
        while !door.opens(&bell, &target, SOON, || false) {
            std::thread::yield_now();
        }
        assert!(Door::default().opens(&bell, &target, EVER, || false));
    }

    #[test]
    fn a_thread_that_was_seen_a_moment_ago_is_taken_for_granted() {
        let (target, bell, _busy) = busy();
        bell.saw_thread();
        assert!(Door::default().opens(&bell, &target, TRUSTS, || false));
        assert!(!Door::default().opens(&bell, &target, SOON, || false));
        assert!(!Door::default().opens(&bell, &target, TRUSTS, || false), "somebody has waited in vain");
    }

    #[test]
    fn it_stays_open_as_long_as_threads_run_chunks() {
        let (target, bell, _busy) = busy();
        let opened = |opened| Door { rang: None, opened };
        let (long_ago, now) = (Instant::now().checked_sub(STAYS_OPEN), Instant::now().checked_add(STAYS_OPEN));
        assert!(opened(long_ago).opens(&bell, &target, SOON, || true));
        assert!(!opened(long_ago).opens(&bell, &target, SOON, || false));
        assert!(opened(now).opens(&bell, &target, SOON, || unreachable!("it is open")));
    }
}
