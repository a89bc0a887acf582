//! A function's samples as compact rows, and what is kept up to date when one is added: trust, plan groups, and the
//! number of neighbours that foretells best. Predicting only reads.

use crate::decide::costs::Costs;
use crate::learn::sample::Sample;
use crate::plan::Pool;

use super::neglect::Neglected;
use super::neighbours::{self, Standpoint};
use super::outcomes;
use super::setup::{self, Setup};

/// Most samples that count.
pub(crate) const MOST_ROWS: usize = 512;
/// Most samples that count and are alike: same context, kind of plan, and octave of length. As many as are ever asked,
/// so older ones have nothing to add.
const MOST_ALIKE: usize = NEIGHBOURS[NEIGHBOURS.len() - 1];
/// Numbers of neighbours that compete, fewest first.
pub(super) const NEIGHBOURS: [usize; 4] = [3, 5, 9, 17];
/// Weight of earlier errors against the newest where numbers of neighbours compete.
const ERROR_MEMORY: f32 = 0.95;
/// Octaves of serial time from which a run contradicts what was expected of it.
const DRIFT: f32 = 1.0;
/// Logarithm of how differently the same plan does from which the older outcome is contradicted too.
const OTHER_OUTCOME: f32 = 1.1;
/// Octaves within which an older row agrees with the newest run.
const AGREES: f32 = 0.5;
/// Octaves of length within which runs are held against each other, and within which they are taken to have the same
/// items.
const COMPARABLE_LENGTH: f32 = 3.0;
const SAME_LENGTH: f32 = 0.25;
/// Trust that a contradicted row keeps. One disturbed run so never outvotes two others, and three runs of a changed
/// function outvote any number of old ones (fourteen neighbours at 0.17).
const KEPT_TRUST: f32 = 0.55;
/// Trust that an upheld row regains.
const REGAINED_TRUST: f32 = 3.0;
/// Seconds of a stretch from which it counts in full.
const SURE: f64 = 5e-3;
const LEAST_IMPORTANCE: f64 = 0.02;
/// Recent residuals from which the interval is made.
const RESIDUALS: usize = 32;
/// Weight of the newest residual.
const NEWEST_RESIDUAL: f32 = 0.3;

/// Where a sample came from. Few differ, so rows point to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) body: u64,
    pub(super) build: u64,
    pub(super) machine: u64,
    pub(super) call_site: u64,
}

impl Context {
    pub(super) fn of(sample: &Sample) -> Self {
        let &Sample { body, build, machine, call_site, .. } = sample;
        Self { body, build, machine, call_site }
    }

    /// Whether both are of the same function, in the same build and on the same machine.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        (self.body, self.build, self.machine) == (other.body, other.build, other.machine)
    }
}

/// A sample, as it is compared with a query; times, lengths and sizes as binary logarithms, except for `end_to_end` and
/// `spent`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) context: u32,
    /// Index of the plan's group.
    pub(super) group: u32,
    pub(super) length: f32,
    /// Binary logarithm of the length, rounded.
    octave: i16,
    /// Seconds of the plain loop for an item.
    pub(super) serial: f32,
    pub(super) item: f32,
    pub(super) spread: f32,
    pub(super) blocked: f32,
    pub(super) bytes: f32,
    pub(super) trust: f32,
    /// Items, less for their spread.
    pub(super) certainty: f32,
    /// Part of its run that this was.
    pub(super) part: f32,
    /// Most trust that it can have.
    importance: f32,
    /// Whether it is a run of the plain loop from before the function, or the machine, changed.
    pub(super) is_outdated: bool,
    /// Seconds an item, everything included, and those that threads were seen to spend on it.
    pub(super) end_to_end: f32,
    pub(super) spent: f32,
    pub(super) outcome: outcomes::Outcome,
}

impl Row {
    pub(super) fn has_length(&self, length: f32) -> bool {
        (self.length - length).abs() < SAME_LENGTH
    }

    pub(super) fn is_comparable(&self, length: f32) -> bool {
        (self.length - length).abs() < COMPARABLE_LENGTH
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.context, self.group) == (other.context, other.group) && self.octave == other.octave
    }
}

/// What a chosen neighbour testifies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Testimony {
    /// Costs of the plain loop.
    pub(super) costs: Costs,
    /// What the run itself said of these costs.
    pub(super) claimed: Costs,
    pub(super) length: u64,
}

