//! Whether a ticket may be handed to a pool now. A borrowed call has to wait, at its end, until each of its tickets was
//! taken: where all threads of the pool are busy with something else for seconds, so long. So it rings first, and goes
//! on alone until a thread has answered at once. A run that is too short for that takes the answer for granted where a
//! thread had time a moment ago.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::place::Place;
use super::target::Target;
use super::wake::{self, Launched};
use crate::decide::timing::Patience;
use crate::pool::Bell;

/// For how long a door stays open without another look.
const STAYS_OPEN: Duration = Duration::from_millis(5);

/// The door of a run, to the pool that its tickets go to.
#[derive(Debug, Default)]
pub(super) struct Door {
    /// When a thread was last known to come.
    opened: Option<Instant>,
}

impl Door {
    /// Whether the door is open. `runs_chunks`: whether a thread does, and will run whatever else is handed over.
    pub(super) fn opens(
        &mut self,
        bell: &Arc<Bell>,
        target: &Target,
        patience: Patience,
        runs_chunks: impl FnOnce() -> bool,
    ) -> bool {
        if self.opened.is_some_and(|opened| opened.elapsed() < STAYS_OPEN) {
            return true;
        }
        let is_open = (self.opened.is_some() && runs_chunks()) || has_thread(bell, target, patience);
        self.opened = is_open.then(Instant::now);
        is_open
    }
}

fn has_thread(bell: &Arc<Bell>, target: &Target, patience: Patience) -> bool {
    if bell.takes_thread() || bell.saw_thread_within(Duration::from_secs_f64(patience.trusts)) {
        return true;
    }
    ring(bell, target);
    bell.takes_thread_within(Duration::from_secs_f64(patience.waits))
}

/// Wakes a thread as a ticket does.
fn ring(bell: &Arc<Bell>, target: &Target) {
    let caller = Place::here();
    bell.ring(|answer| {
        let launched = Launched::now();
        target.spawn(move || {
            launched.began();
            caller.into_iter().for_each(Place::make_way);
            answer();
            wake::worked();
        });
        launched.let_by();
        launched.handed_over();
    });
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::plan::Pool;
    use crate::pool::Crew;

    /// What fails fails soon.
    const SOON: Patience = Patience { waits: 1e-5, trusts: 0.0 };
    const TRUSTS: Patience = Patience { waits: 1e-5, trusts: 60.0 };

    /// A pool of one thread, which is busy until what is returned is dropped.
    fn busy() -> (Target, Arc<Bell>, mpsc::Sender<()>) {
        let crew = Arc::new(Crew::start(Pool::Cpu, 1, 1).expect("a thread can be had"));
        let (busy, idle) = mpsc::channel::<()>();
        crew.pool().spawn(move || assert!(idle.recv().is_err()));
        (Target::Crew(crew), Arc::default(), busy)
    }

    #[test]
    fn it_opens_when_a_thread_of_the_pool_has_time() {
        let (target, bell, busy) = busy();
        let mut door = Door::default();
        assert!(!door.opens(&bell, &target, SOON, || unreachable!("it was never open")));
        assert!(!door.opens(&bell, &target, SOON, || unreachable!("it was never open")));
        drop(busy);
        while !door.opens(&bell, &target, SOON, || false) {
            std::thread::yield_now();
        }
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
        let opened = |opened| Door { opened };
        // However long the test takes.
        let now = Instant::now().checked_add(Duration::from_secs(60));
        let long_ago = Instant::now().checked_sub(STAYS_OPEN);
        assert!(opened(long_ago).opens(&bell, &target, SOON, || true));
        assert!(!opened(long_ago).opens(&bell, &target, SOON, || false));
        assert!(opened(now).opens(&bell, &target, SOON, || unreachable!("it is open")));
    }
}
