//! A plain loop that is recommended is all that is seen from then on, so that one bad hour of the machine would keep a
//! function from threads for ever. This says when they are due for another attempt: attempts that fail cost about a
//! hundredth of the time between them at first, and ever less. A short run shows little, and threads that have slept
//! for long are slow to begin, so an attempt may take a few of those; and it goes on after one that did well, until
//! threads are what is recommended.

use crate::decide::costs::Costs;
use crate::decide::risk::PAUSES_A_LOSS;
use crate::learn::sample::Sample;
use crate::plan::Pool;

/// Seconds that an attempt loses at least, and at most, since threads that nobody insisted on are found out by then.
const LEAST_LOST: f64 = 200e-6;
const MOST_LOST: f64 = 1e-3;
/// Runs of an attempt, at most.
const TRIES: u32 = 6;
/// Gain below which an attempt has failed.
const WORTH_IT: f64 = 1.04;
/// How many times longer an item takes than in the plain loop if threads are in each other's way: then an attempt is
/// over.
const IN_THE_WAY: f64 = 1.25;
/// Doublings of the pause, at most.
const MOST_DOUBLINGS: u32 = 4;

/// Subjects that are remembered: those that take turns, as closures of one name do, or builds.
const MOST_SUBJECTS: usize = 4;

/// Which body of the function, build and machine.
pub(super) type Subject = (u64, u64, u64);

/// The neglect of the subjects that were seen last, the latest behind the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Neglected(Vec<Neglect>);

impl Neglected {
    /// Takes in a sample, where the plain loop costs so much.
    pub(super) fn note(&mut self, sample: &Sample, costs: &Costs) {
        let subject = (sample.body, sample.build, sample.machine);
        let known = self.0.iter().position(|neglect| neglect.subject == subject).map(|place| self.0.remove(place));
        let mut neglect = known.unwrap_or(Neglect { subject, ..Neglect::default() });
        neglect.note(sample, costs);
        if self.0.len() == MOST_SUBJECTS {
            self.0.remove(0);
        }
        self.0.push(neglect);
    }

    /// Whether threads are due for another attempt, which puts so many seconds at risk, or in the middle of one.
    pub(super) fn is_over(&self, subject: Subject, at_risk: f64) -> bool {
        self.0.iter().any(|neglect| neglect.subject == subject && neglect.is_over(at_risk))
    }
}

/// What happened since threads were last tried.
#[derive(Clone, Copy, Debug, Default)]
struct Neglect {
    subject: Subject,
    /// Seconds of the plain loop.
    seconds: f64,
    /// Runs of the present attempt, or of the last one, and seconds that they lost; and runs since the last of them.
    tries: u32,
    lost: f64,
    without: u32,
    /// Attempts in a row that failed.
    failures: u32,
}

impl Neglect {
    fn note(&mut self, sample: &Sample, costs: &Costs) {
        let (items, each) = (sample.items as f64, f64::from(sample.end_to_end));
        if sample.pool == Pool::Serial {
            self.seconds += items * each;
            self.without += 1;
            if self.tries > 0 && !self.has_failed() && self.without == TRIES {
                // Nobody goes on with it: the first items of these runs spoke against it.
                self.tries = TRIES;
                self.fail();
            }
            return;
        }
        self.without = 0;
        if costs.serial() >= WORTH_IT * each {
            *self = Self { subject: self.subject, tries: 1, ..Self::default() };
            return;
        }
        if self.has_failed() {
            (self.tries, self.lost) = (0, 0.0);
        }
        // Threads that are only slow to begin take no longer for an item.
        let are_in_the_way = sample.costs.item > IN_THE_WAY * costs.item;
        self.tries = if are_in_the_way { TRIES } else { self.tries + 1 };
        self.lost += items * (each - costs.serial()).max(0.0);
        if self.has_failed() {
            self.fail();
        }
    }

    fn fail(&mut self) {
        self.failures += 1;
        self.seconds = 0.0;
    }

    /// Whether the present attempt is over.
    fn has_failed(&self) -> bool {
        self.tries == TRIES || self.lost >= MOST_LOST
    }

    fn is_over(&self, at_risk: f64) -> bool {
        let is_under_way = self.tries > 0 && !self.has_failed();
        let doublings = f64::from(1 << self.failures.min(MOST_DOUBLINGS));
        let lost = self.lost.clamp(LEAST_LOST, MOST_LOST).max(at_risk);
        let pause = PAUSES_A_LOSS * lost * doublings;
        is_under_way || self.seconds >= pause
    }
}
