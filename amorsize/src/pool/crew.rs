//! A rayon pool whose jobs are counted, so that their end can be waited for.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::bell::Bell;
use crate::first_thread;
use crate::plan::Pool;
use crate::sync::{lock, sleep_while};

/// A rayon pool whose jobs are counted.
#[derive(Debug)]
pub(crate) struct Crew {
    kind: Pool,
    size: usize,
    pool: ThreadPool,
    count: Arc<Count>,
    bell: Arc<Bell>,
}

#[derive(Debug, Default)]
struct Count {
    jobs: Mutex<Jobs>,
    changed: Condvar,
    is_dismissed: AtomicBool,
}

#[derive(Debug, Default)]
struct Jobs {
    running: usize,
    /// When the last job was handed over.
    last: Option<Instant>,
}

thread_local! {
    /// Threads that were asked for when the crew of the calling thread was started; 0 elsewhere.
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// Whether the calling thread belongs to a crew.
pub(crate) fn is_crew_thread() -> bool {
    asked_here() > 0
}

/// Threads that the crew of the calling thread was to have, and has as far as the system allows; 0 elsewhere.
pub(crate) fn asked_here() -> usize {
    ASKED.get()
}

/// A job that counts until it is dropped, run or not.
#[derive(Debug)]
pub(crate) struct Post(Arc<Count>);

impl Drop for Post {
    fn drop(&mut self) {
        lock(&self.0.jobs).running -= 1;
        self.0.changed.notify_all();
    }
}

impl Crew {
    /// Starts `size` threads, of those that were `asked` for.
    pub(crate) fn start(kind: Pool, size: usize, asked: usize) -> Result<Self, ThreadPoolBuildError> {
        first_thread::may_start();
        let pool = ThreadPoolBuilder::new()
            .num_threads(size)
            .thread_name(move |index| format!("amorsize-{kind}-{index}"))
            .start_handler(move |_| ASKED.set(asked))
            .build()?;
        Ok(Self { kind, size, pool, count: Arc::default(), bell: Arc::default() })
    }

    pub(crate) fn kind(&self) -> Pool {
        self.kind
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn pool(&self) -> &ThreadPool {
        &self.pool
    }

    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// Jobs that have not ended.
    pub(crate) fn jobs(&self) -> usize {
        lock(&self.count.jobs).running
    }

    /// When a job was last handed over.
    pub(crate) fn last_job(&self) -> Option<Instant> {
        lock(&self.count.jobs).last
    }

    /// Whether the crew is to be given no more jobs.
    pub(crate) fn is_dismissed(&self) -> bool {
        self.count.is_dismissed.load(Ordering::Relaxed)
    }

    /// Counts a job from now until the returned value is dropped.
    pub(crate) fn post(&self) -> Post {
        self.count(lock(&self.count.jobs))
    }

    /// Counts a job where a thread has nothing to do, until the returned value is dropped.
    pub(crate) fn try_post(&self) -> Option<Post> {
        let jobs = lock(&self.count.jobs);
        (jobs.running < self.size).then(|| self.count(jobs))
    }

    fn count(&self, mut jobs: MutexGuard<'_, Jobs>) -> Post {
        jobs.running += 1;
        jobs.last = Some(Instant::now());
        Post(Arc::clone(&self.count))
    }

    /// Says that the crew is to be given no more jobs; those that are left.
    pub(crate) fn dismiss(&self) -> Dismissed {
        self.count.is_dismissed.store(true, Ordering::Relaxed);
        Dismissed(Arc::clone(&self.count))
    }
}

/// The jobs that are left of a dismissed crew.
pub(crate) struct Dismissed(Arc<Count>);

impl Dismissed {
    /// Waits until all jobs have ended.
    pub(crate) fn wait(self) {
        let jobs = lock(&self.0.jobs);
        sleep_while(&self.0.changed, jobs, |jobs| jobs.running > 0);
    }
}

/// An attempt at a crew that the system refused.
pub(crate) struct Refused {
    kind: Pool,
    threads: usize,
    error: ThreadPoolBuildError,
}

impl Refused {
    pub(crate) fn tell(&self) {
        let Self { kind, threads, error } = self;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        tracing::warn!(target: "amorsize", %error, threads, cores, "a {kind} pool could not be started; trying fewer threads");
    }
}

/// Starts a crew, with half the threads as long as the system refuses so many; and what it refused.
pub(crate) fn start_what_is_possible(kind: Pool, size: usize) -> (Option<Crew>, Vec<Refused>) {
    let mut refused = Vec::new();
    let mut threads = size;
    while threads > 0 {
        match Crew::start(kind, threads, size) {
            Ok(crew) => return (Some(crew), refused),
            Err(error) => refused.push(Refused { kind, threads, error }),
        }
        threads /= 2;
    }
    (None, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_know_how_many_their_crew_was_to_have() {
        let crew = Crew::start(Pool::Cpu, 1, 4).expect("a thread can be had");
        assert_eq!((crew.pool().install(asked_here), asked_here()), (4, 0));
    }
}
