//! Chunks are taken, run and given back. A running chunk can be divided at any item: threads that have nothing to do
//! get the back half of what another one has not begun. And of one that takes far too long, the front is handed in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use std::vec::Drain;

use super::state::{State, Unwanted, insert_in_place};
use super::{CANCEL, Queue, RUN};
use crate::consumers::Helping;
use crate::decide::chunks;
use crate::decide::cut::Cut;
use crate::decide::observed::{Clocks, Runner};
use crate::engine::chunk::{Batch, BatchCost, Chunk, How, Room, with_room};
use crate::engine::clock::{Delays, Stopwatch};
use crate::engine::heap::{self, Upkeep};
use crate::engine::wake;
use crate::quiet::drop_each_quietly;
use crate::work::Work;

/// Work worth less than this is not given away to a thread that waits for it: some times what the hand-over costs.
const WORTH_DIVIDING: Duration = Duration::from_micros(8);
/// Work is given to a thread that has to be woken if it takes so many times what that does.
const WORTH_WAKING: f64 = 4.0;
/// Work of a thread after which it looks what else there is for it: the stream may go on for hours, and a job of the
/// pool that waited for another one when it took the ticket can only go on after it.
const TURN: Duration = Duration::from_millis(10);

/// What a thread gets for what it has finished.
enum Exchanged<I, R> {
    Chunk(Chunk<I, R>),
    /// There are more chunks, for later.
    TurnIsOver,
    TicketIsOver,
}

/// Who has what a chunk gives away.
#[derive(Clone, Copy)]
enum Taker {
    Nobody,
    /// A thread that looks for work.
    Awake,
    /// A thread that has to be woken, for at least so much work, once somebody has asked.
    Asleep(Option<Duration>),
}

impl Taker {
    /// Whether half of what takes so long is worth giving away.
    fn is_worth(&mut self, rest: Duration) -> bool {
        match self {
            Self::Nobody => false,
            Self::Awake => rest >= 2 * WORTH_DIVIDING,
            Self::Asleep(least) => rest >= 2 * *least.get_or_insert_with(worth_waking),
        }
    }
}

/// What is worth waking a thread for.
fn worth_waking() -> Duration {
    Duration::from_secs_f64(WORTH_WAKING * wake::expected(true, false).total())
}

impl<W: Work<I, Output = R>, I, R> Queue<W, I, R> {
    /// A ticket: runs chunks while there are any.
    pub(crate) fn run_ticket(&self, epoch: u32) {
        self.run_chunks(epoch, Duration::MAX, &|_| ());
    }

    /// A ticket for one turn after the other, so that a thread gets to do what else is waiting for it: whether there is
    /// to be another one. If it finds the consumer with the first item, and nobody who looks in on that, tells
    /// `look_after`.
    pub(crate) fn take_turn(&self, epoch: u32, look_after: &dyn Fn(usize)) -> bool {
        self.run_chunks(epoch, TURN, look_after)
    }

    /// Runs chunks for so long; whether there are more.
    fn run_chunks(&self, epoch: u32, turn: Duration, look_after: &dyn Fn(usize)) -> bool {
        let consumer = self.lock().staff.consumer;
        if let Some(consumer) = consumer {
            consumer.make_way();
        }
        let _helping = Helping::begin();
        let (mut delays, mut upkeep) = (Delays::now_and_then(), Upkeep::of_helper());
        let mut left = turn;
        let mut finished = None;
        loop {
            let mut chunk = match self.exchange(finished.take(), epoch, left.is_zero(), look_after) {
                Exchanged::Chunk(chunk) => chunk,
                Exchanged::TurnIsOver => return true,
                Exchanged::TicketIsOver => return false,
            };
            upkeep.look();
            let batch = self.run_counting(&mut delays, &mut chunk, Taker::Awake, &mut || ());
            let took = batch.cost.elapsed.wall;
            heap::worked(took);
            left = left.saturating_sub(took);
            finished = Some((batch, chunk.items));
        }
    }