/// A function's history, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(super) rows: Vec<Row>,
    pub(super) testimonies: Vec<Testimony>,
    pub(super) contexts: Vec<Context>,
    pub(super) groups: Vec<setup::Group>,
    /// Mean error of each of [`NEIGHBOURS`], in octaves.
    errors: [f32; NEIGHBOURS.len()],
    /// Index of the number of neighbours with the least error.
    best: usize,
    /// How far the last predictions were off, in octaves of end-to-end time, oldest first.
    residuals: Vec<f32>,
    /// Mean square of the residuals, of which the newest weigh most.
    missed: f32,
    /// For how long nobody has tried threads.
    pub(super) neglected: Neglected,
}

impl Model {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Neighbours that a query listens to.
    pub(super) fn neighbours(&self) -> usize {
        NEIGHBOURS[self.best]
    }

    /// Mean error in octaves of serial time with which the rows foretold each other.
    pub(super) fn error(&self) -> f32 {
        self.errors[self.best]
    }

    /// The residual that a share of recent predictions stayed within (a conformal bound), if there are enough.
    pub(super) fn residual(&self, share: f64) -> Option<f32> {
        let mut sorted = [0.0; RESIDUALS];
        let sorted = &mut sorted[..self.residuals.len()];
        sorted.copy_from_slice(&self.residuals);
        sorted.sort_unstable_by(f32::total_cmp);
        let rank = (share * (sorted.len() + 1) as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).copied()
    }

    /// Recent predictions of which is known how far they were off.
    pub(super) fn residuals(&self) -> usize {
        self.residuals.len()
    }

    /// How far recent predictions were off, in octaves.
    pub(super) fn miss(&self) -> f64 {
        f64::from(self.missed).sqrt()
    }

    /// The model of all samples, which come oldest first.
    pub(crate) fn from_samples(samples: &[Sample]) -> Self {
        let mut model = Self::default();
        samples.iter().for_each(|sample| model.add(sample));
        model
    }

    /// Adds a finished stretch of a run. Times that are not positive numbers teach nothing and are ignored.
    pub(crate) fn add(&mut self, sample: &Sample) {
        let Some(claimed) = plain_costs(sample) else { return };
        self.outdate_loops(sample, &claimed);
        let costs = setup::bounded(sample, self.corrected(sample, claimed));
        self.neglected.note(sample, &costs);
        let row = self.row(sample, &costs);
        if let Some(surplus) = self.surplus(&row) {
            self.rows.remove(surplus);
            self.testimonies.remove(surplus);
        }
        self.cross_validate(&row);
        self.note_residual(sample, &row);
        self.rows.push(row);
        let claimed = setup::bounded(sample, claimed);
        self.testimonies.push(Testimony { costs, claimed, length: sample.length.max(1) });
        if sample.pool == Pool::Serial {
            self.revise(&row);
        }
    }

    /// The row that has least to add to a new one and those like it.
    fn surplus(&self, new: &Row) -> Option<usize> {
        let alike = |(index, row): (usize, &Row)| row.is_like(new).then_some(index);
        let nth = self.rows.iter().enumerate().rev().filter_map(alike).nth(MOST_ALIKE - 1);
        nth.or_else(|| (self.rows.len() == MOST_ROWS).then_some(0))
    }

    fn row(&mut self, sample: &Sample, costs: &Costs) -> Row {
        let importance = importance(sample) as f32;
        let length = length(sample);
        Row {
            context: self.context(sample),
            group: setup::group(&mut self.groups, sample),
            length,
            octave: length.round() as i16,
            serial: log2(costs.serial()),
            item: log2(costs.item),
            spread: costs.spread as f32,
            blocked: costs.blocked as f32,
            bytes: log2(costs.result_bytes.max(1.0)),
            trust: importance,
            importance,
            is_outdated: false,
            part: part(sample) as f32,
            end_to_end: sample.end_to_end,
            spent: sample.costs.serial() as f32,
            certainty: (sample.items as f64 / (1.0 + costs.spread * costs.spread)) as f32,
            outcome: outcomes::outcome(&Setup::of(sample), sample.end_to_end.into(), costs),
        }
    }

    fn context(&mut self, sample: &Sample) -> u32 {
        let context = Context::of(sample);
        let known = self.contexts.iter().rposition(|other| *other == context);
        known.unwrap_or_else(|| {
            self.contexts.push(context);
            self.contexts.len() - 1
        }) as u32
    }

