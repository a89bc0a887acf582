//! The iterator that users hold. Its hot path is a few instructions; everything else is the engine's.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::vec;

use crate::decide::pilot::Pilot;
use crate::engine::chunk::{Batch, Payload};
use crate::engine::flow::{Flow, Next};
use crate::engine::launch::{Detached, Launch};
use crate::engine::queue::Queue;
use crate::engine::stretch::stretch;
use crate::indexed::Indexed;
use crate::learn::experience::Experience;
use crate::plan::Plan;
use crate::quiet::{drop_each_quietly, drop_quietly};
use crate::report::Report;
use crate::work::Work;

/// Bytes of a result that a function returns in registers.
const IN_REGISTERS: usize = 16;

/// A lazy, fused iterator over the results of a function, run the fastest safe way.
///
/// Nothing is taken from the source before the first call of `next`, [`plan`](Self::plan), or an internal iteration
/// such as `for_each` and `sum`. At most [`Plan::buffer_size`] items are ever taken and not yet yielded. The source is
/// only ever used on the thread that iterates, so it need be neither `Send` nor `'static`.
///
/// Dropping the stream cancels it: items that wait are dropped, and threads stop at the next item (of those that take
/// less than 60 ns, at one of the next 16). What runs then is not waited for. Should the drop of a cancelled item or
/// result panic, that is a `tracing` warning.
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
    /// Dropped before the others, which may take long: what is not wanted any more is cancelled first.
    core: Core<W, S::Item, W::Output, P>,
    /// Finished results; never any while there is a budget.
    ready: Ready<W::Output>,
    source: S,
    work: Arc<W>,
}

/// What of the plain loop may still be run, and who is asked after that.
struct Core<W, I, R, P> {
    /// Items that the plain loop may still run before the engine is asked again.
    budget: usize,
    engine: Box<Engine<W, I, R, P>>,
}

/// What is only used between two budgets or batches.
struct Engine<W, I, R, P> {
    /// What the last budget was.
    granted: usize,
    /// Source index of the result behind the last one that is ready.
    ready_end: u64,
    /// The panic behind the last of those.
    panic: Option<Payload>,
    done: bool,
    flow: Flow<W, I, R, P>,
}

/// Results that wait to be yielded. Those that never are, are dropped one by one: should two of them panic in one go,
/// the process would end.
struct Ready<R>(vec::IntoIter<R>);

impl<R> Default for Ready<R> {
    fn default() -> Self {
        Self(Vec::new().into_iter())
    }
}

impl<R> Drop for Ready<R> {
    #[inline]
    fn drop(&mut self) {
        drop_each_quietly(std::mem::take(&mut self.0));
    }
}

/// Ends the stream if the source or the function unwinds: nothing else could say where it was.
struct EndOnUnwind<'a, W, I, R, P> {
    core: &'a mut Core<W, I, R, P>,
    /// The function has an item of the plain loop.
    has_item: bool,
}

impl<'a, W, I, R, P> EndOnUnwind<'a, W, I, R, P> {
    #[inline]
    fn new(core: &'a mut Core<W, I, R, P>) -> Self {
        Self { core, has_item: false }
    }

    #[inline]
    fn disarm(self) {
        std::mem::forget(self);
    }
}

impl<W, I, R, P> Drop for EndOnUnwind<'_, W, I, R, P> {
    #[inline]
    fn drop(&mut self) {
        self.core.interrupt(self.has_item);
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
        let engine = Box::new(Engine { granted: 0, ready_end: 0, panic: None, done: false, flow });
        Self { source, work, ready: Ready::default(), core: Core { budget: 0, engine } }
    }

    /// Live figures: items in and out, throughput, threads, chunk and window, waits.
    #[must_use]
    pub fn report(&self) -> Report {
        self.core.report(self.unread())
    }

    /// Results that are ready and not yet yielded.
    fn unread(&self) -> usize {
        self.ready.0.len()
    }

    /// Source index of the result that `next` has just returned.
    pub(crate) fn last_index(&self) -> usize {
        self.core.place(self.unread()) - 1
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

impl<W, I, R, P> Core<W, I, R, P> {
    /// Where the next result stands in the source, as far as it is here: with so many that are ready, or in the plain
    /// loop.
    fn place(&self, unread: usize) -> usize {
        let Engine { granted, ready_end, flow, .. } = &*self.engine;
        let place = match granted {
            0 => ready_end - unread as u64,
            _ => flow.pulled() + self.looped(),
        };
        place as usize
    }

    /// Items of the present budget that were run.
    fn looped(&self) -> u64 {
        (self.engine.granted - self.budget) as u64
    }

    /// A panic has ended the stream.
    #[cold]
    #[inline(never)]
    fn interrupt(&mut self, has_item: bool) {
        // What is left of the budget was not run, and the item that panicked has no result.
        self.engine.granted -= std::mem::take(&mut self.budget) + usize::from(has_item);
        self.engine.done = true;
        self.engine.flow.interrupt(has_item);
    }

    fn report(&self, unread: usize) -> Report {
        self.engine.flow.report(self.looped(), unread as u64)
    }
}

impl<W, I, R, P> Drop for Core<W, I, R, P> {
    #[inline]
    fn drop(&mut self) {
        self.engine.flow.abandon(self.budget);
        drop_quietly(self.engine.panic.take());
    }
}

impl<W, I, R, P> Engine<W, I, R, P> {
    fn finish(&mut self) {
        self.done = true;
        self.flow.end();
    }

    fn take(&mut self, Batch { start, results, panic, .. }: Batch<R>) -> Ready<R> {
        self.ready_end = start + results.len() as u64;
        self.panic = panic;
        Ready(results.into_iter())
    }
}

impl<W, I, R, P> Core<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// Asks the engine for more results or another budget; false at the end.
    #[cold]
    #[inline(never)]
    fn advance<S: Iterator<Item = I>>(&mut self, source: &mut S, ready: &mut Ready<R>) -> bool {
        let engine = &mut *self.engine;
        if let Some(payload) = engine.panic.take() {
            engine.finish();
            resume_unwind(payload);
        }
        if engine.done {
            return false;
        }
        let unused = std::mem::take(&mut self.budget);
        engine.granted = 0;
        let guard = EndOnUnwind::new(self);
        let next = guard.core.engine.flow.next(source, unused);
        guard.disarm();
        let engine = &mut *self.engine;
        match next {
            Next::Batch(batch) => *ready = engine.take(batch),
            Next::Loop(items) => {
                engine.granted = items;
                self.budget = items;
            }
            Next::End => engine.finish(),
        }
        !engine.done
    }

    /// The source ended within a budget.
    #[cold]
    #[inline(never)]
    fn end_loop<S: Iterator<Item = I>>(&mut self, source: &mut S, ready: &mut Ready<R>) {
        self.engine.flow.exhaust();
        self.advance(source, ready);
    }
}