    /// Gives back the results of a chunk with the vector of its items, and takes the next, or ends the turn or the
    /// ticket.
    fn exchange(
        &self,
        finished: Option<(Batch<R>, Vec<I>)>,
        epoch: u32,
        is_turn_over: bool,
        look_after: &dyn Fn(usize),
    ) -> Exchanged<I, R> {
        let mut state = self.lock();
        let (mut unwanted, mut useless) = (Unwanted::default(), None);
        if let Some((batch, spent)) = finished {
            state.staff.running -= 1;
            useless = state.give_back(spent);
            unwanted = state.finish(batch);
        }
        let next = self.next_for(&mut state, epoch, is_turn_over);
        let stock = state.stock();
        let news = state.staff.came_back(stock, matches!(next, Exchanged::Chunk(_)));
        self.signs.returns.fetch_add(1, Ordering::Relaxed);
        drop(state);
        if news.wakes {
            self.changed.notify_one();
        }
        if let Some(launched) = news.launched {
            launched.began();
        }
        if let Some(cores) = news.unwatched {
            look_after(cores);
        }
        if matches!(next, Exchanged::TicketIsOver) {
            wake::worked();
        }
        if let Some(consumer) = news.overdue {
            self.look_after(consumer);
        }
        unwanted.discard();
        drop(useless);
        next
    }

    /// What a ticket of this epoch gets next. One of an earlier epoch is not counted any more.
    fn next_for(&self, state: &mut State<I, R>, epoch: u32, is_turn_over: bool) -> Exchanged<I, R> {
        if state.staff.epoch != epoch {
            return Exchanged::TicketIsOver;
        }
        if is_turn_over && !state.queued.is_empty() {
            return Exchanged::TurnIsOver;
        }
        let limit = if state.staff.overdue.is_left_alone { 0 } else { state.staff.limit };
        if let Some(chunk) = state.take_chunk(limit) {
            return Exchanged::Chunk(chunk);
        }
        state.staff.tickets -= 1;
        self.signs.ask_for_division(&state.staff, state.stock());
        Exchanged::TicketIsOver
    }

    /// Runs all of a chunk on the consumer's thread: what comes next waits for it.
    pub(crate) fn run_whole(&self, mut chunk: Chunk<I, R>) -> Batch<R> {
        self.run(&mut chunk, Cut::NEVER, Taker::Nobody, &mut || ())
    }

    /// Runs a chunk on the consumer's thread, whose delays among others these are. What it gives away needs another
    /// thread, which `launch` wakes.
    pub(crate) fn run_here(
        &self,
        mut chunk: Chunk<I, R>,
        runner: Runner,
        delays: &mut Delays,
        launch: &mut dyn FnMut(),
    ) -> Batch<R> {
        // What is run alone stands for the plain loop.
        let of_this = &mut Delays::of_each_chunk();
        let delays = if runner == Runner::Alone { of_this } else { delays };
        let mut batch = self.run_counting(delays, &mut chunk, Taker::Asleep(None), launch);
        batch.cost.runner = runner;
        batch
    }

    /// Runs a chunk, and counts for how long this thread had no processor.
    fn run_counting(
        &self,
        delays: &mut Delays,
        chunk: &mut Chunk<I, R>,
        taker: Taker,
        divided: &mut dyn FnMut(),
    ) -> Batch<R> {
        delays.before(chunk.how.expected);
        let cut = Cut::of_chunk(chunk.how.expected.as_secs_f64(), chunk.how.has_pinned_size);
        let mut batch = self.run(chunk, cut, taker, divided);
        batch.cost.delay = delays.after(batch.cost.elapsed.wall);
        batch
    }