    /// Lets every number of neighbours foretell the new row, then moves the trust in those that were asked.
    pub(super) fn cross_validate(&mut self, row: &Row) {
        let context = self.contexts[row.context as usize];
        let standpoint = Standpoint { context, length: Some(row.length), item: None, similarity: &|_| 0.0 };
        let nearest = neighbours::nearest(self, &standpoint);
        if nearest.is_empty() {
            return;
        }
        for (index, &k) in NEIGHBOURS.iter().enumerate() {
            let miss = (nearest.median(self, k) - row.serial).abs();
            self.errors[index] = self.errors[index] * ERROR_MEMORY + miss * (1.0 - ERROR_MEMORY);
        }
        let expected = nearest.median(self, self.neighbours());
        // The first of equals: fewer neighbours are nearer ones.
        self.best = (0..NEIGHBOURS.len()).fold(0, |best, k| if self.errors[k] < self.errors[best] { k } else { best });
        self.move_trust(row, (expected - row.serial).abs() > DRIFT);
    }

    fn move_trust(&mut self, new: &Row, is_contradicted: bool) {
        let context = self.contexts[new.context as usize];
        let contexts = &self.contexts;
        let comparable = |row: &&mut Row| {
            let other = contexts[row.context as usize];
            (other.build, other.machine) == (context.build, context.machine) && row.is_comparable(new.length)
        };
        for row in self.rows.iter_mut().filter(comparable) {
            let did_otherwise =
                row.group == new.group && (row.outcome.shortfall - new.outcome.shortfall).abs() > OTHER_OUTCOME;
            let agrees = (row.serial - new.serial).abs() < AGREES;
            if did_otherwise || (is_contradicted && !agrees) {
                row.trust *= KEPT_TRUST;
            } else if agrees {
                row.trust = (row.trust * REGAINED_TRUST).min(row.importance);
            }
        }
    }

    /// How far a prediction was off, where it led most of the run and had been tried before: others were said to be
    /// uncertain.
    fn note_residual(&mut self, sample: &Sample, new: &Row) {
        let led = 2 * sample.items >= sample.length && self.rows.iter().any(|row| row.group == new.group);
        let Some(predicted) = sample.predicted.filter(|_| led) else {
            // What has been learned since is not refuted by what was said before.
            self.missed *= 1.0 - NEWEST_RESIDUAL;
            return;
        };
        let residual = log2(f64::from(sample.end_to_end) / f64::from(predicted.end_to_end)).abs();
        if !residual.is_finite() {
            return;
        }
        if self.residuals.len() == RESIDUALS {
            self.residuals.remove(0);
        }
        self.residuals.push(residual);
        self.missed += NEWEST_RESIDUAL * (residual * residual - self.missed);
    }
}

/// What the plain loop would have cost in this run: its measured rate is believed, since threads that wait for each
/// other make the function itself look dearer than it is.
fn plain_costs(sample: &Sample) -> Option<Costs> {
    let speedup = if sample.pool == Pool::Serial { 1.0 } else { f64::from(sample.speedup) };
    let serial = f64::from(sample.end_to_end) * speedup;
    let costs = sample.costs;
    let sound = |value: f64| value.is_finite() && value >= 0.0;
    let all = [costs.source, costs.item, costs.consumer, costs.spread, costs.blocked, costs.result_bytes];
    if !(serial.is_finite() && serial > 0.0 && all.into_iter().all(sound)) {
        return None;
    }
    Some(with_serial(&costs, serial))
}

/// Costs with another sum, `serial`: the function's part takes what differs, as far as it can.
pub(super) fn with_serial(costs: &Costs, serial: f64) -> Costs {
    let item = serial - costs.source - costs.consumer;
    if item >= 0.02 * serial {
        return Costs { item, ..*costs };
    }
    let scale = serial / costs.serial().max(f64::MIN_POSITIVE);
    let (source, consumer) = (costs.source * scale, costs.consumer * scale);
    Costs { source, consumer, item: (costs.item * scale).max(1e-12), ..*costs }
}

/// A stretch counts as the part of its run that it was, unless it was long enough to be sure of anyway.
fn importance(sample: &Sample) -> f64 {
    let seconds = sample.items as f64 * f64::from(sample.end_to_end);
    part(sample).max(seconds / SURE).clamp(LEAST_IMPORTANCE, 1.0)
}

/// Length of a sample's run, as binary logarithm.
pub(super) fn length(sample: &Sample) -> f32 {
    log2(sample.length.max(1) as f64)
}

pub(super) fn part(sample: &Sample) -> f64 {
    sample.items as f64 / sample.length.max(1) as f64
}

pub(super) fn log2(value: f64) -> f32 {
    value.log2() as f32
}
