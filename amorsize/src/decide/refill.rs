//! How many chunks the consumer pulls from the source before it does something else: until two wait for every thread,
//! and more where the consumer may be away for longer than those last and that takes next to no time: with an item of
//! its own, where items are uneven, or because others have the processor. With results at hand no more than one, and
//! none of a source that may be [silent](super::silence), which must not keep them from the consumer, unless threads
//! would have nothing to do meanwhile. Nor is anything pulled from that while results are about to come, for a while.

use super::silence::Silence;

/// Seconds for which more chunks are pulled than every thread needs at once, and for which results may wait unseen.
const QUICK: f64 = 15e-6;

/// How far chunks were pulled ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refilled {
    /// As many chunks as are needed by now.
    Enough,
    /// A chunk that took its time: results may have come meanwhile.
    Slowly,
    /// All chunks that there are, or that the window has room for; or one that took its time, behind which the very
    /// first result is not to wait.
    All,
    /// No more chunks until the results come that are about to.
    Promptly,
}

/// What there is before chunks are pulled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct There {
    /// Results that are yielded next.
    pub(crate) has_results: bool,
    /// Chunks that wait for a thread, or results behind those that are yielded next.
    pub(crate) has_work: bool,
}

/// See the module. Is told the time; reads no clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refill {
    /// Most chunks that are pulled, and those that are missing until enough wait for every thread.
    pub(super) most: usize,
    pub(super) missing: usize,
    /// The consumer may be away for longer than what is missing takes.
    pub(super) may_be_away: bool,
    /// Nothing is planned yet: the very first result is to come.
    pub(super) is_beginning: bool,
    /// Results come sooner than the source may give anything.
    pub(super) is_prompt: bool,
    /// Some results are being made.
    pub(super) is_made: bool,
    pub(super) pulled: usize,
}

impl Refill {
    /// Items of the next chunk, where so many are wanted, and there is room for so many beside those in flight. Less
    /// than a chunk is pulled only where nothing is.
    pub(crate) fn size(wanted: usize, room: usize, in_flight: u64) -> Option<usize> {
        (room > 0 && (room >= wanted || in_flight == 0)).then(|| wanted.min(room))
    }

    /// Most chunks that are pulled beside what there is, where the consumer takes so many seconds for the results of a
    /// chunk.
    pub(super) fn most(there: There, silence: Silence, consumer: f64) -> usize {
        match there {
            There { has_results: false, .. } => usize::MAX,
            There { has_work, .. } => {
                let comes_first = has_work || silence.outlasts(consumer);
                usize::from(!silence.is_slow() || !comes_first)
            }
        }
    }

    /// How far chunks are pulled ahead where none is to be pulled; `None`: some are.
    pub(crate) fn begun(&self) -> Option<Refilled> {
        (self.is_prompt && self.is_made).then_some(Refilled::Promptly)
    }

    /// Whether one more chunk is pulled now, so many seconds after the first.
    pub(crate) fn goes_on(&self, spent: impl FnOnce() -> f64) -> bool {
        self.pulled < self.most && (self.pulled < self.missing || (self.may_be_away && spent() <= QUICK))
    }

    /// A chunk was pulled in so many seconds; how far that is, if it ends there.
    pub(crate) fn pulled(&mut self, seconds: f64) -> Option<Refilled> {
        self.pulled += 1;
        if self.is_prompt {
            return Some(Refilled::Promptly);
        }
        (seconds > QUICK).then_some(match () {
            // Nor must it keep the very first result.
            () if self.is_beginning => Refilled::All,
            () if self.pulled < self.missing => Refilled::Slowly,
            () => Refilled::Enough,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: Refill = Refill {
        most: usize::MAX,
        missing: 4,
        may_be_away: false,
        is_beginning: false,
        is_prompt: false,
        is_made: false,
        pulled: 0,
    };

    /// Chunks that are pulled in so many seconds each, and how far that is.
    fn pulled(mut refill: Refill, seconds: f64) -> (usize, Refilled) {
        while refill.goes_on(|| refill.pulled as f64 * seconds) {
            if let Some(refilled) = refill.pulled(seconds) {
                return (refill.pulled, refilled);
            }
        }
        (refill.pulled, Refilled::Enough)
    }

    #[test]
    fn every_thread_gets_a_chunk_and_more_wait_where_the_consumer_may_be_away() {
        assert_eq!(pulled(EVEN, 1e-6), (4, Refilled::Enough));
        assert_eq!(pulled(Refill { may_be_away: true, ..EVEN }, 1e-6), (16, Refilled::Enough));
        assert_eq!(pulled(Refill { missing: 0, ..EVEN }, 1e-6).0, 0);
    }

    #[test]
    fn a_source_that_takes_its_time_is_left_for_what_may_have_come() {
        assert_eq!(pulled(EVEN, 20e-6), (1, Refilled::Slowly));
        assert_eq!(pulled(Refill { missing: 1, ..EVEN }, 20e-6), (1, Refilled::Enough));
        assert_eq!(pulled(Refill { is_beginning: true, ..EVEN }, 20e-6), (1, Refilled::All));
    }

    #[test]
    fn nothing_is_pulled_from_a_source_that_may_be_silent_while_results_are_about_to_come() {
        let prompt = Refill { is_prompt: true, ..EVEN };
        assert_eq!((EVEN.begun(), prompt.begun()), (None, None));
        assert_eq!(pulled(prompt, 1e-6), (1, Refilled::Promptly));
        assert_eq!(Refill { is_made: true, ..prompt }.begun(), Some(Refilled::Promptly));
        assert_eq!(Refill { is_made: true, ..EVEN }.begun(), None);
    }

    #[test]
    fn results_at_hand_wait_for_one_chunk_and_for_none_of_a_slow_source() {
        let mut slow = Silence::default();
        slow.pulled(1, 10e-3, 0.0);
        let most = |has_results, has_work, consumer| {
            [Silence::default(), slow].map(|silence| Refill::most(There { has_results, has_work }, silence, consumer))
        };
        assert_eq!([most(false, false, 1.0), most(false, true, 1.0)], [[usize::MAX; 2]; 2]);
        assert_eq!(
            (most(true, true, 1.0), most(true, false, 1.0)),
            ([1, 0], [1, 1]),
            "threads would have nothing to do"
        );
        assert_eq!(most(true, false, 1e-3), [1, 0], "but not for long");
        assert_eq!(pulled(Refill { most: 1, ..EVEN }, 1e-6), (1, Refilled::Enough));
    }
}
