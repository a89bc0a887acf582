//! The queue of one stream: chunks that wait, results that are finished, and the consumer that may sleep between them.
//!
//! One mutex, held for a few instructions and never while a user's code runs. A pool job is only a *ticket*: it takes
//! chunks while there are any and then ends, so a stream that waits holds no thread, and the consumer can always run
//! its own chunks. A running chunk can be divided at any item (see [`Queue::run`]): threads that have nothing to do
//! get the back half of what another one has not begun.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::vec;

use super::chunk::{Batch, BatchCost, Chunk, Placed, drop_each_quietly};
use super::clock::Stopwatch;
use super::wake::{self, Launched};
use crate::decide::choose::Waiting;
use crate::decide::pilot::{Clocks, Runner};
use crate::work::Work;

/// Work worth less than this is not given away to a thread that waits for it: some times what the hand-over costs.
const WORTH_DIVIDING: Duration = Duration::from_micros(8);
/// Work is given to a thread that has to be woken if it takes so many times what that does.
const WORTH_WAKING: f64 = 4.0;

const RUN: u8 = 0;
const DIVIDE: u8 = 1;
const CANCEL: u8 = 2;

/// Longest time for which the consumer looks out for results before it sleeps: what waking it would take.
const LOOK_OUT: Duration = Duration::from_micros(40);

/// Read by every thread between two items, so it has a cache line (and its prefetched neighbour) of its own.
#[repr(align(128))]
struct Signal(AtomicU8);

/// Chunks given back or divided so far, for a consumer that is about to sleep.
#[repr(align(128))]
struct Returns(AtomicUsize);

pub struct Queue<W, I, R> {
    signal: Signal,
    returns: Returns,
    work: Arc<W>,
    state: Mutex<State<I, R>>,
    changed: Condvar,
}

struct State<I, R> {
    /// By place in the source.
    queued: VecDeque<Chunk<I>>,
    /// Ordered: by place in the source. Unordered: as they came.
    finished: VecDeque<Batch<R>>,
    ordered: bool,
    cancelled: bool,
    /// Chunks being run now, the consumer's included.
    running: usize,
    /// Most chunks run at the same time; 0 leaves them to the consumer, one after the other.
    limit: usize,
    /// Results in `finished`.
    ready: u64,
    /// Time that all threads together have spent on finished chunks.
    worked: Duration,
    /// Jobs handed to a pool that have not ended.
    tickets: usize,
    /// When the first of those was handed over that no thread has begun with.
    launched: Option<Launched>,
    /// Tickets of an earlier epoch end at the next chunk: the plan has moved to another pool.
    epoch: u32,
    sleeper: Option<Sleeper>,
}

/// What the sleeping consumer waits for.
#[derive(Clone, Copy)]
struct Sleeper {
    next: u64,
    helps: bool,
}

/// What [`Queue::poll`] found.
pub(crate) struct Polled<R> {
    pub(crate) batch: Option<Batch<R>>,
    pub(crate) queued: usize,
    pub(crate) running: usize,
    /// A ticket that the caller launches or returns.
    pub(crate) claimed: bool,
    /// Results finished and not yet taken, behind `batch`.
    pub(crate) ready: u64,
}

