//! How a pool is asked whether it has a thread to spare: by a job that borrows nothing, one for all who ask.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::sync::{lock, sleep};

/// For how long whoever waits for an answer watches, before it sleeps: what waking a virtual processor usually takes.
const LOOK_OUT: Duration = Duration::from_micros(250);
static GLOBAL: LazyLock<Arc<Bell>> = LazyLock::new(Arc::default);

/// For a thread of the pool to run.
pub(crate) type Answer = Box<dyn FnOnce() + Send>;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    answers: AtomicU64,
    known: Mutex<Known>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    /// It was rung, and no thread has answered.
    is_ringing: bool,
    /// Somebody has waited in vain for that.
    is_late: bool,
    /// When a thread was last known to have time, unless somebody has waited for one in vain since.
    seen: Option<Instant>,
}

impl Bell {
    /// Of the global pool.
    pub(crate) fn global() -> Arc<Self> {
        Arc::clone(&GLOBAL)
    }

    /// Has a thread of the pool answer, unless somebody has and none did so far; how many answers there have been.
    pub(crate) fn ring(self: &Arc<Self>, spawn: impl FnOnce(Answer)) -> u64 {
        let before = self.answers.load(Ordering::Acquire);
        if !std::mem::replace(&mut self.lock().is_ringing, true) {
            let bell = Arc::clone(self);
            spawn(Box::new(move || bell.answer()));
        }
        before
    }

    fn answer(&self) {
        let mut known = self.lock();
        *known = Known { seen: Some(Instant::now()), ..Known::default() };
        self.answers.fetch_add(1, Ordering::Release);
        drop(known);
        self.answered.notify_all();
    }

    /// Whether there is an answer that was not there before.
    pub(crate) fn has_answered(&self, before: u64) -> bool {
        self.answers.load(Ordering::Acquire) != before
    }

    /// The same after some `patience`, unless others have shown as much in vain.
    pub(crate) fn answers_within(&self, patience: Duration, before: u64) -> bool {
        let begin = Instant::now();
        let patience = if self.lock().is_late { Duration::ZERO } else { patience };
        while !self.has_answered(before) && begin.elapsed() < LOOK_OUT.min(patience) {
            std::hint::spin_loop();
        }
        let mut known = self.lock();
        while !self.has_answered(before) {
            let left = patience.saturating_sub(begin.elapsed());
            if left.is_zero() {
                (known.is_late, known.seen) = (true, None);
                return false;
            }
            known = sleep(&self.answered, known, Some(left));
        }
        true
    }

    /// A thread of the pool has time now.
    pub(crate) fn saw_thread(&self) {
        self.lock().seen = Some(Instant::now());
    }

    /// Somebody has waited for one for long.
    pub(crate) fn saw_none(&self) {
        self.lock().seen = None;
    }

    /// Whether one was seen so recently.
    pub(crate) fn saw_thread_within(&self, time: Duration) -> bool {
        self.lock().seen.is_some_and(|seen| seen.elapsed() < time)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(bell: &Arc<Bell>, jobs: &mut Vec<Answer>) -> u64 {
        bell.ring(|answer| jobs.push(answer))
    }

    #[test]
    fn one_job_answers_all_who_ask_before_it_is_run() {
        let (bell, mut jobs) = (Arc::new(Bell::default()), Vec::new());
        let asked = [(); 3].map(|()| ring(&bell, &mut jobs));
        assert_eq!(jobs.len(), 1);
        assert!(!asked.iter().any(|&before| bell.has_answered(before)));
        jobs.remove(0)();
        assert!(asked.iter().all(|&before| bell.has_answered(before)));
        let later = ring(&bell, &mut jobs);
        assert_eq!((jobs.len(), bell.has_answered(later)), (1, false));
    }

    #[test]
    fn what_was_seen_of_a_pool_holds_until_somebody_waits_in_vain() {
        let (bell, mut jobs) = (Arc::new(Bell::default()), Vec::new());
        let sees = || bell.saw_thread_within(Duration::from_secs(60));
        assert!(!sees());
        let before = ring(&bell, &mut jobs);
        bell.saw_thread();
        assert!(sees());
        assert!(!bell.saw_thread_within(Duration::ZERO));
        assert!(!bell.answers_within(Duration::from_millis(1), before));
        assert!(!sees());
        assert!(!bell.answers_within(Duration::MAX, before), "nobody waits for long after that");
        jobs.remove(0)();
        assert!(bell.answers_within(Duration::ZERO, before));
        assert!(sees());
        bell.saw_none();
        assert!(!sees());
    }

    #[test]
    fn an_answer_wakes_who_waits_for_it() {
        let (bell, mut jobs) = (Arc::new(Bell::default()), Vec::new());
        let before = ring(&bell, &mut jobs);
        let answer = jobs.remove(0);
        let answers = std::thread::spawn(move || {
            std::thread::sleep(2 * LOOK_OUT);
            answer();
        });
        assert!(bell.answers_within(Duration::from_secs(60), before));
        answers.join().expect("it answers");
    }
}
