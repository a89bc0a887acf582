//! What is behind a stream: a budget for the plain loop, results that are ready, and the engine that gives either.

use std::panic::resume_unwind;
use std::vec;

use crate::engine::chunk::{Batch, Payload};
use crate::engine::flow::{Flow, Next};
use crate::engine::launch::Launch;
use crate::quiet::{drop_each_quietly, drop_quietly};
use crate::report::Report;
use crate::work::Work;

/// What of the plain loop may still be run, and who is asked after that.
pub(super) struct Core<W, I, R, P> {
    /// Items that the plain loop may still run before the engine is asked again.
    pub(super) budget: usize,
    pub(super) engine: Box<Engine<W, I, R, P>>,
}

/// What is only used between two budgets or batches.
pub(super) struct Engine<W, I, R, P> {
    /// What the last budget was.
    granted: usize,
    /// Source index of the result behind the last one that is ready.
    ready_end: u64,
    /// The panic behind the last result that is ready.
    panic: Option<Payload>,
    pub(super) done: bool,
    pub(super) flow: Flow<W, I, R, P>,
}

/// Results that wait to be yielded. Those that never are, are dropped one by one: should two of them panic in one go,
/// the process would end.
pub(super) struct Ready<R>(pub(super) vec::IntoIter<R>);

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
pub(super) struct EndOnUnwind<'a, W, I, R, P> {
    pub(super) core: &'a mut Core<W, I, R, P>,
    /// The function has an item of the plain loop.
    pub(super) has_item: bool,
}

impl<'a, W, I, R, P> EndOnUnwind<'a, W, I, R, P> {
    #[inline]
    pub(super) fn new(core: &'a mut Core<W, I, R, P>) -> Self {
        Self { core, has_item: false }
    }

    #[inline]
    pub(super) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl<W, I, R, P> Drop for EndOnUnwind<'_, W, I, R, P> {
    #[inline]
    fn drop(&mut self) {
        self.core.interrupt(self.has_item);
    }
}

impl<W, I, R, P> Core<W, I, R, P> {
    pub(super) fn new(flow: Flow<W, I, R, P>) -> Self {
        let engine = Engine { granted: 0, ready_end: 0, panic: None, done: false, flow };
        Self { budget: 0, engine: Box::new(engine) }
    }

    /// Where the next result stands in the source, as far as it is here: with so many that are ready, or in the plain
    /// loop.
    pub(super) fn place(&self, unread: usize) -> usize {
        let Engine { granted, ready_end, flow, .. } = &*self.engine;
        let place = match granted {
            0 => ready_end - unread as u64,
            _ => flow.accepted() + self.looped(),
        };
        place as usize
    }

    /// Items of the present budget that were run.
    fn looped(&self) -> u64 {
        (self.engine.granted - self.unused()) as u64
    }

    /// Items of the present budget that were not run.
    fn unused(&self) -> usize {
        self.budget + self.engine.flow.lent()
    }

    /// Whether the plain loop has items that were pulled ahead of it.
    #[inline]
    pub(super) fn has_lent(&self) -> bool {
        self.engine.flow.lent() > 0
    }

    /// A panic has ended the stream.
    #[cold]
    #[inline(never)]
    fn interrupt(&mut self, has_item: bool) {
        // What is left of the budget was not run, and the item that panicked has no result.
        self.engine.granted -= self.unused() + usize::from(has_item);
        self.budget = 0;
        self.engine.done = true;
        self.engine.flow.interrupt(has_item);
    }

    pub(super) fn report(&self, unread: usize) -> Report {
        self.engine.flow.report(self.looped(), unread as u64)
    }
}

impl<W, I, R, P> Drop for Core<W, I, R, P> {
    #[inline]
    fn drop(&mut self) {
        self.engine.flow.abandon(self.unused());
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
    /// The result for the next item that is lent to the plain loop.
    #[cold]
    #[inline(never)]
    pub(super) fn next_of_lent(&mut self, work: &W) -> Option<R> {
        let item = self.engine.flow.next_lent()?;
        let mut guard = EndOnUnwind::new(self);
        guard.has_item = true;
        let result = work.call(item);
        guard.disarm();
        Some(result)
    }

    /// Asks the engine for more results or another budget; false at the end.
    #[cold]
    #[inline(never)]
    pub(super) fn advance<S: Iterator<Item = I>>(&mut self, source: &mut S, ready: &mut Ready<R>) -> bool {
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
                self.budget = items - engine.flow.lent();
            }
            Next::End => engine.finish(),
        }
        !engine.done
    }

    /// The source ended within a budget.
    #[cold]
    #[inline(never)]
    pub(super) fn end_loop<S: Iterator<Item = I>>(&mut self, source: &mut S, ready: &mut Ready<R>) {
        self.engine.flow.exhaust();
        self.advance(source, ready);
    }
}