impl<W, I, R> Queue<W, I, R> {
    pub(crate) fn new(work: Arc<W>) -> Self {
        let state = State {
            queued: VecDeque::new(),
            finished: VecDeque::new(),
            ordered: true,
            cancelled: false,
            running: 0,
            limit: 1,
            ready: 0,
            worked: Duration::ZERO,
            tickets: 0,
            launched: None,
            epoch: 0,
            sleeper: None,
        };
        let (signal, returns) = (Signal(AtomicU8::new(RUN)), Returns(AtomicUsize::new(0)));
        Self { signal, returns, work, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Sets how many chunks may run at the same time and whether results keep their order. `moves`: from now on in
    /// another pool, so the tickets of the present one end at their next chunk.
    pub(crate) fn configure(&self, limit: usize, ordered: bool, moves: bool) {
        let mut state = self.lock();
        state.limit = limit;
        state.ordered = ordered;
        if moves {
            state.epoch += 1;
            state.tickets = 0;
        }
    }

    /// The epoch of tickets that are launched now.
    pub(crate) fn epoch(&self) -> u32 {
        self.lock().epoch
    }

    /// Adds a chunk behind all others. True: a ticket was claimed, which the caller launches or returns.
    pub(crate) fn push(&self, chunk: Chunk<I>, most_tickets: usize) -> bool {
        let mut state = self.lock();
        if self.signal.0.load(Ordering::Relaxed) == DIVIDE {
            self.signal.0.store(RUN, Ordering::Relaxed);
        }
        state.queued.push_back(chunk);
        state.claim_ticket(most_tickets)
    }

    /// A ticket is handed to a pool of threads that may be asleep; how soon one begins is to be found out.
    pub(crate) fn note_launch(&self, launched: Launched) {
        self.lock().launched.get_or_insert(launched);
    }

    /// Claims a ticket for what was given away.
    pub(crate) fn claim(&self, most_tickets: usize) -> bool {
        self.lock().claim_ticket(most_tickets)
    }

    /// Takes back a claimed ticket that could not be launched; how many there still are.
    pub(crate) fn return_ticket(&self) -> usize {
        let mut state = self.lock();
        state.tickets -= 1;
        state.tickets
    }

    /// Takes the results that come next, if they are finished.
    pub(crate) fn poll(&self, next: u64, most_tickets: usize) -> Polled<R> {
        let mut state = self.lock();
        let batch = if state.is_ready(next) { state.finished.pop_front() } else { None };
        state.ready -= batch.as_ref().map_or(0, |batch| batch.results.len() as u64);
        let claimed = state.claim_ticket(most_tickets);
        Polled { batch, queued: state.queued.len(), running: state.running, claimed, ready: state.ready }
    }

    /// Time that all threads together have spent on finished chunks.
    pub(crate) fn worked(&self) -> Duration {
        self.lock().worked
    }

    /// Takes the first waiting chunk for the consumer to run, and tells as whom; [`Queue::deposit`] must
    /// follow.
    pub(crate) fn take_chunk(&self) -> Option<(Chunk<I>, Runner)> {
        let mut state = self.lock();
        let limit = state.limit.max(1);
        let chunk = state.take_chunk(limit)?;
        Some((chunk, if state.limit == 0 { Runner::Alone } else { Runner::Consumer }))
    }

    /// Gives back what the consumer ran; returns it at once if it is what comes next.
    pub(crate) fn deposit(&self, batch: Batch<R>, next: u64) -> Option<Batch<R>> {
        let mut state = self.lock();
        state.running -= 1;
        if !state.ordered || batch.start == next {
            state.worked += batch.cost.elapsed.wall;
            return Some(batch);
        }
        let unwanted = state.finish(batch);
        drop(state);
        unwanted.discard();
        None
    }

    /// Sleeps until the next results are there, or a chunk that the consumer may run. Returns false at once if there
    /// is nothing to wait for. While it sleeps, running chunks are divided if threads are idle.
    pub(crate) fn wait(&self, next: u64, manner: Waiting, waits: &mut u64) -> bool {
        let mut state = self.lock();
        if state.is_idle() && state.finished.is_empty() {
            return false;
        }
        let sleeper = Sleeper { next, helps: manner.helps };
        if manner.is_short && !state.may_wake(sleeper) {
            self.ask_for_division(&state);
            state = self.look_out(state);
        }
        while !state.may_wake(sleeper) {
            self.ask_for_division(&state);
            state.sleeper = Some(sleeper);
            *waits += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sleeper = None;
        }
        self.signal.0.store(RUN, Ordering::Relaxed);
        true
    }

    /// Someone has nothing to do while others run chunks.
    fn ask_for_division(&self, state: &State<I, R>) {
        if state.queued.is_empty() && state.running < state.limit && !state.cancelled {
            self.signal.0.store(DIVIDE, Ordering::Relaxed);
        }
    }

    /// Watches for a returned chunk for as long as falling asleep and being woken would take.
    fn look_out<'a>(&'a self, state: MutexGuard<'a, State<I, R>>) -> MutexGuard<'a, State<I, R>> {
        let before = self.returns.0.load(Ordering::Relaxed);
        drop(state);
        let begin = Instant::now();
        while self.returns.0.load(Ordering::Relaxed) == before && begin.elapsed() < LOOK_OUT {
            std::hint::spin_loop();
        }
        self.lock()
    }

    /// Ends the stream: waiting chunks are dropped, running ones stop at the next item.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        self.signal.0.store(CANCEL, Ordering::Relaxed);
        let launched = state.launched.take();
        let unwanted =
            Unwanted { chunks: std::mem::take(&mut state.queued), batches: std::mem::take(&mut state.finished) };
        drop(state);
        if let Some(launched) = launched {
            launched.is_in_vain();
        }
        unwanted.discard();
    }

    fn lock(&self) -> MutexGuard<'_, State<I, R>> {
        // Nothing of a user's runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Work<I, Output = R>, I, R> Queue<W, I, R> {
    /// A ticket: runs chunks while there are any.
    pub(crate) fn run_ticket(&self, epoch: u32) {
        let mut finished = None;
        while let Some(chunk) = self.exchange(finished.take(), epoch) {
            finished = Some(self.run(chunk, |rest| rest >= 2 * WORTH_DIVIDING, || ()));
        }
    }

    /// Gives back a finished chunk and takes the next, or ends the ticket.
    fn exchange(&self, finished: Option<Batch<R>>, epoch: u32) -> Option<Chunk<I>> {
        let mut state = self.lock();
        let mut unwanted = Unwanted::default();
        if let Some(batch) = finished {
            state.running -= 1;
            unwanted = state.finish(batch);
        }
        let launched = state.launched.take();
        let is_current = state.epoch == epoch;
        let limit = state.limit;
        let next = if is_current { state.take_chunk(limit) } else { None };
        if is_current && next.is_none() {
            state.tickets -= 1;
            self.ask_for_division(&state);
        }
        let wake = state.sleeper.is_some_and(|sleeper| state.may_wake(sleeper));
        self.returns.0.fetch_add(1, Ordering::Relaxed);
        drop(state);
        if wake {
            self.changed.notify_one();
        }
        if let Some(launched) = launched {
            launched.has_begun();
        }
        if next.is_none() {
            wake::worked();
        }
        unwanted.discard();
        next
    }

    /// Runs all of a chunk on the consumer's thread: what comes next waits for it.
    pub(crate) fn run_whole(&self, chunk: Chunk<I>) -> Batch<R> {
        self.run(chunk, |_| false, || ())
    }

    /// Runs a chunk on the consumer's thread. What it gives away needs another thread, which `launch` wakes.
    pub(crate) fn run_here(&self, chunk: Chunk<I>, launch: impl FnMut()) -> Batch<R> {
        let worth = OnceCell::new();
        self.run(chunk, |rest| rest >= 2 * *worth.get_or_init(worth_waking), launch)
    }

    /// Runs the function over a chunk, item by item; stops early when told to by the signal. Where somebody has nothing
    /// to do and the time that the rest will take `is_worth` it, gives half of that away and tells `divided`.
    fn run(&self, chunk: Chunk<I>, is_worth: impl Fn(Duration) -> bool, mut divided: impl FnMut()) -> Batch<R> {
        let watch = Stopwatch::start(chunk.clocks);
        let mut results = Vec::with_capacity(chunk.items.len());
        let mut items = chunk.items.into_iter();
        let start = chunk.start;
        let panic = catch_unwind(AssertUnwindSafe(|| {
            loop {
                match self.signal.0.load(Ordering::Relaxed) {
                    RUN => {}
                    CANCEL => break,
                    _ => {
                        if time_for_rest(watch.begin(), items.len(), results.len()).is_some_and(&is_worth) {
                            self.give_away(divide(&mut items, start + results.len() as u64));
                            divided();
                        }
                    }
                }
                if chunk.stride > 1 {
                    results.extend(items.by_ref().take(chunk.stride).map(|item| self.work.call(item)));
                    if items.as_slice().is_empty() {
                        break;
                    }
                    continue;
                }
                let Some(item) = items.next() else { break };
                results.push(self.work.call(item));
            }
        }));
        let elapsed = watch.stop();
        let result_bytes = results.last().map_or(0, |result| self.work.result_bytes(result));
        drop_each_quietly(items);
        let cost = BatchCost { elapsed, result_bytes, runner: Runner::Thread };
        Batch { start, results, panic: panic.err(), cost }
    }

    fn give_away(&self, chunk: Chunk<I>) {
        let mut state = self.lock();
        if state.cancelled {
            drop(state);
            return chunk.discard();
        }
        // One division a wish; the next idle thread asks again.
        self.signal.0.store(RUN, Ordering::Relaxed);
        insert_in_place(&mut state.queued, chunk);
        self.returns.0.fetch_add(1, Ordering::Relaxed);
        let wake = state.sleeper.is_some_and(|sleeper| state.may_wake(sleeper));
        drop(state);
        if wake {
            self.changed.notify_one();
        }
    }
}

/// What is worth waking a thread for.
fn worth_waking() -> Duration {
    let wake = wake::expected(true);
    Duration::from_secs_f64(WORTH_WAKING * (wake.call + wake.latency))
}

/// What `left` items will take, if they take what those `done` have taken; `None` where there is nothing to divide.
#[cold]
fn time_for_rest(begin: Instant, left: usize, done: usize) -> Option<Duration> {
    (left > 1 && done > 0).then(|| begin.elapsed().mul_f64(left as f64 / done as f64))
}

/// Takes the back half of what is left, where `next` is the place of its first item in the source.
#[cold]
fn divide<I>(items: &mut vec::IntoIter<I>, next: u64) -> Chunk<I> {
    let mut front: Vec<I> = items.collect();
    let back = front.split_off(front.len().div_ceil(2));
    let start = next + front.len() as u64;
    *items = front.into_iter();
    Chunk { start, items: back, clocks: Clocks::Wall, stride: 1 }
}

impl<I, R> State<I, R> {
    /// Counts a ticket if another thread would find work for it.
    fn claim_ticket(&mut self, most: usize) -> bool {
        let claimed = self.tickets < most.min(self.limit) && self.starting() < self.queued.len();
        self.tickets += usize::from(claimed);
        claimed
    }

