//! Threads that are started for a scope: brokers, each of which opens the scope of a pool on our behalf and passes
//! tickets on, and those for first items.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, ScopedJoinHandle};

use super::Job;
use crate::engine::own;
use crate::engine::target::{Slot, Target};
use crate::first_thread;
use crate::quiet::drop_quietly;
use crate::sync::lock;

/// See the module: one for each pool that was needed.
pub(super) struct Brokers<'s, 'env> {
    threads: &'s thread::Scope<'s, 'env>,
    open: Mutex<Vec<(Target, Sender<Job<'s>>)>>,
    /// All threads that were started for this scope.
    started: Mutex<Vec<ScopedJoinHandle<'s, ()>>>,
}

impl<'s, 'env> Brokers<'s, 'env> {
    pub(super) fn new(threads: &'s thread::Scope<'s, 'env>) -> Self {
        Self { threads, open: Mutex::default(), started: Mutex::default() }
    }

    /// Has a thread of its own run a job; false if none can be had.
    pub(super) fn start_own(&self, job: Job<'s>) -> bool {
        self.keep(own::start(self.threads, job))
    }

    /// Has a thread of a pool run a job; false if none can be had.
    pub(super) fn send(&self, slot: Slot, job: Job<'s>) -> bool {
        // What is not sent is dropped, and a user's values with it: not under the lock.
        self.to(&slot.target).is_some_and(|broker| broker.send(posted(slot, job)).is_ok())
    }

    /// Where the jobs for a pool go; `None` if no thread can be had.
    fn to(&self, target: &Target) -> Option<Sender<Job<'s>>> {
        let mut open = lock(&self.open);
        if let Some((_, broker)) = open.iter().find(|(known, _)| known.is_same(target)) {
            return Some(broker.clone());
        }
        first_thread::may_start();
        let (broker, jobs) = mpsc::channel();
        let pool = target.clone();
        let started = thread::Builder::new()
            .name("amorsize-broker".into())
            .spawn_scoped(self.threads, move || pass_on(&pool, &jobs));
        if started.is_ok() {
            open.push((target.clone(), broker.clone()));
        }
        drop(open);
        self.keep(started).then_some(broker)
    }

    /// Remembers a thread that was started; false if it was not.
    fn keep(&self, started: io::Result<ScopedJoinHandle<'s, ()>>) -> bool {
        match started {
            Ok(thread) => {
                lock(&self.started).push(thread);
                true
            }
            Err(error) => {
                tracing::warn!(target: "amorsize", %error, "no thread could be started; the caller goes on alone");
                false
            }
        }
    }
}

/// Std's scope waits for what threads run, and not for the values that the function has left in their thread-locals.
impl Drop for Brokers<'_, '_> {
    fn drop(&mut self) {
        lock(&self.open).clear();
        let started = std::mem::take(&mut *lock(&self.started));
        started.into_iter().for_each(|thread| drop_quietly(thread.join()));
    }
}

/// A job that a crew knows of until it has ended.
fn posted<'s>(Slot { target, post }: Slot, job: Job<'s>) -> Job<'s> {
    let Target::Crew(crew) = target else { return job };
    let bell = Arc::clone(crew.bell());
    Box::new(move || {
        job();
        bell.saw_thread();
        drop(post);
    })
}

/// What a broker does: until nobody sends jobs any more, and all of them have ended.
fn pass_on(target: &Target, jobs: &Receiver<Job<'_>>) {
    match target {
        Target::Current => {
            rayon::in_place_scope(|scope| jobs.iter().for_each(|job| scope.spawn(move |_| job())));
        }
        Target::Crew(crew) => {
            crew.pool().in_place_scope(|scope| jobs.iter().for_each(|job| scope.spawn(move |_| job())));
        }
    }
}
