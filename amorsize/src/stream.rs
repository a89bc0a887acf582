//! The iterator that users hold. Its hot path is a few instructions; everything else is the engine's.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::vec;

use crate::decide::pilot::Pilot;
use crate::engine::chunk::{Batch, Payload, drop_each_quietly};
use crate::engine::flow::{Flow, Next};
use crate::engine::launch::{Detached, Launch, Ticket};
use crate::engine::queue::Queue;
use crate::learn::experience::Experience;
use crate::plan::Plan;
use crate::report::Report;
use crate::work::Work;

/// A lazy, fused iterator over the results of a function, run the fastest safe way.
///
/// Nothing is taken from the source before the first call of `next`, [`plan`](Self::plan), or an internal iteration
/// such as `for_each` and `sum`. At most [`Plan::buffer_size`] items are ever taken and not yet yielded. The source is
/// only ever used on the thread that iterates, so it need be neither `Send` nor `'static`.
///
/// Dropping the stream cancels it: chunks that wait are dropped, running ones stop at the next item.
///
/// # Panics
/// A panic of the function or of the source continues on the consumer's thread with its payload, once, in place of the
/// result; the stream then ends.
#[must_use = "a stream does nothing until it is iterated"]
pub struct Stream<S, W, P = Detached>
where
    S: Iterator,
    W: Work<S::Item>,
{
    source: S,
    work: Arc<W>,
    state: State<W, S::Item, W::Output, P>,
}

/// Everything but the source and the function.
struct State<W, I, R, P> {
    /// Items that the plain loop may still run before the engine is asked again.
    budget: usize,
    /// What the last budget was.
    granted: usize,
    /// Finished results; never any while there is a budget.
    ready: Ready<R>,
    /// Source index of the result behind the last one in `ready`.
    ready_end: u64,
    /// The panic behind the last of `ready`.
    panic: Option<Payload>,
    done: bool,
    flow: Flow<W, I, R, P>,
}

/// Results that wait to be yielded. Those that never are, are dropped one by one: should two of them panic in one go,
/// the process would end.
struct Ready<R>(vec::IntoIter<R>);

impl<R> Drop for Ready<R> {
    fn drop(&mut self) {
        drop_each_quietly(&mut self.0);
    }
}

/// Ends the stream if the source or the function unwinds.
struct EndOnUnwind<'a> {
    budget: &'a mut usize,
    granted: &'a mut usize,
    done: &'a mut bool,
}

impl Drop for EndOnUnwind<'_> {
    fn drop(&mut self) {
        // What is left of the budget was not run.
        *self.granted -= std::mem::take(self.budget);
        *self.done = true;
    }
}

impl<S, W, P> Stream<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
{
    pub(crate) fn start(source: S, work: Arc<W>, pilot: Pilot, experience: Experience, launcher: P) -> Self {
        let queue = Arc::new(Queue::new(Arc::clone(&work)));
        let flow = Flow::new(queue, launcher, pilot, experience);
        let ready = Ready(Vec::new().into_iter());
        Self {
            source,
            work,
            state: State { budget: 0, granted: 0, ready, ready_end: 0, panic: None, done: false, flow },
        }
    }

    /// Live figures: items in and out, throughput, threads, chunk and window, waits.
    pub fn report(&self) -> Report {
        self.state.report()
    }

    /// Yields each result with the index of its item in the source: useful when results come unordered.
    ///
    /// ```
    /// # #[amorsize::streaming(ordered = false)]
    /// # fn square(n: u64) -> u64 { n * n }
    /// for (index, result) in square::stream(0..100).indexed() {
    ///     assert_eq!(result, (index * index) as u64);
    /// }
    /// ```
    pub fn indexed(self) -> Indexed<S, W, P> {
        Indexed(self)
    }
}

impl<W, I, R, P> State<W, I, R, P> {
    fn report(&self) -> Report {
        self.flow.report(self.looped(), self.ready.0.len() as u64)
    }

    /// Items of the present budget that were run.
    fn looped(&self) -> u64 {
        (self.granted - self.budget) as u64
    }

    /// Items taken from the source and not yet yielded.
    fn held(&self) -> usize {
        self.ready.0.len() + self.flow.in_flight() as usize
    }

    /// Source index of the result that `next` has just returned.
    fn last_index(&self) -> usize {
        let end = match self.granted {
            0 => self.ready_end - self.ready.0.len() as u64,
            _ => self.flow.pulled() + self.looped(),
        };
        end as usize - 1
    }

    fn take(&mut self, Batch { start, results, panic, .. }: Batch<R>) {
        self.ready_end = start + results.len() as u64;
        self.ready = Ready(results.into_iter());
        self.panic = panic;
    }

    fn finish(&mut self) {
        self.done = true;
        self.flow.end();
    }
}

impl<W, I, R, P> Drop for State<W, I, R, P> {
    fn drop(&mut self) {
        self.flow.abandon(self.budget);
    }
}

