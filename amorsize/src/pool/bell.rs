//! How a pool is asked whether it has a thread to spare: by a job that borrows nothing, one for all who ask. If that is
//! run at once there is such a thread, for one of them. If it has to wait, there is a backlog, and whatever is handed
//! over after it would wait as well.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::sync::{lock, look_out, sleep};

/// For how long whoever waits for an answer watches, before it sleeps: what waking a virtual processor usually takes.
const LOOK_OUT: Duration = Duration::from_micros(250);
/// A thread that comes later than this is no answer.
const PROMPT: Duration = Duration::from_millis(1);
/// For how long an answer counts.
const FRESH: Duration = Duration::from_millis(5);

static GLOBAL: LazyLock<Arc<Bell>> = LazyLock::new(Arc::default);

/// The job with which a thread of the pool answers.
pub(crate) type Answer = Box<dyn FnOnce() + Send>;

/// Asks a pool whether it has a thread to spare; see the module.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    /// Times that a thread has come, prompt or not.
    answers: AtomicUsize,
    known: Mutex<Known>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    /// When the bell was rung, if no thread has come since.
    rung: Option<Instant>,
    /// When a thread has answered that nobody has taken.
    free: Option<Instant>,
    /// Whether somebody has waited in vain, and there was no answer since.
    is_late: bool,
    /// When a thread was last known to have time, unless somebody has waited for one in vain since.
    seen: Option<Instant>,
}

impl Known {
    fn take_free(&mut self) -> bool {
        self.free.take().is_some_and(|answered| answered.elapsed() < FRESH)
    }
}

impl Bell {
    /// The bell of the global pool.
    pub(crate) fn global() -> &'static Arc<Self> {
        &GLOBAL
    }

    /// Has a thread of the pool answer, unless the bell was rung before and none has come since.
    pub(crate) fn ring(self: &Arc<Self>, spawn: impl FnOnce(Answer)) {
        let mut known = self.lock();
        if known.rung.is_some() {
            return;
        }
        known.rung = Some(Instant::now());
        drop(known);
        let bell = Arc::clone(self);
        spawn(Box::new(move || bell.answer()));
    }

    fn answer(&self) {
        let mut known = self.lock();
        if known.rung.take().is_some_and(|rung| rung.elapsed() < PROMPT) {
            let now = Some(Instant::now());
            *known = Known { free: now, seen: now, ..Known::default() };
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
        drop(known);
        self.answered.notify_all();
    }

    /// Takes the thread that has answered, if there is one: nobody else gets it.
    pub(crate) fn takes_thread(&self) -> bool {
        self.lock().take_free()
    }

    /// Takes a thread that has answered; waits for one that was rung for `patience` at most, and not at all if others
    /// have waited in vain.
    pub(crate) fn takes_thread_within(&self, patience: Duration) -> bool {
        let begin = Instant::now();
        let mut known = self.lock();
        let patience = if known.is_late { Duration::ZERO } else { patience };
        if known.rung.is_some() {
            let before = self.answers.load(Ordering::Relaxed);
            drop(known);
            look_out(&self.answers, before, LOOK_OUT.min(patience));
            known = self.lock();
        }
        while !known.take_free() {
            // It came too late, or is somebody else's.
            if known.rung.is_none() {
                return false;
            }
            let left = patience.saturating_sub(begin.elapsed());
            if left.is_zero() {
                (known.is_late, known.seen) = (true, None);
                return false;
            }
            known = sleep(&self.answered, known, Some(left));
        }
        true
    }

    /// Notes that a thread of the pool has time now.
    pub(crate) fn saw_thread(&self) {
        self.lock().seen = Some(Instant::now());
    }

    /// Notes that somebody has waited so long for a thread.
    pub(crate) fn made_wait(&self, time: Duration) {
        if time >= PROMPT {
            self.lock().seen = None;
        }
    }

    /// Whether a thread was seen to have time so recently.
    pub(crate) fn saw_thread_within(&self, time: Duration) -> bool {
        self.lock().seen.is_some_and(|seen| seen.elapsed() < time)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_micros(10);
    const EVER: Duration = Duration::from_secs(60);

    /// Rings; the job if there is one.
    fn ring(bell: &Arc<Bell>) -> Option<Answer> {
        let mut job = None;
        bell.ring(|answer| job = Some(answer));
        job
    }

    /// Has the bell be rung that long ago.
    fn rung_before(bell: &Bell, time: Duration) {
        bell.lock().rung.iter_mut().for_each(|rung| *rung = rung.checked_sub(time).expect("after the epoch"));
    }

    #[test]
    fn one_job_is_for_all_who_ask_and_its_thread_for_one_of_them() {
        let bell = Arc::new(Bell::default());
        let answer = ring(&bell).expect("nobody else has rung");
        assert!(ring(&bell).is_none());
        assert!(!bell.takes_thread());
        // As if no time had passed until it is run.
        bell.lock().rung = Instant::now().checked_add(EVER);
        answer();
        assert!(bell.takes_thread());
        assert!(!bell.takes_thread() && !bell.takes_thread_within(EVER));
        assert!(ring(&bell).is_some());
    }

    #[test]
    fn what_comes_late_is_no_answer() {
        let bell = Arc::new(Bell::default());
        let answer = ring(&bell).expect("nobody else has rung");
        assert!(ring(&bell).is_none());
        rung_before(&bell, PROMPT);
        answer();
        assert!(!bell.takes_thread());
        assert!(!bell.saw_thread_within(EVER));
        assert!(ring(&bell).is_some(), "it may be asked again");
    }

    #[test]
    fn what_was_seen_of_a_pool_holds_until_somebody_waits_in_vain() {
        let bell = Arc::new(Bell::default());
        let sees = || bell.saw_thread_within(EVER);
        assert!(!sees());
        let answer = ring(&bell).expect("nobody else has rung");
        bell.saw_thread();
        assert!(sees());
        assert!(!bell.saw_thread_within(Duration::ZERO));
        assert!(!bell.takes_thread_within(SOON));
        assert!(!sees());
        assert!(!bell.takes_thread_within(EVER), "nobody waits for long after that");
        bell.lock().rung = Instant::now().checked_add(EVER);
        answer();
        assert!(sees());
        bell.made_wait(SOON);
        assert!(sees());
        bell.made_wait(PROMPT);
        assert!(!sees());
    }

    #[test]
    fn an_answer_wakes_who_waits_for_it() {
        let bell = Arc::new(Bell::default());
        let answer = ring(&bell).expect("nobody else has rung");
        bell.lock().rung = Instant::now().checked_add(EVER);
        let answers = thread::spawn(move || {
            thread::sleep(2 * LOOK_OUT);
            answer();
        });
        assert!(bell.takes_thread_within(EVER));
        answers.join().expect("it answers");
    }
}
