//! The plain loop after threads were undone: for how long, and what ends it sooner.

use super::check::{CONFIRMED, Compared};
use super::{FIRST_EPOCH, Judgement, LOSS, Sum, Watch};
use crate::decide::risk::PAUSES_A_LOSS;

/// Shortest seconds of a pause after a plan was undone, before parallel is tried again; and where it was clearly a
/// loss.
pub(super) const SHORTEST_PAUSE: f64 = 10e-3;
const CLEAR_PAUSE: f64 = 30e-3;
/// Seconds that an attempt costs anyway.
const ATTEMPT: f64 = 100e-6;
/// Seconds of the plain loop after which it is known to be slower than threads were.
const SLOW_LOOP: f64 = 5e-3;
/// Ratio from which the plain loop's items are not those that threads were undone on.
const MUCH_CHANGED: f64 = 8.0;
/// Stretches in a row that must show such a change.
const SURELY_DEAR: u32 = 3;

/// What the plain loop shows after a plan was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// Nothing new.
    GoOn,
    /// Threads are worth another attempt: after a pause, or because the loop turns out slower than they were.
    Over,
    /// Items take so much longer now that nothing is known of them; for several stretches in a row, since one may only
    /// have been interrupted.
    Outdated,
}

/// The plain loop instead of threads that were undone.
#[derive(Clone, Debug, Default)]
pub(super) struct Pause {
    /// While they are: when they are tried again, and how the plain loop does.
    pub(super) undone: Option<(f64, Sum)>,
    dear_stretches: u32,
    /// Seconds of the last pause; the next one is at least twice as long.
    pub(super) last: f64,
}

impl Pause {
    fn begin(&mut self, now: f64, shortest: f64) {
        self.last = (2.0 * self.last).max(shortest);
        self.undone = Some((now + self.last, Sum::default()));
    }
}

impl Watch {
    pub(super) fn refute(&mut self, Compared { gain, doubt, .. }: Compared, now: f64) -> Judgement {
        let shortest = if gain * doubt < LOSS { CLEAR_PAUSE } else { SHORTEST_PAUSE };
        let loss = ATTEMPT.max(self.at_risk) + (now - self.losing_since) * (1.0 - gain).max(0.0);
        self.pause.begin(now, shortest.max(PAUSES_A_LOSS * loss));
        self.epoch = FIRST_EPOCH;
        self.has_lost = true;
        self.was_good = false;
        self.is_proven = false;
        self.beside.clear();
        Judgement::Refuted { gain }
    }

    /// Whether the plain loop runs because a check preferred it.
    pub(crate) fn is_undone(&self) -> bool {
        self.pause.undone.is_some()
    }

    /// Adds `items` of the plain loop after a plan was undone.
    pub(crate) fn looped(&mut self, now: f64, items: usize, seconds: f64) -> Undone {
        let Pause { undone: Some((until, sum)), dear_stretches, .. } = &mut self.pause else { return Undone::GoOn };
        let is_dear = seconds > MUCH_CHANGED * self.baseline * items as f64;
        *dear_stretches = if is_dear { *dear_stretches + 1 } else { 0 };
        sum.add(Sum::plain(items as u64, seconds));
        let is_slow = sum.wall >= SLOW_LOOP && sum.wall_each() >= CONFIRMED * CONFIRMED * self.observed.wall_each();
        if *dear_stretches >= SURELY_DEAR {
            Undone::Outdated
        } else if now >= *until || is_slow {
            Undone::Over
        } else {
            Undone::GoOn
        }
    }
}