impl<W, I, R, P> State<W, I, R, P>
where
    W: Work<I, Output = R>,
    Queue<W, I, R>: Ticket,
    P: Launch<Queue<W, I, R>>,
{
    /// Asks the engine for more results or another budget; false at the end.
    #[cold]
    #[inline(never)]
    fn advance<S: Iterator<Item = I>>(&mut self, source: &mut S) -> bool {
        if let Some(payload) = self.panic.take() {
            self.finish();
            resume_unwind(payload);
        }
        if self.done {
            return false;
        }
        let unused = std::mem::take(&mut self.budget);
        self.granted = 0;
        match self.flow.next(source, unused) {
            Next::Batch(batch) => self.take(batch),
            Next::Loop(items) => {
                self.granted = items;
                self.budget = items;
            }
            Next::End => self.finish(),
        }
        !self.done
    }

    /// The source ended within a budget.
    fn end_loop<S: Iterator<Item = I>>(&mut self, source: &mut S) {
        self.flow.exhaust();
        self.advance(source);
    }
}

impl<S, W, P> Stream<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    Queue<W, S::Item, W::Output>: Ticket,
    P: Launch<Queue<W, S::Item, W::Output>>,
{
    /// The plan. Decides now if nothing is decided yet: this may run a few items, whose results are kept and come out
    /// as the stream's first ones.
    ///
    /// ```
    /// # #[amorsize::streaming]
    /// # fn square(n: u64) -> u64 { n * n }
    /// let mut squares = square::stream(0..1_000);
    /// println!("{}", squares.plan());
    /// assert_eq!(squares.sum::<u64>(), 332_833_500);
    /// ```
    #[must_use]
    pub fn plan(&mut self) -> &Plan {
        self.state.flow.decide(&mut self.source);
        self.state.flow.plan()
    }

    /// Folds all results; the report says how it went.
    pub(crate) fn fold_reported<B>(self, init: B, mut fold: impl FnMut(B, W::Output) -> B) -> (B, Report) {
        let Stream { mut source, work, mut state } = self;
        let mut folded = init;
        loop {
            if state.budget > 0 {
                let ran;
                (source, folded, ran) = stretch(source, &*work, state.budget, folded, &mut fold);
                state.budget -= ran;
                if state.budget > 0 {
                    state.end_loop(&mut source);
                    return (folded, state.report());
                }
            }
            for result in state.ready.0.by_ref() {
                folded = fold(folded, result);
            }
            if !state.advance(&mut source) {
                return (folded, state.report());
            }
        }
    }
}

/// The plain loop over at most `budget` items. The source is passed by value, so that the compiler can keep all of it
/// in registers and vectorise the loop as it would the user's own.
#[inline(never)]
fn stretch<S, W, B>(
    mut source: S,
    work: &W,
    budget: usize,
    mut folded: B,
    fold: &mut impl FnMut(B, W::Output) -> B,
) -> (S, B, usize)
where
    S: Iterator,
    W: Work<S::Item>,
{
    let mut ran = 0;
    while ran < budget {
        let Some(item) = source.next() else { break };
        ran += 1;
        folded = fold(folded, work.call(item));
    }
    (source, folded, ran)
}

impl<S, W, P> Iterator for Stream<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    Queue<W, S::Item, W::Output>: Ticket,
    P: Launch<Queue<W, S::Item, W::Output>>,
{
    type Item = W::Output;

    #[inline]
    fn next(&mut self) -> Option<W::Output> {
        let state = &mut self.state;
        loop {
            if state.budget > 0 {
                let State { budget, granted, done, .. } = state;
                let guard = EndOnUnwind { budget, granted, done };
                let Some(item) = self.source.next() else {
                    std::mem::forget(guard);
                    state.end_loop(&mut self.source);
                    return None;
                };
                let result = self.work.call(item);
                *guard.budget -= 1;
                std::mem::forget(guard);
                return Some(result);
            }
            if let Some(result) = state.ready.0.next() {
                return Some(result);
            }
            if !state.advance(&mut self.source) {
                return None;
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.state.done {
            return (0, Some(0));
        }
        let held = self.state.held();
        if self.state.flow.is_exhausted() {
            return (held, Some(held));
        }
        let (lower, upper) = self.source.size_hint();
        (lower.saturating_add(held), upper.and_then(|upper| upper.checked_add(held)))
    }

    /// Runs at the speed of the source's own `fold` while the plan is serial.
    fn fold<B, G>(self, init: B, fold: G) -> B
    where
        G: FnMut(B, W::Output) -> B,
    {
        self.fold_reported(init, fold).0
    }
}

impl<S, W, P> std::iter::FusedIterator for Stream<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    Queue<W, S::Item, W::Output>: Ticket,
    P: Launch<Queue<W, S::Item, W::Output>>,
{
}

impl<S, W, P> ExactSizeIterator for Stream<S, W, P>
where
    S: ExactSizeIterator,
    W: Work<S::Item>,
    Queue<W, S::Item, W::Output>: Ticket,
    P: Launch<Queue<W, S::Item, W::Output>>,
{
}

impl<S, W, P> fmt::Debug for Stream<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("report", &self.report()).finish_non_exhaustive()
    }
}

/// Results with the index of their items in the source; made by [`Stream::indexed`].
#[must_use = "a stream does nothing until it is iterated"]
#[derive(Debug)]
pub struct Indexed<S, W, P = Detached>(Stream<S, W, P>)
where
    S: Iterator,
    W: Work<S::Item>;

impl<S, W, P> Iterator for Indexed<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    Queue<W, S::Item, W::Output>: Ticket,
    P: Launch<Queue<W, S::Item, W::Output>>,
{
    type Item = (usize, W::Output);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let result = self.0.next()?;
        Some((self.0.state.last_index(), result))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
