//! The queue of one stream: chunks that wait, results that are finished, and the consumer that may sleep between them.
//!
//! One mutex, held for a few instructions and never while a user's code runs. A pool job is only a *ticket*: it takes
//! chunks while there are any and then ends, so a stream that waits holds no thread, and the consumer can always run
//! its own chunks.
//!
//! - here: what the consumer does with it, and how it sleeps
//! - [`state`]: what the mutex guards: chunks and results
//! - [`staff`]: and who runs them, or sleeps
//! - [`ahead`]: items that threads may take while the consumer runs the first one
//! - [`held`]: how many bytes of results may wait
//! - [`overdue`]: a consumer whose own chunk does not end
//! - [`run`]: what a ticket does: chunks are taken, run, divided, given back

mod ahead;
mod held;
mod overdue;
mod run;
mod staff;
mod state;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::chunk::{Batch, Chunk};
use super::place::Place;
use super::wake::Launched;
use crate::decide::observed::{Delay, Runner};
use crate::decide::waiting::Waiting;
use crate::quiet::drop_each_quietly;
use crate::sync::{lock, look_out, sleep};
pub(crate) use ahead::{Added, Claimed, Found, FoundWaiting, Terms};
pub(crate) use staff::Sleeper;
use staff::{Staff, Stock};
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

    /// Has a running chunk divided if someone has nothing to do meanwhile.
    fn ask_for_division(&self, staff: &Staff, stock: Stock) {
        if staff.wants_division(stock) {
            self.signal.store(DIVIDE, Ordering::Relaxed);
        }
    }

    /// There is something to do again.
    fn stop_dividing(&self) {
        if self.signal.load(Ordering::Relaxed) == DIVIDE {
            self.signal.store(RUN, Ordering::Relaxed);
        }
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
        self.lock().staff.configure(limit, ordered, moves)
    }

    /// The epoch of tickets that are launched now.
    #[cfg(test)]
    fn epoch(&self) -> u32 {
        self.lock().staff.epoch
    }

    /// Adds a chunk behind all others. True: a ticket was claimed, which the caller launches or returns.
    pub(crate) fn push(&self, chunk: Chunk<I, R>, most_tickets: usize) -> bool {
        let mut state = self.lock();
        self.signs.stop_dividing();
        state.queued.push_back(chunk);
        state.claim_ticket(most_tickets)
    }

    /// A ticket is handed to a pool of threads that may be asleep: how soon one begins is to be found out, and it is to
    /// keep off the `consumer`.
    pub(crate) fn note_launch(&self, launched: Launched, consumer: Option<Place>) {
        let mut state = self.lock();
        state.staff.launched.get_or_insert(launched);
        state.staff.consumer = consumer;
    }

    /// Claims a ticket for what was given away.
    pub(crate) fn claim(&self, most_tickets: usize) -> bool {
        self.lock().claim_ticket(most_tickets)
    }

    /// Claims a ticket for what was handed over, as long as the results that come next are not finished.
    pub(crate) fn claim_meanwhile(&self, next: u64, most_tickets: usize) -> bool {
        let mut state = self.lock();
        !state.staff.is_ready(state.stock(), next) && state.claim_ticket(most_tickets)
    }

    /// Whether somebody runs a chunk.
    pub(crate) fn is_running(&self) -> bool {
        self.lock().staff.running > 0
    }

    /// Takes back a ticket, claimed in this epoch, that could not be launched; how many there still are.
    pub(crate) fn return_ticket(&self, epoch: u32) -> usize {
        let staff = &mut self.lock().staff;
        staff.tickets -= usize::from(staff.epoch == epoch);
        staff.tickets
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
        state.staff.held.expect(next + taken, most_bytes);
        self.handful.store(state.staff.held.handful(state.staff.limit), Ordering::Relaxed);
        let claimed = state.claim_ticket(most_tickets);
        Polled { batch, queued: state.queued.len(), claimed, standing: state.staff.standing() }
    }

    /// Takes the first waiting chunk if it is for the consumer to run, and tells as whom: not more than so many items
    /// alone, since every thread waits meanwhile. [`Queue::deposit`] must follow.
    pub(crate) fn take_chunk(&self, waiting: Waiting, alone: usize) -> Option<(Chunk<I, R>, Runner)> {
        let mut state = self.lock();
        let stock = state.stock();
        if !state.staff.is_left_to_consumer(stock, waiting) {
            return None;
        }
        let limit = state.staff.limit;
        let mut chunk = state.take_chunk(limit.max(1))?;
        if limit > 0 {
            state.staff.helps(chunk.how.expected);
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
        let staff = &mut state.staff;
        staff.running -= 1;
        staff.helped();
        let is_next = !staff.ordered || batch.start == next;
        if is_next && batch.panic.is_none() {
            staff.held.advance(next + batch.results.len() as u64);
            staff.count(&batch.cost);
            return Some((batch, staff.standing()));
        }
        let unwanted = state.finish(batch);
        let ready = if is_next { state.take_batch(next) } else { None };
        let standing = state.staff.standing();
        drop(state);
        unwanted.discard();
        ready.map(|batch| (batch, standing))
    }

    /// Sleeps until the consumer has something to do. Returns false at once if there is nothing to wait for. While it
    /// sleeps, running chunks are divided if threads are idle.
    pub(crate) fn wait(&self, sleeper: Sleeper, waits: &mut u64) -> bool {
        let mut state = self.lock();
        if state.staff.is_idle(state.stock()) && state.finished.is_empty() {
            return false;
        }
        if sleeper.waiting.is_short && !state.staff.may_wake(state.stock(), sleeper) {
            self.signs.ask_for_division(&state.staff, state.stock());
            state = self.look_out(state);
        }
        loop {
            let stock = state.stock();
            if state.staff.may_wake(stock, sleeper) {
                break;
            }
            let patience = state.staff.rest(stock, sleeper);
            if patience == Some(Duration::ZERO) {
                break;
            }
            self.signs.ask_for_division(&state.staff, stock);
            state.staff.sleeper = Some(sleeper);
            *waits += 1;
            state = sleep(&self.changed, state, patience);
            state.staff.sleeper = None;
        }
        self.signs.signal.store(RUN, Ordering::Relaxed);
        true
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
        state.staff.cancelled = true;
        self.signs.signal.store(CANCEL, Ordering::Relaxed);
        let launched = state.staff.launched.take();
        let ahead = std::mem::take(&mut state.ahead);
        drop(state.staff.ahead.take());
        let unwanted =
            Unwanted { chunks: std::mem::take(&mut state.queued), batches: std::mem::take(&mut state.finished) };
        drop(state);
        drop_each_quietly(ahead);
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
