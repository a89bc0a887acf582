//! Items are pulled from the source and made into chunks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::Flow;
use crate::decide::cut::Cut;
use crate::engine::chunk::{Chunk, for_results, with_room};
use crate::engine::launch::Launch;
use crate::work::Work;

/// Most items that memory is reserved for before they come: a source may lie, and a pinned chunk may be as large as
/// can be.
const MOST_RESERVED: usize = 8192;

impl<W, I, R, P> Flow<W, I, R, P>
where
    W: Work<I, Output = R>,
    P: Launch<W, I>,
{
    /// Up to `most` items, those first that were pulled ahead, and the time that pulling them took.
    pub(super) fn pull_next<S: Iterator<Item = I>>(
        &mut self,
        source: &mut S,
        most: usize,
    ) -> Option<(Chunk<I, R>, Duration)> {
        if !self.ahead.is_empty() {
            let chunk = self.take_ahead(most);
            let seconds = self.course.pilot.costs().source * chunk.items.len() as f64;
            return Some((chunk, Duration::try_from_secs_f64(seconds).unwrap_or_default()));
        }
        self.pull(source, most)
    }

    /// Pulls up to `most` items, fewer of a slow source, and tells how long that took.
    pub(super) fn pull<S: Iterator<Item = I>>(
        &mut self,
        source: &mut S,
        most: usize,
    ) -> Option<(Chunk<I, R>, Duration)> {
        let (begin, start) = (Instant::now(), self.course.pulled);
        let expected = source.size_hint().1.unwrap_or(most);
        let mut items = self.room_for_items(most.min(expected).min(MOST_RESERVED));
        self.pull_into(&mut items, source, most, begin);
        (!items.is_empty()).then(|| (self.chunk_of(start, items), begin.elapsed()))
    }

    /// Fills an empty vector with up to `most` items, fewer of a source that has been slow since `begin`. A source that
    /// panics ends there.
    pub(super) fn pull_into<S: Iterator<Item = I>>(
        &mut self,
        items: &mut Vec<I>,
        source: &mut S,
        most: usize,
        begin: Instant,
    ) {
        let mut cut = Cut::of(0.0);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            while items.len() < most {
                let wanted = (most - items.len()).min(MOST_RESERVED).min(cut.items());
                let before = items.len();
                items.extend(source.take(wanted));
                if items.len() - before < wanted {
                    return true;
                }
                if items.len() < most && cut.check(begin.elapsed().as_secs_f64()) {
                    break;
                }
            }
            false
        }));
        match ended {
            Ok(ended) => self.course.exhausted = ended,
            Err(payload) => {
                self.course.exhausted = true;
                self.source_panic = Some(payload);
            }
        }
        self.course.pulled += items.len() as u64;
    }

    pub(super) fn chunk_of(&self, start: u64, items: Vec<I>) -> Chunk<I, R> {
        let results = for_results(items.len(), self.course.room());
        Chunk { start, results, how: self.course.how(items.len()), items }
    }

    /// An empty vector for so many items, one that was in use before if there is any.
    pub(super) fn room_for_items(&mut self, items: usize) -> Vec<I> {
        let spare = self.spare.pop().filter(|spare| spare.capacity() >= items);
        spare.unwrap_or_else(|| with_room(items, self.course.room()))
    }
}
