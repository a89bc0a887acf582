//! A plain loop that is recommended is all that is seen from then on, so that one bad hour of the machine would keep a
//! function from threads for ever. This says when they are due for another attempt: attempts that fail cost about a
//! hundredth of the time between them at first, and ever less.

use crate::decide::costs::Costs;
use crate::learn::sample::Sample;
use crate::plan::Pool;

/// Seconds of the plain loop that one attempt may follow on: a hundred times what it costs to find out that it failed.
const PAUSE: f64 = 0.1;
/// Gain below which an attempt has failed.
const WORTH_IT: f64 = 1.04;
/// Doublings of the pause, at most.
const MOST_DOUBLINGS: u32 = 4;

/// Which body of the function, build and machine.
pub(super) type Subject = (u64, u64, u64);

/// What happened since threads were last tried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Neglect {
    subject: Subject,
    /// Seconds of the plain loop.
    seconds: f64,
    /// Attempts in a row that failed.
    failures: u32,
}

impl Neglect {
    /// Takes in a sample, where the plain loop costs so much.
    pub(super) fn note(&mut self, sample: &Sample, costs: &Costs) {
        let subject = (sample.body, sample.build, sample.machine);
        if subject != self.subject {
            *self = Self { subject, ..Self::default() };
        }
        let each = f64::from(sample.end_to_end);
        if sample.pool == Pool::Serial {
            self.seconds += sample.items as f64 * each;
        } else {
            self.seconds = 0.0;
            self.failures = if costs.serial() < WORTH_IT * each { self.failures + 1 } else { 0 };
        }
    }

    /// Whether threads are due for another attempt.
    pub(super) fn is_over(&self, subject: Subject) -> bool {
        self.subject == subject && self.seconds >= PAUSE * f64::from(1 << self.failures.min(MOST_DOUBLINGS))
    }
}
