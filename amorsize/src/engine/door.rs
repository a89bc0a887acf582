//! Whether a ticket may be handed to a pool now. A borrowed call has to wait, at its end, until each of its tickets was
//! taken: where all threads of the pool are busy with something else for seconds, so long. So it rings first, and goes
//! on alone until a thread has answered. A run that is too short for that takes the answer for granted where a thread
//! had time a moment ago.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::launch::Target;
use super::place::Place;
use super::wake::{self, Launched};
use crate::pool::Bell;

/// For how long a pool that had a thread to spare is thought to have one.
const TRUSTED: Duration = Duration::from_millis(100);

/// A run's, to the pool that its tickets go to.
#[derive(Debug, Default)]
pub(super) struct Door {
    /// Answers that there were when it rang.
    rang: Option<u64>,
    /// When a thread was last known to come.
    opened: Option<Instant>,
}

impl Door {
    /// Whether it is open. `patience`: for how long the run waits for an answer, if it is long enough for that;
    /// `has_tickets`: threads of the pool run chunks, and so whatever else is handed over.
    pub(super) fn opens(
        &mut self,
        bell: &Arc<Bell>,
        target: &Target,
        patience: Option<Duration>,
        has_tickets: impl FnOnce() -> bool,
    ) -> bool {
        let now = Instant::now();
        if let Some(opened) = self.opened {
            if now - opened < TRUSTED {
                return true;
            }
            *self = Self { rang: None, opened: has_tickets().then_some(now) };
        }
        if self.opened.is_none() && self.is_answered(bell, target, patience) {
            *self = Self { rang: None, opened: Some(Instant::now()) };
        }
        self.opened.is_some()
    }

    fn is_answered(&mut self, bell: &Arc<Bell>, target: &Target, patience: Option<Duration>) -> bool {
        if let Some(before) = self.rang {
            return bell.has_answered(before);
        }
        if patience.is_none() && bell.saw_thread_within(TRUSTED) {
            return true;
        }
        let before = ring(bell, target);
        self.rang = Some(before);
        patience.is_some_and(|patience| bell.answers_within(patience, before))
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

    const PATIENCE: Option<Duration> = Some(Duration::from_millis(1));

    /// A pool of one thread, which is busy until what is returned is dropped.
    fn busy() -> (Target, Arc<Bell>, mpsc::Sender<()>) {
        let crew = Arc::new(Crew::start(Pool::Cpu, 1).expect("a thread can be had"));
        let (busy, idle) = mpsc::channel::<()>();
        crew.pool().spawn(move || assert!(idle.recv().is_err()));
        (Target::Crew(crew), Arc::default(), busy)
    }

    fn wait_for(bell: &Arc<Bell>, target: &Target) {
        let before = ring(bell, target);
        while !bell.answers_within(Duration::from_millis(1), before) {}
    }

    #[test]
    fn it_opens_when_a_thread_of_the_pool_has_time() {
        let (target, bell, busy) = busy();
        let mut door = Door::default();
        assert!(!door.opens(&bell, &target, PATIENCE, || false));
        assert!(!door.opens(&bell, &target, PATIENCE, || unreachable!("it was never open")));
        drop(busy);
        wait_for(&bell, &target);
        assert!(door.opens(&bell, &target, PATIENCE, || false));
        assert!(Door::default().opens(&bell, &target, PATIENCE, || false));
    }

    #[test]
    fn a_thread_that_was_seen_a_moment_ago_is_taken_for_granted() {
        let (target, bell, busy) = busy();
        bell.saw_thread();
        assert!(Door::default().opens(&bell, &target, None, || false));
        bell.saw_none();
        let mut door = Door::default();
        assert!(!door.opens(&bell, &target, None, || false));
        drop(busy);
        wait_for(&bell, &target);
        assert!(door.opens(&bell, &target, None, || false));
        assert!(Door::default().opens(&bell, &target, None, || false));
    }

    #[test]
    fn it_stays_open_as_long_as_threads_run_chunks() {
        let (target, bell, _busy) = busy();
        let long_ago = || Door { rang: None, opened: Instant::now().checked_sub(TRUSTED) };
        assert!(long_ago().opens(&bell, &target, PATIENCE, || true));
        assert!(!long_ago().opens(&bell, &target, PATIENCE, || false));
        assert!(Door { rang: None, opened: Some(Instant::now()) }.opens(&bell, &target, PATIENCE, || unreachable!()));
    }
}
