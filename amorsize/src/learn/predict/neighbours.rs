//! Which rows count for a query, and what an item costs by their testimony. What is not known before the first item
//! (its time, its spread) is not asked for here: it is what the neighbours tell.

use std::cmp::Ordering;

use crate::constants::MIN_SAMPLES;
use crate::decide::costs::Costs;
use crate::plan::Pool;

use super::Query;
use super::model::{Context, Model, NEIGHBOURS, Row, log2};

/// Machines less similar than this teach nothing.
const SIMILAR: f64 = 0.8;
/// Weight of a similar machine's samples, times its similarity.
const SIMILAR_WEIGHT: f64 = 0.7;
/// Weight of samples of another body of the function: it was edited, its purpose hardly.
const OTHER_BODY: f32 = 0.4;
/// Weight of samples of another build. Debug code runs ten times slower; its structure is the same.
const OTHER_BUILD: f32 = 0.1;
/// Weight of samples from another place in the code.
const OTHER_SITE: f32 = 0.5;
/// Weight of samples of another body from another place: perhaps of another closure of that name.
const OTHER_BODY_ELSEWHERE: f32 = 0.08;
/// Octaves of length at which a sample counts half.
const LENGTH_SCALE: f32 = 3.0;
/// Octaves of item time at which a sample counts a quarter.
const ITEM_SCALE: f32 = 1.0;
/// Samples after which one counts half.
const RECENT: f32 = 64.0;
/// Octaves within which neighbours of the median are averaged.
const CORE: f32 = 1.0;
const MOST: usize = NEIGHBOURS[NEIGHBOURS.len() - 1];

/// Where a query stands: what rows are compared with.
pub(super) struct Standpoint<'a> {
    pub(super) context: Context,
    /// Binary logarithm of the number of items, when known.
    pub(super) length: Option<f32>,
    /// Binary logarithm of the item time, when the user told.
    pub(super) item: Option<f32>,
    pub(super) similarity: &'a dyn Fn(u64) -> f64,
}

impl<'a> Standpoint<'a> {
    fn of(query: &Query<'a>) -> Self {
        let &Query { body, build, machine, call_site, .. } = query;
        Self {
            context: Context { body, build, machine, call_site },
            length: query.items.map(|items| log2(items.max(1) as f64)),
            item: query.options.estimated_item_time.map(|time| log2(time.as_secs_f64())),
            similarity: query.similarity,
        }
    }

    /// How much samples of a context say about this one.
    fn relatedness(&self, other: &Context) -> f32 {
        let own = &self.context;
        let machine = if other.machine == own.machine {
            1.0
        } else {
            let similarity = (self.similarity)(other.machine);
            if similarity >= SIMILAR { (SIMILAR_WEIGHT * similarity.min(1.0)) as f32 } else { 0.0 }
        };
        let build = if other.build == own.build { 1.0 } else { OTHER_BUILD };
        let function = match (other.body == own.body, other.call_site == own.call_site) {
            (true, true) => 1.0,
            (true, false) => OTHER_SITE,
            (false, true) => OTHER_BODY,
            (false, false) => OTHER_BODY_ELSEWHERE,
        };
        machine * build * function
    }

    /// How much a row says, apart from its context, trust and age.
    fn closeness(&self, row: &Row) -> f32 {
        let length = self.length.map_or(1.0, |length| near(row.length - length, LENGTH_SCALE));
        let item = self.item.map_or(1.0, |item| near(row.item - item, ITEM_SCALE));
        length * item * item
    }
}

/// How near something is: 1 at no distance, 1/2 at `scale`; no exponential, since it is asked for every row.
pub(super) fn near(distance: f32, scale: f32) -> f32 {
    let relative = distance / scale;
    1.0 / (1.0 + relative * relative)
}

/// Weights of all rows for a standpoint, newest first. Rows of the same context lie together, so its weight is
/// computed once a run of them.
fn weights<'m>(model: &'m Model, standpoint: &'m Standpoint<'_>) -> impl Iterator<Item = (usize, f32)> + 'm {
    let mut last = (u32::MAX, 0.0);
    model.rows.iter().enumerate().rev().zip(0..).map(move |((index, row), age)| {
        if row.context != last.0 {
            last = (row.context, standpoint.relatedness(&model.contexts[row.context as usize]));
        }
        let recent = RECENT / (RECENT + age as f32);
        (index, last.1 * row.trust * recent * standpoint.closeness(row))
    })
}

/// The heaviest rows, heaviest first.
#[derive(Clone, Debug)]
pub(super) struct Nearest {
    rows: [(f32, u32); MOST],
    len: usize,
}

/// The rows that say most; of equals the newest.
pub(super) fn nearest(model: &Model, standpoint: &Standpoint<'_>) -> Nearest {
    let mut nearest = Nearest { rows: [(0.0, 0); MOST], len: 0 };
    for (index, weight) in weights(model, standpoint) {
        nearest.offer(weight, index, MOST);
    }
    nearest
}

impl Nearest {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn offer(&mut self, weight: f32, index: usize, most: usize) {
        let is_full = self.len == most;
        if weight <= 0.0 || (is_full && weight <= self.rows[most - 1].0) {
            return;
        }
        let mut at = if is_full { most - 1 } else { self.len };
        self.len = at + 1;
        while at > 0 && self.rows[at - 1].0 < weight {
            self.rows[at] = self.rows[at - 1];
            at -= 1;
        }
        self.rows[at] = (weight, index as u32);
    }

