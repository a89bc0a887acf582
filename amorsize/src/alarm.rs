//! One thread for the whole process that does what nobody waits for, at its time: records are written, first items
//! looked in on. It is started when somebody asks for something and ends when nobody has done so for a while. Asking
//! does not wake it before its time, where the system has timers for that: waking it takes longer than many a run.

use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use timer::Timer;

use crate::first_thread;
use crate::quiet::quietly;
use crate::sync::lock;

/// Time without a job after which the thread ends.
const IDLE: Duration = Duration::from_secs(10);

/// Work that says, once done, when it wants to be called again.
pub(crate) type Job = Box<dyn FnMut() -> Option<Instant> + Send>;

struct Jobs {
    waiting: Vec<(Instant, Job)>,
    /// What the thread sleeps by, while there is one.
    timer: Option<Arc<Timer>>,
    /// When somebody last asked for something.
    used: Instant,
}

impl Jobs {
    /// When the thread is to wake up.
    fn next(&self) -> Instant {
        self.waiting.iter().map(|&(due, _)| due).min().unwrap_or(self.used + IDLE)
    }

    fn take_due(&mut self, now: Instant) -> Option<Job> {
        let place = self.waiting.iter().position(|&(due, _)| due <= now)?;
        Some(self.waiting.swap_remove(place).1)
    }
}

static JOBS: LazyLock<Mutex<Jobs>> =
    LazyLock::new(|| Mutex::new(Jobs { waiting: Vec::new(), timer: None, used: Instant::now() }));

/// Has a job called at `due`; false where no thread can be had.
pub(crate) fn call(due: Instant, job: Job) -> bool {
    let mut jobs = lock(&JOBS);
    let is_first = due < jobs.next();
    if jobs.timer.is_none() {
        jobs.timer = start();
    }
    // A job may hold the last of a user's values: not dropped under the lock.
    let Some(timer) = jobs.timer.clone() else {
        drop(jobs);
        return false;
    };
    jobs.waiting.push((due, job));
    jobs.used = Instant::now();
    if is_first {
        timer.set(due);
    }
    true
}

fn start() -> Option<Arc<Timer>> {
    let timer = Arc::new(Timer::new()?);
    let kept = Arc::clone(&timer);
    first_thread::may_start();
    let started = thread::Builder::new().name("amorsize-alarm".into()).spawn(move || keep(&kept));
    started.is_ok().then_some(timer)
}

fn keep(timer: &Timer) {
    let mut jobs = lock(&JOBS);
    loop {
        let now = Instant::now();
        if let Some(mut job) = jobs.take_due(now) {
            drop(jobs);
            // Whoever listens to what is told may panic. That ends the job, and not the thread.
            let again = quietly(&mut job).flatten().map(|due| (due, job));
            jobs = lock(&JOBS);
            jobs.waiting.extend(again);
            continue;
        }
        if jobs.waiting.is_empty() && jobs.next() <= now {
            jobs.timer = None;
            return;
        }
        timer.set(jobs.next());
        drop(jobs);
        timer.wait();
        jobs = lock(&JOBS);
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod timer {
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use rustix::io::read;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };

    /// A timer of the system: setting it wakes nobody.
    pub(super) struct Timer(OwnedFd);

    impl Timer {
        pub(super) fn new() -> Option<Self> {
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC).ok().map(Self)
        }

        /// Has whoever waits wait until `due`.
        pub(super) fn set(&self, due: Instant) {
            // No time at all would stop it.
            let left = due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
            let seconds = |time: Duration| Timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos() as _ };
            let once = Itimerspec { it_interval: seconds(Duration::ZERO), it_value: seconds(left) };
            let set = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once);
            debug_assert!(set.is_ok(), "{set:?}");
        }

        pub(super) fn wait(&self) {
            // A signal may come first: whoever waits looks at the time anyway.
            let _ = read(&self.0, &mut [0; 8]);
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod timer {
    use std::sync::{Condvar, Mutex};
    use std::time::Instant;

    use crate::sync::{lock, sleep};

    /// A timer of our own: setting it wakes whoever waits, who then waits until it is due.
    pub(super) struct Timer {
        due: Mutex<Instant>,
        changed: Condvar,
    }

    impl Timer {
        pub(super) fn new() -> Option<Self> {
            Some(Self { due: Mutex::new(Instant::now()), changed: Condvar::new() })
        }

        pub(super) fn set(&self, due: Instant) {
            *lock(&self.due) = due;
            self.changed.notify_all();
        }

        pub(super) fn wait(&self) {
            let mut due = lock(&self.due);
            while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                due = sleep(&self.changed, due, Some(left));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_job_that_panics_is_the_last_of_its_kind() {
        let (sender, calls) = mpsc::channel();
        let job = |fails: bool| -> Job {
            let sender = sender.clone();
            Box::new(move || {
                sender.send(fails).unwrap();
                if fails {
                    std::panic::resume_unwind(Box::new("a listener's panic"));
                }
                None
            })
        };
        let now = Instant::now();
        assert!(call(now, job(true)) && call(now + Duration::from_millis(1), job(false)));
        assert_eq!(calls.iter().take(2).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn jobs_are_called_in_their_time_as_often_as_they_want() {
        let (sender, calls) = mpsc::channel();
        let now = Instant::now();
        let job = |name, mut more: Vec<Instant>| -> Job {
            let sender = sender.clone();
            Box::new(move || {
                sender.send((name, Instant::now())).unwrap();
                more.pop()
            })
        };
        let ms = |ms| now + Duration::from_millis(ms);
        assert!(call(ms(2), job("later", vec![ms(3)])) && call(now, job("at once", Vec::new())));
        let calls: Vec<_> = calls.iter().take(3).collect();
        assert_eq!(calls.iter().map(|&(name, _)| name).collect::<Vec<_>>(), ["at once", "later", "later"]);
        assert!(calls[1].1 >= ms(2) && calls[2].1 >= ms(3));
    }
}
