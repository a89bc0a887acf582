//! Tickets for borrowed items: threads that have all let go when the call returns. No lifetime is stretched; rayon's
//! and std's scopes carry them.
//!
//! A rayon scope cannot be opened without starting rayon's pool, and a stream may never need one. So the first ticket
//! for a pool that is not running yet goes to a *broker*: a scoped thread that opens the pool's scope on our behalf
//! and passes tickets on.

use std::io;
use std::marker::PhantomData;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, ScopedJoinHandle, ThreadId};
use std::time::{Duration, Instant};

use rayon::Yield;

use super::launch::{Launch, Target, is_running, serve};
use super::own;
use super::queue::Queue;
use crate::decide::pilot::Beside;
use crate::first_thread;
use crate::pool::Bell;
use crate::quiet::drop_quietly;
use crate::sync::{lock, sleep_while};
use crate::work::Work;

type Job<'s> = Box<dyn FnOnce() + Send + 's>;

/// Times that a scope lets other threads go first, so that one which has just ended its ticket gets to say so; and where
/// that one had to wake it, which takes microseconds.
const YIELDS: usize = 12;
const YIELDS_AFTER_SLEEP: usize = 256;

/// How long a thread may take to begin before it is not taken for granted any more.
const LATE: Duration = Duration::from_millis(1);

/// Takes tickets of borrowed items to threads, within a scope.
pub struct Scoped<'a, 's, 'env> {
    launch: &'a (dyn Fn(&Target, Job<'s>) -> bool + Sync + 'a),
    environment: PhantomData<&'s mut &'env ()>,
}

impl<'a, 's> Scoped<'a, 's, '_> {
    fn new(launch: &'a (dyn Fn(&Target, Job<'s>) -> bool + Sync + 'a)) -> Self {
        Self { launch, environment: PhantomData }
    }
}

impl<'s, W, I> Launch<W, I> for Scoped<'_, 's, '_>
where
    W: Work<I, Output: Send + 's> + Send + Sync + 's,
    I: Send + 's,
{
    const WAITS: bool = true;

    fn launch(&self, target: &Target, queue: Arc<Queue<W, I, W::Output>>, epoch: u32) -> bool {
        (self.launch)(target, Box::new(move || serve(queue, epoch)))
    }

    /// A thread of the pool itself runs what nobody else has taken. For others the end would wait for a ticket that no
    /// thread has had time for.
    fn beside(&self, is_stated: bool) -> Beside {
        if rayon::current_thread_index().is_some() {
            Beside::Thread
        } else if own::may_start(is_stated) {
            Beside::Own { has_pool: is_running() }
        } else {
            Beside::Nobody
        }
    }

    /// Whoever looks in is bound to no scope.
    fn can_look_out(&self) -> bool {
        false
    }

    fn look_after(&self, _: &Arc<Queue<W, I, W::Output>>, _: usize) {}
}

/// Runs `body`, and returns when every ticket it launched has ended.
pub(crate) fn enter<'env, T>(body: impl for<'a, 's> FnOnce(Scoped<'a, 's, 'env>) -> T) -> T {
    thread::scope(|threads| {
        let brokers = Brokers { threads, open: Mutex::default(), started: Mutex::default() };
        if is_running() {
            rayon::in_place_scope(|scope| {
                let roll = Roll::new();
                let _closed_at_last = CloseOnDrop(&roll);
                body(Scoped::new(&to_threads(&brokers, Some((scope, &roll)))))
            })
        } else {
            body(Scoped::new(&to_threads(&brokers, None)))
        }
    })
}

