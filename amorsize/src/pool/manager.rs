//! Which crews there are, and until when: found by kind and size, shared, ended after five idle minutes by a thread
//! that sleeps until the first of them is due.

use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use crate::constants::{MAX_BLOCKING_THREADS, POOL_IDLE_TIMEOUT};
use crate::plan::Pool;
use crate::sync;

use super::crew::{Crew, Dismissed, Post, Refused, is_crew_thread, start_what_is_possible};
use super::{PoolStats, Stats};

/// Threads of one blocking crew.
const BLOCKING_CREW: usize = 16;
/// Threads of all blocking crews from which no more are started for a stream that wants fewer: streams within functions
/// of streams would multiply them. Those that get none run on the threads that wait for them.
const MOST_BLOCKING: usize = 4 * MAX_BLOCKING_THREADS;
/// Most threads of one crew: each that has nothing to do asks all others, which takes seconds where they are a
/// thousand.
const LARGEST_CREW: usize = 256;

struct Entry {
    crew: Arc<Crew>,
    /// Threads that the crew was to have: more than it has if the system refused them.
    asked: usize,
    /// When the crew was last seen in use.
    used: Instant,
}

#[derive(Default)]
struct Crews {
    entries: Vec<Entry>,
    has_keeper: bool,
}

struct Manager {
    crews: Mutex<Crews>,
    changed: Condvar,
}

static MANAGER: LazyLock<Manager> = LazyLock::new(|| Manager { crews: Mutex::default(), changed: Condvar::new() });

fn lock() -> MutexGuard<'static, Crews> {
    sync::lock(&MANAGER.crews)
}

/// Whether all tickets of a pinned plan of `threads` threads go to the same crew.
pub(crate) fn is_one_crew(threads: usize) -> bool {
    threads <= LARGEST_CREW
}

/// A crew, and a job there that is counted already: nobody else gets its thread meanwhile.
pub(crate) type Hired = (Arc<Crew>, Post);

/// The crew of `threads` threads for pinned plans, or, where those take more than one crew, one of the largest size
/// with a thread to spare; `None` if no thread can be started.
pub(crate) fn cpu_crew(threads: usize) -> Option<Hired> {
    let hire = |crew: &Crew| if is_one_crew(threads) { Some(crew.post()) } else { crew.try_post() };
    find_or_start(Pool::Cpu, threads.min(LARGEST_CREW), usize::MAX, hire)
}

/// A blocking crew with a thread to spare, for a stream that wants so many in all; `None` if no thread can be started,
/// or too many wait already.
pub(crate) fn blocking_crew(wanted: usize) -> Option<Hired> {
    find_or_start(Pool::Blocking, BLOCKING_CREW, wanted.max(MOST_BLOCKING), Crew::try_post)
}

/// A crew of this kind and size that hires, or else a new one, unless the kind has `most` threads already.
fn find_or_start(kind: Pool, size: usize, most: usize, hire: impl Fn(&Crew) -> Option<Post>) -> Option<Hired> {
    let mut crews = lock();
    if let Some(hired) = crews.find(kind, size, hire) {
        return Some(hired);
    }
    if crews.threads(kind) >= most {
        return None;
    }
    let (crew, refused) = start_what_is_possible(kind, size);
    let crew = crew.map(|crew| {
        let post = crew.post();
        (crews.add(crew, size), post)
    });
    // Whoever listens may do anything: not under the lock.
    drop(crews);
    refused.iter().for_each(Refused::tell);
    crew
}

/// Ends crews that nobody has used for a while; ends itself when none is left.
fn keep() {
    let mut crews = lock();
    while !crews.entries.is_empty() {
        let now = Instant::now();
        let (ended, next) = crews.end_idle(now);
        let wait = next.map_or(POOL_IDLE_TIMEOUT, |due| due.saturating_duration_since(now));
        if !ended.is_empty() {
            // Ending a crew wakes its threads: not under the lock.
            drop(crews);
            drop(ended);
            crews = lock();
            continue;
        }
        crews = sync::sleep(&MANAGER.changed, crews, Some(wait));
    }
    crews.has_keeper = false;
}

impl Crews {
    fn find(&mut self, kind: Pool, size: usize, hire: impl Fn(&Crew) -> Option<Post>) -> Option<Hired> {
        let mut alike = self.entries.iter_mut().filter(|entry| entry.crew.kind() == kind && entry.asked == size);
        alike.find_map(|entry| {
            let post = hire(&entry.crew)?;
            entry.used = Instant::now();
            Some((Arc::clone(&entry.crew), post))
        })
    }

    fn threads(&self, kind: Pool) -> usize {
        self.entries.iter().filter(|entry| entry.crew.kind() == kind).map(|entry| entry.crew.size()).sum()
    }

    fn add(&mut self, crew: Crew, asked: usize) -> Arc<Crew> {
        let crew = Arc::new(crew);
        self.entries.push(Entry { crew: Arc::clone(&crew), asked, used: Instant::now() });
        if !self.has_keeper {
            self.has_keeper = thread::Builder::new().name("amorsize-keeper".into()).spawn(keep).is_ok();
        }
        crew
    }

