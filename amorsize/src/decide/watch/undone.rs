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

impl Watch {
    pub(super) fn refute(&mut self, Compared { gain, doubt, .. }: Compared, now: f64) -> Judgement {
        let shortest = if gain * doubt < LOSS { CLEAR_PAUSE } else { SHORTEST_PAUSE };
        let loss = ATTEMPT.max(self.at_risk) + (now - self.losing_since) * (1.0 - gain).max(0.0);
        self.pause = (2.0 * self.pause).max(shortest).max(PAUSES_A_LOSS * loss);
        self.undone = Some((now + self.pause, Sum::default()));
        self.epoch = FIRST_EPOCH;
        self.has_lost = true;
        self.was_good = false;
        self.is_proven = false;
        self.beside.clear();
        Judgement::Refuted { gain }
    }

    /// Whether the plain loop runs because a check preferred it.
    pub(crate) fn is_undone(&self) -> bool {
        self.undone.is_some()
    }

    /// Adds `items` of the plain loop after a plan was undone.
    pub(crate) fn looped(&mut self, now: f64, items: usize, seconds: f64) -> Undone {
        let Some((until, sum)) = &mut self.undone else { return Undone::GoOn };
        let is_dear = seconds > MUCH_CHANGED * self.baseline * items as f64;
        self.dear_stretches = if is_dear { self.dear_stretches + 1 } else { 0 };
        sum.add(Sum::plain(items as u64, seconds));
        let is_slow = sum.wall >= SLOW_LOOP && sum.wall_each() >= CONFIRMED * CONFIRMED * self.observed.wall_each();
        if self.dear_stretches >= SURELY_DEAR {
            Undone::Outdated
        } else if now >= *until || is_slow {
            Undone::Over
        } else {
            Undone::GoOn
        }
    }
}