    fn is_ready(&self, next: u64) -> bool {
        self.finished.front().is_some_and(|batch| !self.ordered || batch.start == next)
    }

    fn is_idle(&self) -> bool {
        self.running == 0 && self.queued.is_empty()
    }

    /// Tickets that run nothing yet: each will take a queued chunk. (One that runs a chunk comes back for the next.)
    fn starting(&self) -> usize {
        self.tickets.saturating_sub(self.running)
    }

    /// Whether a sleeping consumer has something to do.
    fn may_wake(&self, sleeper: Sleeper) -> bool {
        // A chunk that nobody is about to take is the consumer's: to run it, or to launch another ticket.
        let room = self.running < self.limit.max(1);
        let untaken = if sleeper.helps || self.running == 0 { 0 } else { self.starting() };
        self.is_ready(sleeper.next) || (room && self.queued.len() > untaken) || self.is_idle()
    }

    fn take_chunk(&mut self, limit: usize) -> Option<Chunk<I>> {
        if self.running >= limit {
            return None;
        }
        let chunk = self.queued.pop_front()?;
        self.running += 1;
        Some(chunk)
    }

    /// Stores results; returns what a cancelled stream no longer wants, to be dropped outside the lock.
    fn finish(&mut self, batch: Batch<R>) -> Unwanted<I, R> {
        if self.cancelled {
            return Unwanted { batches: VecDeque::from([batch]), ..Unwanted::default() };
        }
        self.ready += batch.results.len() as u64;
        self.worked += batch.cost.elapsed.wall;
        let chunks = if batch.panic.is_some() { self.take_behind(batch.start) } else { VecDeque::new() };
        if self.ordered {
            insert_in_place(&mut self.finished, batch);
        } else {
            self.finished.push_back(batch);
        }
        Unwanted { chunks, ..Unwanted::default() }
    }