    /// Takes out the crews that are idle for too long; the time at which the next one may be.
    fn end_idle(&mut self, now: Instant) -> (Vec<Entry>, Option<Instant>) {
        for entry in &mut self.entries {
            let is_used = Arc::strong_count(&entry.crew) > 1 || entry.crew.jobs() > 0;
            entry.used = if is_used { now } else { entry.used.max(entry.crew.last_job().unwrap_or(entry.used)) };
        }
        let ended = self.entries.extract_if(.., |entry| is_due(entry.used, now)).collect();
        (ended, self.entries.iter().map(|entry| entry.used + POOL_IDLE_TIMEOUT).min())
    }
}

fn is_due(used: Instant, now: Instant) -> bool {
    now.saturating_duration_since(used) >= POOL_IDLE_TIMEOUT
}

pub(super) fn stats() -> Stats {
    let of = |crew: &Crew| PoolStats { kind: crew.kind(), threads: crew.size(), running: crew.jobs() };
    Stats { pools: lock().entries.iter().map(|entry| of(&entry.crew)).collect() }
}

pub(super) fn shutdown() {
    let entries = std::mem::take(&mut lock().entries);
    MANAGER.changed.notify_all();
    // Whoever still hands out jobs finds these crews gone.
    let dismissed: Vec<_> = entries.into_iter().map(|entry| entry.crew.dismiss()).collect();
    // A thread of a crew would wait for itself.
    if !is_crew_thread() {
        dismissed.into_iter().for_each(Dismissed::wait);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_idle_crew_is_due_after_the_timeout_and_a_used_one_is_not() {
        let crew = Arc::new(Crew::start(Pool::Cpu, 1, 1).unwrap());
        let start = Instant::now();
        let entry = Entry { crew: Arc::clone(&crew), asked: 1, used: start };
        let mut crews = Crews { entries: vec![entry], has_keeper: false };
        let late = start + POOL_IDLE_TIMEOUT + Duration::from_secs(1);
        assert!(crews.end_idle(late).0.is_empty(), "somebody holds it");
        drop(crew);
        assert!(crews.end_idle(late + Duration::from_secs(1)).0.is_empty(), "used a second ago");
        let late = late + POOL_IDLE_TIMEOUT;
        assert_eq!(crews.end_idle(late).0.len(), 1);
    }

    #[test]
    fn a_crew_is_used_by_the_jobs_it_gets() {
        let crew = Arc::new(Crew::start(Pool::Cpu, 1, 1).unwrap());
        let start = Instant::now();
        drop(crew.post());
        let job = crew.last_job().expect("one was posted");
        let mut crews = Crews { entries: vec![Entry { crew, asked: 1, used: start }], has_keeper: false };
        let (ended, next) = crews.end_idle(job);
        assert!(ended.is_empty());
        assert_eq!(next, Some(job + POOL_IDLE_TIMEOUT));
    }

    #[test]
    fn a_crew_of_fewer_threads_than_were_asked_for_is_found_again() {
        let crew = Arc::new(Crew::start(Pool::Cpu, 1, 1).unwrap());
        let entry = Entry { crew: Arc::clone(&crew), asked: 4, used: Instant::now() };
        let mut crews = Crews { entries: vec![entry], has_keeper: false };
        let mut find = |kind, size| crews.find(kind, size, Crew::try_post);
        assert!(find(Pool::Cpu, 1).is_none() && find(Pool::Blocking, 4).is_none());
        assert!(find(Pool::Cpu, 4).is_some_and(|(found, _)| Arc::ptr_eq(&found, &crew)));
    }

    #[test]
    fn a_thread_is_for_one_of_those_who_ask() {
        let crew = Arc::new(Crew::start(Pool::Blocking, 1, 1).unwrap());
        let mut crews = Crews { entries: vec![Entry { crew, asked: 1, used: Instant::now() }], has_keeper: false };
        let mut hire = || crews.find(Pool::Blocking, 1, Crew::try_post);
        let first = hire();
        assert!(first.is_some() && hire().is_none(), "before it has begun");
        drop(first);
        assert!(hire().is_some());
    }

    #[test]
    fn where_many_threads_wait_no_more_are_started() {
        let entry = |kind, size| {
            let crew = Arc::new(Crew::start(kind, size, size).unwrap());
            Entry { crew, asked: size, used: Instant::now() }
        };
        let entries = vec![entry(Pool::Blocking, 2), entry(Pool::Cpu, 1), entry(Pool::Blocking, 3)];
        assert_eq!(Crews { entries, has_keeper: false }.threads(Pool::Blocking), 5);
        assert!(find_or_start(Pool::Blocking, 7, 0, Crew::try_post).is_none());
    }

    #[test]
    fn the_same_size_is_shared() {
        let [(one, _), (other, _)] = [cpu_crew(3), cpu_crew(3)].map(Option::unwrap);
        assert!(Arc::ptr_eq(&one, &other));
    }
}
