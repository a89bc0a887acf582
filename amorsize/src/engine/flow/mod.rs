//! The consumer's side of a stream: pulls chunks from the source, hands them over, takes results back, and tells the
//! pilot how long everything took. All of it runs on the thread that asks for the next result.
//!
//! - here: from one call to the next
//! - [`course`]: what the run has come to, and what the pilot is told: all that knows nothing of items and results
//! - [`trial`]: items that run one after the other, until there is a plan
//! - [`first`]: the first item, and what threads may do meanwhile
//! - [`pulling`]: items from the source, in chunks
//! - [`parallel`]: chunks on threads
//! - [`tickets`]: how many tickets there may be

mod course;
mod first;
mod parallel;
mod pulling;
mod tickets;
mod trial;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::chunk::{Batch, Payload};
use super::launch::Launch;
use super::queue::Queue;
use crate::decide::input::Remaining;
use crate::decide::pilot::Step;
use crate::plan::Plan;
use crate::quiet::{drop_each_quietly, drop_quietly};
use crate::report::Report;
use crate::work::Work;
pub(crate) use course::Course;

/// What the stream does until it asks again.
pub(crate) enum Next<R> {
    /// Yield these results.
    Batch(Batch<R>),
    /// Run so many items as a plain loop: of the source, or of those that were pulled ahead of it, if there are any.
    Loop(usize),
    /// The source is exhausted and everything was yielded.
    End,
}

/// See the module. `P` takes tickets to threads.
pub(crate) struct Flow<W, I, R, P> {
    queue: Arc<Queue<W, I, R>>,
    launcher: P,
    course: Course,
    /// Items that were pulled before the first one ran, and that nobody has run yet.
    ahead: VecDeque<I>,
    /// Vectors for items, empty, that were in use before.
    spare: Vec<Vec<I>>,
    /// Results of a trial that are not yet yielded.
    backlog: VecDeque<Batch<R>>,
    source_panic: Option<Payload>,
}

impl<W, I, R, P> Flow<W, I, R, P> {
    pub(crate) fn new(queue: Arc<Queue<W, I, R>>, launcher: P, course: Course) -> Self {
        Self {
            queue,
            launcher,
            course,
            ahead: VecDeque::new(),
            spare: Vec::new(),
            backlog: VecDeque::new(),
            source_panic: None,
        }
    }

    /// Whether nothing is left to be taken, of the source or of what was pulled ahead.
    fn is_over(&self) -> bool {
        self.course.exhausted && self.ahead.is_empty()
    }

    /// Items taken from the source and not yet handed to the stream.
    pub(crate) fn in_flight(&self) -> u64 {
        self.course.in_flight()
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.course.exhausted
    }

    /// Source index of the first item of the plain loop, while it runs.
    pub(crate) fn accepted(&self) -> u64 {
        self.course.accepted
    }

    /// The plan, after [`Flow::decide`].
    pub(crate) fn plan(&self) -> &Plan {
        self.course.pilot.plan().expect("decided before")
    }

    pub(crate) fn report(&self, looped: u64, unread: u64) -> Report {
        self.course.report(looped, unread)
    }

    /// The plain loop found the end of the source.
    pub(crate) fn exhaust(&mut self) {
        self.course.exhausted = true;
    }

    /// No more results will be asked for.
    pub(crate) fn end(&mut self) {
        self.course.exhausted = true;
        self.course.take_back();
        if self.course.is_configured() {
            self.queue.cancel();
        }
        drop_each_quietly(self.ahead.drain(..));
        self.backlog.drain(..).for_each(Batch::discard);
        drop_quietly(self.source_panic.take());
        self.course.close();
    }

    /// The stream is dropped; `left` items of a plain loop were not run.
    pub(crate) fn abandon(&mut self, left: usize) {
        self.course.abandon(left);
        self.end();
    }

    /// A panic has ended the plain loop, or came from the source's `size_hint`.
    pub(crate) fn interrupt(&mut self, has_item: bool) {
        self.course.interrupt(has_item);
        self.end();
    }

    /// Items that the plain loop has from here, and not from the source. (They were pulled ahead of the first one, and
    /// no thread has taken them; until the loop does, they do not count as pulled.)
    pub(crate) fn lent(&self) -> usize {
        self.course.lent
    }