    fn first(&self, k: usize) -> &[(f32, u32)] {
        &self.rows[..self.len.min(k)]
    }

    /// Weighted median of the serial time's logarithm among the `k` nearest.
    pub(super) fn median(&self, model: &Model, k: usize) -> f32 {
        let mut rows = self.rows;
        let serial = |index: u32| model.rows[index as usize].serial;
        let middle = weighted_median(&mut rows[..self.len.min(k)], |&a, &b| serial(a).total_cmp(&serial(b)));
        middle.map_or(0.0, serial)
    }
}

/// The value that half of the weight does not exceed; `None` of none.
fn weighted_median<T: Copy>(weighted: &mut [(f32, T)], compare: impl Fn(&T, &T) -> Ordering) -> Option<T> {
    weighted.sort_unstable_by(|(_, a), (_, b)| compare(a, b));
    let half = 0.5 * weighted.iter().map(|(weight, _)| weight).sum::<f32>();
    let mut below = 0.0;
    let middle = weighted.iter().find(|(weight, _)| {
        below += weight;
        below >= half
    });
    middle.map(|&(_, value)| value)
}

/// What the neighbours say of a query.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Costs of the plain loop.
    pub(super) costs: Costs,
    /// Items: the source's word, or else what this place usually gets.
    pub(super) items: u64,
    /// Standard deviation of the neighbours' serial time, in octaves.
    pub(super) dispersion: f32,
    /// Sum of the neighbours' weights.
    pub(super) evidence: f32,
    /// Weight of the neighbour that says most, age and trust left out.
    pub(super) relevance: f32,
    /// Neighbours that counted.
    pub(super) samples: usize,
    /// Weight of each row, as in [`weights`], in the rows' order.
    pub(super) weights: [f32; super::model::MOST_ROWS],
}

/// Asks the neighbours; `None` where too few have anything to say.
pub(super) fn view(model: &Model, query: &Query<'_>) -> Option<View> {
    let standpoint = Standpoint::of(query);
    let k = model.neighbours();
    let mut nearest = Nearest { rows: [(0.0, 0); MOST], len: 0 };
    let mut all = [0.0; super::model::MOST_ROWS];
    for (index, weight) in weights(model, &standpoint) {
        all[index] = weight;
        nearest.offer(weight, index, k);
    }
    if nearest.len < MIN_SAMPLES {
        return None;
    }
    let rows = nearest.first(k);
    let median = nearest.median(model, k);
    let relevance = rows.iter().map(|&(_, index)| {
        let row = &model.rows[index as usize];
        standpoint.relatedness(&model.contexts[row.context as usize]) * standpoint.closeness(row)
    });
    let mut costs = mean_costs(model, rows, median, query.situation.cores);
    if let Some(time) = query.options.estimated_item_time {
        costs.item = time.as_secs_f64();
    }
    Some(View {
        costs,
        items: query.items.unwrap_or_else(|| usual_length(model, rows).max(query.at_least)),
        dispersion: dispersion(model, rows, median),
        evidence: rows.iter().map(|row| row.0).sum(),
        relevance: relevance.fold(0.0, f32::max),
        samples: rows.len(),
        weights: all,
    })
}

/// Mean costs of the neighbours around the median: as robust as that, and steadier.
fn mean_costs(model: &Model, rows: &[(f32, u32)], median: f32, cores: usize) -> Costs {
    let mut sum = Costs::default();
    let mut total = 0.0;
    for &(weight, index) in rows {
        if (model.rows[index as usize].serial - median).abs() > CORE {
            continue;
        }
        let (weight, costs) = (f64::from(weight), &model.testimonies[index as usize].costs);
        let blocked = costs.blocked.max(least_blocked(model, index as usize, cores));
        total += weight;
        sum.source += weight * costs.source;
        sum.item += weight * costs.item;
        sum.consumer += weight * costs.consumer;
        sum.spread += weight * costs.spread;
        sum.blocked += weight * blocked;
        sum.result_bytes += weight * costs.result_bytes;
    }
    Costs {
        source: sum.source / total,
        item: sum.item / total,
        consumer: sum.consumer / total,
        spread: sum.spread / total,
        blocked: sum.blocked / total,
        result_bytes: sum.result_bytes / total,
    }
}

/// Share of an item in which it must have been blocked for as many of them to be done as were: so many cores give no
/// more than their time. What threads measure of themselves is too little where they are many, since each waits for a
/// core after it has waited.
fn least_blocked(model: &Model, index: usize, cores: usize) -> f64 {
    let row = &model.rows[index];
    if model.groups[row.group as usize].pool != Pool::Blocking {
        return 0.0;
    }
    1.0 - cores as f64 * f64::from(row.end_to_end) / model.testimonies[index].costs.serial()
}

fn dispersion(model: &Model, rows: &[(f32, u32)], median: f32) -> f32 {
    let (mut scatter, mut total) = (0.0, 0.0);
    for &(weight, index) in rows {
        let distance = model.rows[index as usize].serial - median;
        scatter += weight * distance * distance;
        total += weight;
    }
    (scatter / total).sqrt()
}

/// The weighted median of the neighbours' lengths: what this place gets most often.
fn usual_length(model: &Model, rows: &[(f32, u32)]) -> u64 {
    let mut lengths = [(0.0, 0); MOST];
    let lengths = &mut lengths[..rows.len()];
    for (entry, &(weight, index)) in lengths.iter_mut().zip(rows) {
        *entry = (weight, model.testimonies[index as usize].length);
    }
    weighted_median(lengths, u64::cmp).unwrap_or(1)
}
