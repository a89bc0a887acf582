//! What running threads claim of the plain loop, held against runs of it: a claim is too much where threads are in each
//! other's way, and too little where the first items, which it rests on, are cheaper than those that follow.

use crate::decide::costs::Costs;
use crate::learn::sample::Sample;
use crate::plan::Pool;

use super::history::{COMPARABLE_LENGTH, Context, Model, Row, log2, with_serial};
use super::outcomes;

/// Rows among which a run of the plain loop is looked for, to hold the claims of threads against: its trust, its
/// items (at even cost), its part of a run (later items may be dearer), and the ratio from which threads claim too
/// much.
const RECENT_ROWS: usize = 32;
const SURE_TRUST: f32 = 0.3;
const CERTAIN: f32 = 50.0;
const MOSTLY: f32 = 0.8;
const TOO_MUCH: f64 = 1.1;
/// Runs of the plain loop over inputs of the same length that are believed against the first items of a run of threads.
const A_FEW: usize = 2;

impl Model {
    /// What running threads claim of the plain loop, unless recent runs of it know better: one of them where it is too
    /// much, as it is where threads are in each other's way, and a few where it is too little.
    pub(super) fn corrected(&self, sample: &Sample, claimed: Costs) -> Costs {
        if sample.pool == Pool::Serial {
            return claimed;
        }
        let (context, length) = (Context::of(sample), log2(sample.length.max(1) as f64));
        let last = self.recent_loops(&context).find(|row| {
            let is_sure = row.trust >= SURE_TRUST && row.certainty >= CERTAIN;
            is_sure && (row.length - length).abs() < COMPARABLE_LENGTH
        });
        let last = last.map(|row| f64::from(row.serial.exp2())).filter(|last| claimed.serial() >= TOO_MUCH * last);
        let spent = sample.costs.serial() as f32;
        let fastest = self.fastest_loop(&context, length).filter(|&fastest| is_too_little(&claimed, fastest, spent));
        last.or(fastest).map_or(claimed, |serial| with_serial(&claimed, serial))
    }

    /// Runs that were a plain loop for the most part.
    fn recent_loops(&self, context: &Context) -> impl Iterator<Item = &Row> {
        self.rows.iter().rev().take(RECENT_ROWS).filter(move |row| {
            let is_loop = self.groups[row.group as usize].pool == Pool::Serial;
            is_loop && self.contexts[row.context as usize].is_of(context) && row.part >= MOSTLY
        })
    }

    /// Threads were held against a few first items, which may be cheaper than those that follow: where whole runs of
    /// the plain loop have taken longer, threads have gained more than was thought.
    pub(super) fn revise(&mut self, new: &Row) {
        let context = self.contexts[new.context as usize];
        let Some(serial) = self.fastest_loop(&context, new.length) else { return };
        for index in 0..self.rows.len() {
            let row = &mut self.rows[index];
            let group = self.groups[row.group as usize];
            let is_like = self.contexts[row.context as usize].is_of(&context) && row.has_length(new.length);
            let testimony = &mut self.testimonies[index];
            if group.pool == Pool::Serial || !is_like || !is_too_little(&testimony.costs, serial, row.spent) {
                continue;
            }
            let costs = with_serial(&testimony.costs, serial);
            let items = ((testimony.length as f64 * f64::from(row.part)).round() as u64).max(1);
            let outcome = outcomes::outcome(&group.setup(items), row.end_to_end.into(), &costs);
            testimony.costs = costs;
            (row.serial, row.item, row.outcome) = (log2(serial), log2(costs.item), outcome);
        }
    }

    /// Seconds an item in the fastest of the recent runs of the plain loop over an input of such a length, if there are
    /// a few: disturbances make them slower, never faster.
    fn fastest_loop(&self, context: &Context, length: f32) -> Option<f64> {
        let recent = self.recent_loops(context).filter(|row| row.has_length(length));
        let (count, fastest) = recent.fold((0, f32::MAX), |(count, least), row| (count + 1, least.min(row.serial)));
        (count >= A_FEW).then(|| fastest.exp2().into())
    }
}

/// Whether the plain loop took notably longer than is claimed of it, though not longer than threads `spent` on an item:
/// then the items were others.
fn is_too_little(claimed: &Costs, serial: f64, spent: f32) -> bool {
    TOO_MUCH * claimed.serial() <= serial && serial <= f64::from(spent)
}