    /// The chunks that nobody will ever see, because the one at `start` panicked.
    fn take_behind(&mut self, start: u64) -> VecDeque<Chunk<I>> {
        let kept = if self.ordered { self.queued.partition_point(|chunk| chunk.start < start) } else { 0 };
        self.queued.split_off(kept)
    }
}

/// What a stream that ended leaves: to be dropped outside the lock, since a user's `Drop` may do anything.
#[must_use]
struct Unwanted<I, R> {
    chunks: VecDeque<Chunk<I>>,
    batches: VecDeque<Batch<R>>,
}

impl<I, R> Unwanted<I, R> {
    fn discard(self) {
        self.chunks.into_iter().for_each(Chunk::discard);
        self.batches.into_iter().for_each(Batch::discard);
    }
}

impl<I, R> Default for Unwanted<I, R> {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), batches: VecDeque::new() }
    }
}

fn insert_in_place<T: Placed>(sorted: &mut VecDeque<T>, value: T) {
    let at = sorted.partition_point(|other| other.start() < value.start());
    sorted.insert(at, value);
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::work::ByValue;

    const LONG: Duration = Duration::from_millis(20);

    fn chunk(items: impl Iterator<Item = u64>) -> Chunk<u64> {
        Chunk { start: 0, items: items.collect(), clocks: Clocks::Wall, stride: 1 }
    }

    #[test]
    fn the_consumers_own_long_chunk_is_divided_when_a_thread_has_nothing_to_do() {
        let work = |item: u64| {
            thread::sleep(LONG);
            item
        };
        let queue = Queue::new(Arc::new(ByValue(work)));
        queue.configure(2, true, false);
        assert!(queue.push(chunk(0..8), 1), "a ticket for the chunk");
        let (own, runner) = queue.take_chunk().unwrap();
        assert_eq!(runner, Runner::Consumer);
        // The ticket comes too late, finds nothing, and asks.
        queue.run_ticket(queue.epoch());
        let mut launched = 0;
        let batch = queue.run_here(own, || launched += 1);
        assert_eq!((launched, batch.results), (1, vec![0, 1, 2, 3, 4]), "one done, half of the other seven kept");
        let (back, _) = queue.take_chunk().unwrap();
        assert_eq!((back.start, back.items), (5, vec![5, 6, 7]));
    }

    #[test]
    fn a_trial_is_not_divided_by_a_wish_from_before() {
        let work = |item: u64| {
            thread::sleep(LONG);
            item
        };
        let queue = Queue::new(Arc::new(ByValue(work)));
        queue.configure(2, true, false);
        assert!(queue.push(chunk(0..2), 1));
        let (first, _) = queue.take_chunk().unwrap();
        queue.run_ticket(queue.epoch());
        let first = queue.run_whole(first);
        assert_eq!(queue.run_whole(chunk(2..6)).results, [2, 3, 4, 5], "asked for during {:?}", first.results);
        assert_eq!(queue.poll(0, 0).queued, 0);
    }

    #[test]
    fn a_chunk_that_is_pushed_answers_who_asked() {
        let queue = Queue::new(Arc::new(ByValue(|item: u64| item)));
        queue.configure(2, true, false);
        queue.push(chunk(0..4), 1);
        let (own, _) = queue.take_chunk().unwrap();
        queue.run_ticket(queue.epoch());
        queue.push(chunk(4..8), 1);
        assert_eq!(queue.run_here(own, || panic!("nobody waits")).results.len(), 4);
    }
}
