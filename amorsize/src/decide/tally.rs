//! What became of each plan of a run: stretches during which the plan stayed the same, for the record.

use crate::plan::Plan;

use super::costs::Costs;
use super::pilot::Position;

/// Most stretches that a run records; a run that changes its mind more often is remembered by its last ones.
const MOST_STRETCHES: usize = 6;

/// A stretch of a run under one plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) plan: Plan,
    pub(crate) costs: Costs,
    /// Results yielded.
    pub(crate) items: u64,
    /// Wall time, everything included.
    pub(crate) seconds: f64,
    /// Seconds an item of the plain loop, as far as known.
    pub(crate) serial: f64,
    /// Earlier runs recommended the plan.
    pub(crate) is_predicted: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    since: f64,
    yielded: u64,
    /// Items run on threads in the present stretch, and the function's seconds for them.
    ran: (usize, f64),
    stretches: Vec<Stretch>,
}

impl Tally {
    /// Adds a chunk that was run on a thread.
    pub(crate) fn ran(&mut self, items: usize, seconds: f64) {
        self.ran.0 += items;
        self.ran.1 += seconds;
    }

    /// Seconds of the function for an item on average over the present stretch, where threads ran it: running
    /// estimates only know its end.
    pub(crate) fn item_time(&self) -> Option<f64> {
        (self.ran.0 > 0).then(|| self.ran.1 / self.ran.0 as f64)
    }

    /// Ends the present stretch, which had this plan and these costs; `serial` is what the plain loop takes for an item.
    pub(crate) fn close(&mut self, plan: &Plan, costs: Costs, serial: f64, is_predicted: bool, at: Position) {
        let (items, seconds) = (at.yielded - self.yielded, at.now - self.since);
        self.skip(at);
        if items == 0 || seconds <= 0.0 {
            return;
        }
        if self.stretches.len() == MOST_STRETCHES {
            self.stretches.remove(0);
        }
        self.stretches.push(Stretch { plan: plan.clone(), costs, items, seconds, serial, is_predicted });
    }

    /// Time and results that belong to no plan: a trial or a probe.
    pub(crate) fn skip(&mut self, at: Position) {
        self.since = at.now;
        self.yielded = at.yielded;
        self.ran = (0, 0.0);
    }

    pub(crate) fn into_stretches(self) -> Vec<Stretch> {
        self.stretches
    }
}
