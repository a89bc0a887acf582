//! The iterator that users hold. Its hot path is a few instructions; the rest is [`inner`], and the engine behind it.

mod inner;

use std::fmt;
use std::sync::Arc;

use crate::engine::flow::{Course, Flow};
use crate::engine::launch::{Detached, Launch};
use crate::engine::queue::Queue;
use crate::engine::stretch::stretch;
use crate::indexed::Indexed;
use crate::plan::Plan;
use crate::report::Report;
use crate::work::Work;
use inner::{Core, EndOnUnwind, Engine, Ready};

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

impl<S, W, P> Stream<S, W, P>
where
    S: Iterator,
    W: Work<S::Item>,
{
    pub(crate) fn start(source: S, work: Arc<W>, course: Course, launcher: P) -> Self {
        let queue = Arc::new(Queue::new(Arc::clone(&work)));
        let core = Core::new(Flow::new(queue, launcher, course));
        Self { source, work, ready: Ready::default(), core }
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

    /// Folds all results; `goes_on_at` is told the place in the source of every result that does not follow on the one
    /// before, and sometimes of one that does.
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
            while let Some(result) = core.next_of_lent(&*work) {
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

    /// The next result without a budget.
    #[inline]
    fn next_ready(&mut self) -> Option<W::Output> {
        loop {
            if let Some(result) = self.ready.0.next() {
                return Some(result);
            }
            if self.core.has_lent() {
                return self.core.next_of_lent(&*self.work);
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