/// Takes a job to the open scope of the current pool if there is one, to a broker otherwise.
fn to_threads<'a, 's>(
    brokers: &'a Brokers<'s, '_>,
    current: Option<(&'a rayon::Scope<'s>, &'a Roll)>,
) -> impl Fn(&Target, Job<'s>) -> bool + Sync + 'a {
    move |target, job| match (target, current) {
        (Target::Current, Some((scope, roll))) => {
            let ticket = roll.enter(job);
            scope.spawn(move |_| ticket.run());
            true
        }
        (Target::Own, _) => brokers.keep(own::start(brokers.threads, job)),
        _ => brokers.send(target, job),
    }
}

/// The tickets that the thread of a scope has handed to its own pool.
///
/// A pool's thread that waits for them in rayon's way runs whatever job it finds meanwhile, and that job may want a
/// lock which the caller of the scope holds. So a scope first closes its roll: it takes back what is still its own, waits
/// without running anything for the tickets that others have, and rayon's own wait has next to nothing to wait for. (No
/// thread waits in a circle: a ticket only ever waits for what was started after it.)
#[derive(Clone)]
struct Roll {
    owner: ThreadId,
    /// The owner belongs to a pool.
    is_within_pool: bool,
    present: Arc<(Mutex<Present>, Condvar)>,
}

#[derive(Default)]
struct Present {
    /// Tickets that the owner handed over, and nobody has begun.
    awaited: usize,
    running: usize,
    /// Another thread has run one.
    has_run: bool,
    is_closed: bool,
    /// The owner sleeps until all have ended.
    is_waited_for: bool,
}

impl Present {
    /// Whether other threads have tickets, or are about to.
    fn has_others(&self) -> bool {
        self.running + self.awaited > 0
    }
}

impl Roll {
    fn new() -> Self {
        let is_within_pool = rayon::current_thread_index().is_some();
        Self { owner: thread::current().id(), is_within_pool, present: Arc::default() }
    }

    /// A ticket that is handed over now. (One of another thread's goes to the pool's common queue: it may come last.)
    fn enter<'s>(&self, job: Job<'s>) -> Ticket<'s> {
        let is_awaited = thread::current().id() == self.owner;
        self.lock().awaited += usize::from(is_awaited);
        Ticket { job, is_awaited, roll: self.clone() }
    }

    fn close(&self) {
        self.lock().is_closed = true;
        while self.is_awaiting() && rayon::yield_local() == Some(Yield::Executed) {}
        let mut present = self.lock();
        present.is_waited_for = present.has_others();
        let yields = match (present.has_run, present.is_waited_for) {
            // There is no job that rayon could run.
            _ if !self.is_within_pool => 0,
            (_, true) => YIELDS_AFTER_SLEEP,
            (true, false) => YIELDS,
            (false, false) => 0,
        };
        let (is_awaiting, begin) = (present.awaited > 0, Instant::now());
        sleep_while(&self.present.1, present, |present| present.has_others());
        if is_awaiting && !self.is_within_pool && begin.elapsed() > LATE {
            Bell::global().saw_none();
        }
        // The last one has signed off; rayon hears of it a moment later.
        (0..yields).for_each(|_| thread::yield_now());
    }

    fn is_awaiting(&self) -> bool {
        self.lock().awaited > 0
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        lock(&self.present.0)
    }
}

struct Ticket<'s> {
    job: Job<'s>,
    is_awaited: bool,
    roll: Roll,
}

impl Ticket<'_> {
    /// Runs the job, unless the roll is closed.
    fn run(self) {
        let Self { job, is_awaited, roll } = self;
        let is_late = {
            let mut present = roll.lock();
            present.awaited -= usize::from(is_awaited);
            present.running += 1;
            present.has_run |= thread::current().id() != roll.owner;
            present.is_closed
        };
        let _signs_off = SignOffOnDrop(&roll);
        if is_late {
            drop_quietly(job);
        } else {
            job();
        }
    }
}

/// Signs a ticket off however it ends.
struct SignOffOnDrop<'a>(&'a Roll);

impl Drop for SignOffOnDrop<'_> {
    fn drop(&mut self) {
        if !self.0.is_within_pool {
            Bell::global().saw_thread();
        }
        let mut present = self.0.lock();
        present.running -= 1;
        let is_waited_for = present.is_waited_for;
        drop(present);
        // Takes its time, for which the ticket has not ended as far as rayon knows.
        if is_waited_for {
            self.0.present.1.notify_all();
        }
    }
}

/// Closes a roll however the body of the scope ends.
struct CloseOnDrop<'a>(&'a Roll);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The brokers of one scope, one for each pool that was needed.
struct Brokers<'s, 'env> {
    threads: &'s thread::Scope<'s, 'env>,
    open: Mutex<Vec<(Target, Sender<Job<'s>>)>>,
    /// All threads that were started for this scope.
    started: Mutex<Vec<ScopedJoinHandle<'s, ()>>>,
}

impl<'s> Brokers<'s, '_> {
    fn send(&self, target: &Target, job: Job<'s>) -> bool {
        // What is not sent is dropped, and a user's values with it: not under the lock.
        self.to(target).is_some_and(|broker| broker.send(posted(target, job)).is_ok())
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
fn posted<'s>(target: &Target, job: Job<'s>) -> Job<'s> {
    let Target::Crew(crew) = target else { return job };
    let post = crew.post();
    let bell = Arc::clone(crew.bell());
    Box::new(move || {
        job();
        bell.saw_thread();
        drop(post);
    })
}

/// What a broker does: until nobody sends any more, and all of them have ended.
fn pass_on(target: &Target, jobs: &Receiver<Job<'_>>) {
    match target {
        Target::Current | Target::Own => {
            rayon::in_place_scope(|scope| jobs.iter().for_each(|job| scope.spawn(move |_| job())));
        }
        Target::Crew(crew) => {
            crew.pool().in_place_scope(|scope| jobs.iter().for_each(|job| scope.spawn(move |_| job())));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::quiet::quietly;

    use super::*;

    #[test]
    fn a_ticket_that_unwinds_has_ended_too() {
        let roll = Roll::new();
        let ends = |job: Job<'_>| quietly(|| roll.enter(job).run());
        ends(Box::new(|| std::panic::resume_unwind(Box::new("from whoever listens"))));
        roll.close();
        ends(Box::new(|| unreachable!("it is closed")));
        assert_eq!(roll.lock().running, 0);
        assert!(!roll.is_awaiting());
    }
}
