//! The queue of one stream: chunks that wait, results that are finished, and the consumer that may sleep between them.
//!
//! One mutex, held for a few instructions and never while a user's code runs. A pool job is only a *ticket*: it takes
//! chunks while there are any and then ends, so a stream that waits holds no thread, and the consumer can always run
//! its own chunks.
//!
//! - here: what the consumer does with it, and how it sleeps
//! - [`state`]: what the mutex guards
//! - [`ahead`]: items that threads may take while the consumer runs the first one
//! - [`held`]: how many bytes of results may wait
//! - [`overdue`]: a consumer whose own chunk does not end
//! - [`run`]: what a ticket does: chunks are taken, run, divided, given back

mod ahead;
mod held;
mod overdue;
mod run;
mod state;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::chunk::{Batch, Chunk};
use super::place::Place;
use super::wake::Launched;
use crate::decide::observed::{Delay, Runner};
use crate::decide::waiting::Waiting;
use crate::quiet::drop_each_quietly;
use crate::sync::{lock, look_out, sleep};
pub(crate) use ahead::{Added, Claimed, Found, FoundWaiting, Terms};
pub(crate) use state::Sleeper;
use state::{State, Unwanted};

const RUN: u8 = 0;
const DIVIDE: u8 = 1;
const CANCEL: u8 = 2;

/// Longest time for which the consumer looks out for results before it sleeps: what waking it would take.
const LOOK_OUT: Duration = Duration::from_micros(40);

/// Bytes between two that are written by different threads: a cache line, and the neighbour that is fetched with it.
const APART: usize = 128;

/// What every thread reads between two items, and the consumer all the time while it looks out. Nobody who writes
/// something else is to take these from them, so they are kept apart by bytes that nobody uses. (Blocks that begin with a
/// cache line are never [small](crate::decide::pilot::SMALL_BLOCK) ones to glibc.)
#[repr(C)]
struct Signs {
    before: [u8; APART],
    /// What is to become of chunks that run.
    signal: AtomicU8,
    between: [u8; APART - 1],
    /// Chunks given back or divided so far.
    returns: AtomicUsize,
    after: [u8; APART - size_of::<usize>()],
}

impl Signs {
    fn new() -> Self {
        let (signal, returns) = (AtomicU8::new(RUN), AtomicUsize::new(0));
        Self { before: [0; _], signal, between: [0; _], returns, after: [0; _] }
    }
}

pub struct Queue<W, I, R> {
    signs: Signs,
    /// Bytes of results from which a chunk hands in what it has.
    handful: AtomicUsize,
    work: Arc<W>,
    state: Mutex<State<I, R>>,
    changed: Condvar,
}

/// What [`Queue::poll`] found.
pub(crate) struct Polled<R> {
    pub(crate) batch: Option<Batch<R>>,
    pub(crate) queued: usize,
    /// A ticket that the caller launches or returns.
    pub(crate) claimed: bool,
    pub(crate) standing: Standing,
}

/// How far a run is, apart from what was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// Results finished and not yet taken.
    pub(crate) ready: u64,
    /// Time that all threads together have spent on finished chunks, and their delays.
    pub(crate) worked: Duration,
    pub(crate) delay: Delay,
    /// A thread has begun with a chunk.
    pub(crate) is_manned: bool,
}

impl<W, I, R> Queue<W, I, R> {
    pub(crate) fn new(work: Arc<W>) -> Self {
        let (handful, state) = (AtomicUsize::new(usize::MAX), Mutex::new(State::new()));
        Self { signs: Signs::new(), handful, work, state, changed: Condvar::new() }
    }

    /// Sets how many chunks may run at the same time and whether results keep their order. `moves`: from now on in
    /// another pool, so the tickets of the present one end at their next chunk. The epoch of those that follow.
    pub(crate) fn configure(&self, limit: usize, ordered: bool, moves: bool) -> u32 {
        let mut state = self.lock();
        state.limit = limit;
        state.ordered = ordered;
        if moves {
            state.epoch += 1;
            state.tickets = 0;
            state.awaited = None;
        }
        state.epoch
    }

    /// The epoch of tickets that are launched now.
    #[cfg(test)]
    fn epoch(&self) -> u32 {
        self.lock().epoch
    }

    /// Adds a chunk behind all others. True: a ticket was claimed, which the caller launches or returns.
    pub(crate) fn push(&self, chunk: Chunk<I, R>, most_tickets: usize) -> bool {
        let mut state = self.lock();
        if self.signs.signal.load(Ordering::Relaxed) == DIVIDE {
            self.signs.signal.store(RUN, Ordering::Relaxed);
        }
        state.queued.push_back(chunk);
        state.claim_ticket(most_tickets)
    }

    /// A ticket is handed to a pool of threads that may be asleep: how soon one begins is to be found out, and it is to
    /// keep off the `consumer`.
    pub(crate) fn note_launch(&self, launched: Launched, consumer: Option<Place>) {
        let mut state = self.lock();
        state.launched.get_or_insert(launched);
        state.consumer = consumer;
    }

    /// Claims a ticket for what was given away.
    pub(crate) fn claim(&self, most_tickets: usize) -> bool {
        self.lock().claim_ticket(most_tickets)
    }

    /// Claims a ticket for what was handed over, as long as the results that come next are not finished.
    pub(crate) fn claim_meanwhile(&self, next: u64, most_tickets: usize) -> bool {
        let mut state = self.lock();
        !state.is_ready(next) && state.claim_ticket(most_tickets)
    }

