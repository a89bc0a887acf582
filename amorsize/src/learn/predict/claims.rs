//! What running threads claim of the plain loop, held against runs of it: a claim is too much where threads are in each
//! other's way, and too little where the first items, which it rests on, are cheaper than those that follow.

use crate::decide::costs::Costs;
use crate::learn::sample::Sample;
use crate::plan::Pool;

use super::model::{Context, Model, Row, Testimony, length, log2, part, with_serial};
use super::outcomes;

/// Rows among which a run of the plain loop is looked for, to hold the claims of threads against: its trust, its
/// items (at even cost), its part of a run (later items may be dearer), and the ratio from which threads claim too
/// much.
const RECENT_ROWS: usize = 32;
const SURE_TRUST: f32 = 0.3;
const CERTAIN: f32 = 50.0;
const MOSTLY: f32 = 0.8;
const TOO_MUCH: f64 = 1.1;
/// Octaves from which threads that claim more are not in each other's way, but run something else, if so many runs in a
/// row do, each of which had them for most of it.
const OTHERWISE: f32 = 1.0;
const IN_A_ROW: usize = 3;
const HALF: f32 = 0.5;
/// Runs of the plain loop over inputs of the same length that are believed against the first items of a run of threads.
const A_FEW: usize = 2;

impl Model {
    /// What running threads claim of the plain loop, unless recent runs of it know better: one of them where it is too
    /// much, as it is where threads are in each other's way, and a few where it is too little.
    pub(super) fn corrected(&self, sample: &Sample, claimed: Costs) -> Costs {
        if sample.pool == Pool::Serial {
            return claimed;
        }
        let (context, length) = (Context::of(sample), length(sample));
        let last = self
            .last_loop(&context, length)
            .map(|(_, row)| f64::from(row.serial.exp2()))
            .filter(|last| claimed.serial() >= TOO_MUCH * last);
        let spent = sample.costs.serial() as f32;
        let fastest = self.fastest_loop(&context, length).filter(|&fastest| is_too_little(&claimed, fastest, spent));
        last.or(fastest).map_or(claimed, |serial| with_serial(&claimed, serial))
    }

    /// Runs of the plain loop are no longer what claims are held against once a few runs in a row claim far more. What
    /// those were thought to be is taken back: they judge the history as what they said.
    pub(super) fn outdate_loops(&mut self, new: &Sample, claimed: &Costs) {
        let (context, length) = (Context::of(new), length(new));
        let Some((last, row)) = self.last_loop(&context, length) else { return };
        let least = row.serial + OTHERWISE;
        if part(new) < f64::from(HALF) || log2(claimed.serial()) < least {
            return;
        }
        let claims = self.last_claims(last, least, &context, length);
        if claims.len() + 1 < IN_A_ROW {
            return;
        }
        for index in 0..=last {
            let row = &self.rows[index];
            let is_comparable = self.is_of(row, &context) && row.is_comparable(length);
            self.rows[index].is_outdated |= is_comparable && self.is_loop(row) && row.serial < least;
        }
        claims.into_iter().rev().for_each(|index| self.take_back(index));
    }

    /// Runs since the one at `loop_at` that claim at least so much, in a row, the newest first.
    fn last_claims(&self, loop_at: usize, least: f32, context: &Context, length: f32) -> Vec<usize> {
        let counts = |row: &Row| self.is_of(row, context) && row.is_comparable(length) && row.part >= HALF;
        let later = (loop_at + 1..self.rows.len()).rev().filter(|&index| counts(&self.rows[index]));
        later.take_while(|&index| log2(self.testimonies[index].claimed.serial()) >= least).collect()
    }

    /// Has a row that was corrected be what it said, and judge the others as if it were new.
    fn take_back(&mut self, index: usize) {
        let Testimony { costs: corrected, claimed: costs, .. } = self.testimonies[index];
        if corrected.serial() == costs.serial() {
            return;
        }
        self.restate(index, costs);
        let row = self.rows.remove(index);
        let testimony = self.testimonies.remove(index);
        self.cross_validate(&row);
        self.rows.insert(index, row);
        self.testimonies.insert(index, testimony);
    }

    /// The last run of the plain loop that threads' claims are held against, and its index.
    fn last_loop(&self, context: &Context, length: f32) -> Option<(usize, &Row)> {
        self.recent_loops(context).find(|(_, row)| {
            let is_sure = row.trust >= SURE_TRUST && row.certainty >= CERTAIN;
            is_sure && row.is_comparable(length)
        })
    }

    /// Runs that were a plain loop for the most part, the newest first.
    fn recent_loops(&self, context: &Context) -> impl Iterator<Item = (usize, &Row)> {
        self.rows.iter().enumerate().rev().take(RECENT_ROWS).filter(move |(_, row)| {
            self.is_loop(row) && self.is_of(row, context) && row.part >= MOSTLY && !row.is_outdated
        })
    }

    fn is_loop(&self, row: &Row) -> bool {
        self.groups[row.group as usize].pool == Pool::Serial
    }

    fn is_of(&self, row: &Row, context: &Context) -> bool {
        self.contexts[row.context as usize].is_of(context)
    }

    /// Revises what threads have gained, since they were held against a few first items, which may be cheaper than
    /// those that follow: where whole runs of the plain loop have taken longer, threads have gained more than was
    /// thought.
    pub(super) fn revise(&mut self, new: &Row) {
        let context = self.contexts[new.context as usize];
        let Some(serial) = self.fastest_loop(&context, new.length) else { return };
        for index in 0..self.rows.len() {
            let (row, costs) = (&self.rows[index], self.testimonies[index].costs);
            let is_like = self.is_of(row, &context) && row.has_length(new.length) && !self.is_loop(row);
            if is_like && is_too_little(&costs, serial, row.spent) {
                self.restate(index, with_serial(&costs, serial));
            }
        }
    }

    /// Has the plain loop cost this in a run, whatever was thought before: its threads have gained the more or less.
    fn restate(&mut self, index: usize, costs: Costs) {
        let (row, testimony) = (&mut self.rows[index], &mut self.testimonies[index]);
        let group = self.groups[row.group as usize];
        let items = ((testimony.length as f64 * f64::from(row.part)).round() as u64).max(1);
        testimony.costs = costs;
        (row.serial, row.item) = (log2(costs.serial()), log2(costs.item));
        row.outcome = outcomes::outcome(&group.setup(items), row.end_to_end.into(), &costs);
    }

    /// Seconds an item in the fastest of the recent runs of the plain loop over an input of such a length, if there are
    /// a few: disturbances make them slower, never faster.
    fn fastest_loop(&self, context: &Context, length: f32) -> Option<f64> {
        let recent = self.recent_loops(context).filter(|(_, row)| row.has_length(length));
        let (count, fastest) =
            recent.fold((0, f32::MAX), |(count, least), (_, row)| (count + 1, least.min(row.serial)));
        (count >= A_FEW).then(|| fastest.exp2().into())
    }
}

/// Whether the plain loop took notably longer than is claimed of it, though not longer than threads `spent` on an item:
/// then the items were others.
fn is_too_little(claimed: &Costs, serial: f64, spent: f32) -> bool {
    TOO_MUCH * claimed.serial() <= serial && serial <= f64::from(spent)
}
