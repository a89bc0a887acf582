//! Items that run one after the other, until there is a plan.

use super::Flow;
use super::course::ran;
use crate::decide::pilot::Step;
use crate::engine::launch::Launch;
use crate::work::Work;

impl<W, I, R, P> Flow<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// Goes on with the trial until there is a plan, while the stream holds so many results.
    pub(crate) fn decide<S: Iterator<Item = I>>(&mut self, source: &mut S, unread: usize) {
        self.course.unread = unread;
        if self.course.began.is_none() {
            self.begin(source);
            self.course.pilot.waive_head_start();
        }
        while self.course.pilot.plan().is_none() {
            match self.step(source) {
                _ if self.course.pilot.plan().is_some() => {}
                Step::Try(items) => self.try_batch(source, items),
                Step::Look => self.course.look(),
                Step::Loop(_) => self.conclude(source),
                Step::Parallel if self.course.has_panicked => self.conclude(source),
                Step::Parallel => match self.next_batch(source) {
                    Some(batch) => self.keep(batch),
                    None => self.conclude(source),
                },
            }
        }
        self.course.unread = 0;
    }

    fn conclude<S: Iterator<Item = I>>(&mut self, source: &S) {
        self.course.conclude(self.remaining(source));
    }

    pub(super) fn try_batch<S: Iterator<Item = I>>(&mut self, source: &mut S, items: usize) {
        let Some((chunk, pulled)) = self.pull_next(source, items) else { return };
        let batch = self.queue.run_whole(chunk);
        self.course.has_panicked |= batch.panic.is_some();
        if !batch.results.is_empty() {
            self.course.pilot.tried(pulled.as_secs_f64(), ran(&batch));
        }
        self.keep(batch);
    }
}