    /// Whether somebody runs a chunk.
    pub(crate) fn is_running(&self) -> bool {
        self.lock().running > 0
    }

    /// Takes back a ticket, claimed in this epoch, that could not be launched; how many there still are.
    pub(crate) fn return_ticket(&self, epoch: u32) -> usize {
        let mut state = self.lock();
        state.tickets -= usize::from(state.epoch == epoch);
        state.tickets
    }

    /// Takes the results that come next, if they are finished, and vectors that are `spent`, if there are none left.
    /// Others may take so many bytes until they are yielded.
    pub(crate) fn poll(&self, next: u64, most_tickets: usize, most_bytes: usize, spent: &mut Vec<Vec<I>>) -> Polled<R> {
        let mut state = self.lock();
        if spent.is_empty() {
            std::mem::swap(spent, &mut state.spent);
        }
        let batch = state.take_batch(next);
        let taken = batch.as_ref().map_or(0, |batch| batch.results.len() as u64);
        state.held.expect(next + taken, most_bytes);
        self.handful.store(state.held.handful(state.limit), Ordering::Relaxed);
        let claimed = state.claim_ticket(most_tickets);
        Polled { batch, queued: state.queued.len(), claimed, standing: state.standing() }
    }

    /// Takes the first waiting chunk if it is for the consumer to run, and tells as whom: not more than so many items
    /// alone, since every thread waits meanwhile. [`Queue::deposit`] must follow.
    pub(crate) fn take_chunk(&self, waiting: Waiting, alone: usize) -> Option<(Chunk<I, R>, Runner)> {
        let mut state = self.lock();
        if !state.is_left_to_consumer(waiting) {
            return None;
        }
        let limit = state.limit.max(1);
        let mut chunk = state.take_chunk(limit)?;
        if state.limit > 0 {
            state.helps(chunk.how.expected);
            return Some((chunk, Runner::Consumer));
        }
        if let Some(rest) = chunk.split_off(alone) {
            state.queued.push_front(rest);
        }
        Some((chunk, Runner::Alone))
    }

    /// Gives back what the consumer ran; returns it at once if it is what comes next.
    pub(crate) fn deposit(&self, batch: Batch<R>, next: u64) -> Option<(Batch<R>, Standing)> {
        let mut state = self.lock();
        state.running -= 1;
        state.helped();
        let is_next = !state.ordered || batch.start == next;
        if is_next && batch.panic.is_none() {
            state.held.advance(next + batch.results.len() as u64);
            state.count(&batch.cost);
            return Some((batch, state.standing()));
        }
        let unwanted = state.finish(batch);
        let ready = if is_next { state.take_batch(next) } else { None };
        let standing = state.standing();
        drop(state);
        unwanted.discard();
        ready.map(|batch| (batch, standing))
    }

    /// Sleeps until the consumer has something to do. Returns false at once if there is nothing to wait for. While it
    /// sleeps, running chunks are divided if threads are idle.
    pub(crate) fn wait(&self, sleeper: Sleeper, waits: &mut u64) -> bool {
        let mut state = self.lock();
        if state.is_idle() && state.finished.is_empty() {
            return false;
        }
        if sleeper.waiting.is_short && !state.may_wake(sleeper) {
            self.ask_for_division(&state);
            state = self.look_out(state);
        }
        while !state.may_wake(sleeper) {
            let left = sleeper.until.map(|until| until.saturating_duration_since(Instant::now()));
            let patience = state.patience(sleeper.waiting).into_iter().chain(left).min();
            if patience == Some(Duration::ZERO) {
                break;
            }
            self.ask_for_division(&state);
            state.sleeper = Some(sleeper);
            *waits += 1;
            state = sleep(&self.changed, state, patience);
            state.sleeper = None;
        }
        self.signs.signal.store(RUN, Ordering::Relaxed);
        true
    }

    /// Has a running chunk divided if someone has nothing to do meanwhile.
    fn ask_for_division(&self, state: &State<I, R>) {
        let is_idle = state.queued.is_empty() && state.running < state.limit;
        if is_idle && !state.is_full() && !state.cancelled {
            self.signs.signal.store(DIVIDE, Ordering::Relaxed);
        }
    }

    /// Watches for a returned chunk for as long as falling asleep and being woken would take.
    fn look_out<'a>(&'a self, state: MutexGuard<'a, State<I, R>>) -> MutexGuard<'a, State<I, R>> {
        let before = self.signs.returns.load(Ordering::Relaxed);
        drop(state);
        look_out(&self.signs.returns, before, LOOK_OUT);
        self.lock()
    }

    /// Ends the stream: waiting chunks are dropped, running ones stop at the next item.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        self.signs.signal.store(CANCEL, Ordering::Relaxed);
        let launched = state.launched.take();
        let ahead = state.ahead.take();
        let unwanted =
            Unwanted { chunks: std::mem::take(&mut state.queued), batches: std::mem::take(&mut state.finished) };
        drop(state);
        ahead.into_iter().for_each(|ahead| drop_each_quietly(ahead.into_items()));
        if let Some(launched) = launched {
            launched.abandoned();
        }
        unwanted.discard();
    }

    /// (Not inlined: it is called in many places, and each function has all of them.)
    #[inline(never)]
    fn lock(&self) -> MutexGuard<'_, State<I, R>> {
        lock(&self.state)
    }
}