impl<S, W, P> Stream<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    P: Launch<W, S::Item>,
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
        let unread = self.unread();
        let guard = EndOnUnwind::new(&mut self.core);
        guard.core.engine.flow.decide(&mut self.source, unread);
        guard.disarm();
        self.core.engine.flow.plan()
    }

    /// Folds all results; the report says how it went.
    pub(crate) fn fold_reported<B>(self, init: B, fold: impl FnMut(B, W::Output) -> B) -> (B, Report) {
        self.fold_placed(init, |_| (), fold)
    }

    /// The same; `goes_on_at` is told the place in the source of every result that does not follow on the one before,
    /// and sometimes of one that does.
    pub(crate) fn fold_placed<B>(
        self,
        init: B,
        goes_on_at: impl Fn(usize),
        mut fold: impl FnMut(B, W::Output) -> B,
    ) -> (B, Report) {
        let Stream { mut source, work, mut ready, mut core } = self;
        let mut folded = init;
        loop {
            goes_on_at(core.place(ready.0.len()));
            if core.budget > 0 {
                let ran;
                let guard = EndOnUnwind::new(&mut core);
                (source, folded, ran) = stretch(source, &*work, guard.core.budget, folded, &mut fold);
                guard.disarm();
                core.budget -= ran;
                if core.budget > 0 {
                    core.end_loop(&mut source, &mut ready);
                    return (folded, core.report(0));
                }
            }
            for result in ready.0.by_ref() {
                folded = fold(folded, result);
            }
            if !core.advance(&mut source, &mut ready) {
                return (folded, core.report(0));
            }
        }
    }

    /// The next result within a budget.
    #[inline]
    fn next_of_loop(&mut self) -> Option<W::Output> {
        let mut guard = EndOnUnwind::new(&mut self.core);
        // The compiler makes item and result where they are taken; one that has a name first is copied once more.
        match self.source.next() {
            Some(item) => {
                guard.core.budget -= 1;
                guard.has_item = true;
                let result = Some(self.work.call(item));
                guard.disarm();
                result
            }
            None => {
                guard.disarm();
                self.core.end_loop(&mut self.source, &mut self.ready);
                None
            }
        }
    }

    /// The next result without one.
    #[inline]
    fn next_ready(&mut self) -> Option<W::Output> {
        loop {
            if let Some(result) = self.ready.0.next() {
                return Some(result);
            }
            if !self.core.advance(&mut self.source, &mut self.ready) {
                return None;
            }
            if self.core.budget > 0 {
                return self.first_of_loop();
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn first_of_loop(&mut self) -> Option<W::Output> {
        self.next_of_loop()
    }

    #[inline(never)]
    fn next_apart(&mut self) -> Option<W::Output> {
        self.next_ready()
    }
}

impl<S, W, P> Iterator for Stream<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
    P: Launch<W, S::Item>,
{
    type Item = W::Output;

    #[inline]
    fn next(&mut self) -> Option<W::Output> {
        if self.core.budget > 0 {
            return self.next_of_loop();
        }
        // Where a result does not fit into registers, one that may come from two places is copied twice more.
        if const { size_of::<W::Output>() > IN_REGISTERS } { self.next_apart() } else { self.next_ready() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let Engine { done, flow, .. } = &*self.core.engine;
        if *done {
            return (self.unread(), Some(self.unread()));
        }
        let held = self.unread() + flow.in_flight() as usize;
        if flow.is_exhausted() {
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
    P: Launch<W, S::Item>,
{
}

impl<S, W, P> ExactSizeIterator for Stream<S, W, P>
where
    S: ExactSizeIterator,
    W: Work<S::Item>,
    P: Launch<W, S::Item>,
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
