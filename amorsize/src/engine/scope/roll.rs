//! The tickets that the thread of a scope has handed to its own pool.
//!
//! A pool's thread that waits for them in rayon's way runs whatever job it finds meanwhile, and that job may want a
//! lock which the caller of the scope holds. So a scope first closes its roll: it takes back what is still its own,
//! waits without running anything for the tickets that others have, and rayon's own wait has next to nothing to wait
//! for. (No thread waits in a circle: a ticket only ever waits for what was started after it.)

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use rayon::Yield;

use super::Job;
use crate::pool::Bell;
use crate::quiet::drop_quietly;
use crate::sync::{lock, sleep_while};

/// Times that a scope lets other threads go first, so that one which has just ended its ticket gets to say so; and
/// where that one had to wake it, which takes microseconds.
const YIELDS: usize = 12;
const YIELDS_AFTER_SLEEP: usize = 256;
/// Longest time for which a scope lets other threads go first: where others compute, each time may take milliseconds.
const LONGEST_YIELDS: Duration = Duration::from_micros(100);

/// See the module.
#[derive(Clone)]
pub(super) struct Roll {
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
    /// Another thread has run a ticket.
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
    pub(super) fn new() -> Self {
        let is_within_pool = rayon::current_thread_index().is_some();
        Self { owner: thread::current().id(), is_within_pool, present: Arc::default() }
    }

    /// A ticket that is handed over now. (One of another thread's goes to the pool's common queue: it may come last.)
    pub(super) fn enter<'s>(&self, job: Job<'s>) -> Ticket<'s> {
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
        if is_awaiting && !self.is_within_pool {
            Bell::global().made_wait(begin.elapsed());
        }
        // The last one has signed off; rayon hears of it a moment later.
        let begin = Instant::now();
        (0..yields).take_while(|_| begin.elapsed() < LONGEST_YIELDS).for_each(|_| thread::yield_now());
    }

    fn is_awaiting(&self) -> bool {
        self.lock().awaited > 0
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        lock(&self.present.0)
    }
}

pub(super) struct Ticket<'s> {
    job: Job<'s>,
    is_awaited: bool,
    roll: Roll,
}

impl Ticket<'_> {
    /// Runs the job, unless the roll is closed.
    pub(super) fn run(self) {
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
pub(super) struct CloseOnDrop<'a>(pub(super) &'a Roll);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
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