    /// Runs the function over a chunk, item by item; stops early when told to by the signal. Where somebody has nothing
    /// to do and the rest takes long enough for that `taker`, gives some of it away and tells `divided`; all of it
    /// where what is done is to be handed in. Leaves the chunk empty.
    #[inline(never)]
    fn run(&self, chunk: &mut Chunk<I, R>, mut cut: Cut, mut taker: Taker, divided: &mut dyn FnMut()) -> Batch<R> {
        let start = chunk.start;
        let How { clocks, stride, has_pinned_size, .. } = chunk.how;
        let watch = Stopwatch::start(clocks);
        let mut results = std::mem::take(&mut chunk.results);
        results.reserve_exact(chunk.items.len());
        let mut items = chunk.items.drain(..);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let mut look_at = cut.items();
            loop {
                match self.signs.signal.load(Ordering::Relaxed) {
                    RUN => {}
                    CANCEL => break,
                    _ => {
                        if let Some(given) = to_give_away(watch.begin(), items.len(), results.len(), &mut taker) {
                            let last = last_of(&mut items, given);
                            let next = start + (results.len() + items.len()) as u64;
                            self.give_away(Chunk::apart(next, last, Clocks::Wall, has_pinned_size));
                            divided();
                        }
                    }
                }
                if results.len() >= look_at {
                    if self.is_to_be_handed_in(&mut cut, &watch, &results) && !items.as_slice().is_empty() {
                        // Perhaps it takes so long because the function waits.
                        let left = items.len();
                        let rest = last_of(&mut items, left);
                        let next = start + results.len() as u64;
                        self.give_away(Chunk::apart(next, rest, Clocks::All, has_pinned_size));
                        break;
                    }
                    look_at = results.len().saturating_add(cut.items());
                }
                if stride > 1 {
                    results.extend(items.by_ref().take(stride).map(|item| self.work.call(item)));
                    if items.as_slice().is_empty() {
                        break;
                    }
                    continue;
                }
                // Not `let … else`: a name is one more copy of the item.
                match items.next() {
                    Some(item) => results.push(self.work.call(item)),
                    None => break,
                }
            }
        }));
        let elapsed = watch.stop();
        let result_bytes = results.last().map_or(0, |result| self.work.result_bytes(result));
        drop_each_quietly(items);
        let cost = BatchCost { elapsed, clocks, result_bytes, ..BatchCost::default() };
        Batch { start, results, panic: panic.err(), cost }
    }

    /// Whether these results are not kept until all of their chunk is there: it takes too long, or they turned out too
    /// large.
    fn is_to_be_handed_in(&self, cut: &mut Cut, watch: &Stopwatch, results: &[R]) -> bool {
        let each = results.last().map_or(0, |result| self.work.result_bytes(result));
        let is_handful = results.len().saturating_mul(each) > self.handful.load(Ordering::Relaxed);
        cut.check(watch.begin().elapsed().as_secs_f64()) || is_handful
    }

    fn give_away(&self, chunk: Chunk<I, R>) {
        let mut state = self.lock();
        if state.staff.cancelled {
            drop(state);
            return chunk.discard();
        }
        // One division a wish; the next idle thread asks again.
        self.signs.signal.store(RUN, Ordering::Relaxed);
        insert_in_place(&mut state.queued, chunk);
        self.signs.returns.fetch_add(1, Ordering::Relaxed);
        let wake = state.staff.wakes_sleeper(state.stock());
        drop(state);
        if wake {
            self.changed.notify_one();
        }
    }
}

/// How many of the items `left` are given away, if they take what those `done` have taken; `None` where that is too
/// little for the `taker`, or there is nothing to divide.
#[cold]
fn to_give_away(begin: Instant, left: usize, done: usize, taker: &mut Taker) -> Option<usize> {
    if left < 2 || done == 0 {
        return None;
    }
    let each = begin.elapsed().div_f64(done as f64);
    taker.is_worth(each.mul_f64(left as f64)).then(|| chunks::given_away(left, each.as_secs_f64()))
}

/// Takes so many of the last items.
#[cold]
fn last_of<I>(items: &mut Drain<'_, I>, count: usize) -> Vec<I> {
    let mut last = with_room(count, Room::Apart);
    last.extend(items.rev().take(count));
    last.reverse();
    last
}