    /// The next item that is lent to the plain loop.
    pub(crate) fn next_lent(&mut self) -> Option<I> {
        self.course.lent = self.course.lent.checked_sub(1)?;
        self.ahead.pop_front()
    }

    /// Keeps results of a trial until they are asked for.
    fn keep(&mut self, batch: Batch<R>) {
        self.course.keep(batch.results.len());
        self.backlog.push_back(batch);
    }

    fn hand_over(&mut self, batch: Batch<R>) -> Next<R> {
        self.course.hand_over(batch.results.len());
        Next::Batch(batch)
    }

    /// Everything was yielded: the source's own panic comes at its place, after all results.
    fn finish(&mut self) -> Next<R> {
        let panic = self.source_panic.take();
        self.end();
        match panic {
            Some(payload) => Next::Batch(Batch::panicked(self.course.pulled, payload)),
            None => Next::End,
        }
    }

    fn remaining<S: Iterator>(&self, source: &S) -> Remaining {
        self.course.remaining(|| source.size_hint(), self.ahead.len())
    }
}

impl<W, I, R, P> Flow<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// What the stream does next; `left` items of a plain loop were not run, because the source ended.
    pub(crate) fn next<S: Iterator<Item = I>>(&mut self, source: &mut S, left: usize) -> Next<R> {
        let called = Instant::now();
        if let Some(items) = self.course.go_on(called, left) {
            return Next::Loop(items);
        }
        self.course.settle_account(called, self.remaining(source));
        loop {
            if let Some(batch) = self.backlog.pop_front() {
                self.course.take_kept(batch.results.len());
                return self.hand_over(batch);
            }
            if self.course.exhausted && self.course.in_flight() == 0 {
                return self.finish();
            }
            match self.step(source) {
                Step::Try(items) => self.try_batch(source, items),
                Step::Look => self.course.look(),
                Step::Loop(_) if self.is_over() => return self.finish(),
                Step::Loop(items) => return Next::Loop(self.course.begin_loop(items, self.ahead.len())),
                Step::Parallel => match self.next_batch(source) {
                    Some(batch) => return self.hand_over(batch),
                    None => self.course.drained(),
                },
            }
        }
    }

    fn step<S: Iterator<Item = I>>(&mut self, source: &S) -> Step {
        if self.course.began.is_none() {
            self.begin(source);
        }
        self.course.step(self.remaining(source), self.ahead.len())
    }

    fn begin<S: Iterator<Item = I>>(&mut self, source: &S) {
        self.course.consult(self.remaining(source), &|is_pinned| self.launcher.beside(is_pinned));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::decide::pilot::SMALL_BLOCK;
    use crate::engine::launch::Detached;
    use crate::engine::scope::Scoped;
    use crate::fingerprint::{Identity, call_site};
    use crate::learn::function::Function;
    use crate::tuner::Tuner;

    type Increment = fn(u64) -> u64;
    type FlowOf<P> = Flow<Increment, u64, u64, P>;
    type QueueOf = Queue<Increment, u64, u64>;

    #[test]
    fn a_stream_begins_with_small_blocks() {
        let sizes = [size_of::<FlowOf<Detached>>(), size_of::<FlowOf<Scoped<'_, '_, '_>>>(), size_of::<QueueOf>()];
        assert!(sizes.iter().all(|size| size + 64 <= SMALL_BLOCK), "{sizes:?}, and what goes with them");
        // A block that begins with a cache line is no small one.
        assert!(align_of::<QueueOf>() <= align_of::<u128>());
    }

    /// Takes so many results of a thousand. Whether the next stream from there is likely to be left early, too.
    #[track_caller]
    fn is_left(take: usize) -> bool {
        fn next(item: u64) -> u64 {
            item + 1
        }
        let function: Increment = next;
        let identity = Identity::of_closure::<Increment>("left");
        assert_eq!(Tuner::new("left", function).stream(0..1_000).take(take).count(), take);
        Function::of(&identity).endings().are_early(call_site(Location::caller()), 1_000)
    }

    #[test]
    fn a_stream_that_is_left_long_before_its_end_tells_the_next_one() {
        let is_left: Vec<bool> = [400, 600, 400, 1_000].into_iter().map(|take| is_left(take)).collect();
        assert_eq!(is_left, [true, false, true, false]);
    }
}
