//! What must be reached, and which cells do not. Pure.

use serde::Serialize;

use crate::cell::Cell;
use crate::contenders::Contender::{self, *};
use crate::stats::geometric_mean;

/// One demand, and how it went.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    mean: f64,
    wanted_mean: Option<f64>,
    cells: usize,
    /// Cells below the bar, worst first.
    pub(crate) misses: Vec<Miss>,
}

/// A cell below a bar.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Miss {
    pub(crate) row: String,
    pub(crate) length: &'static str,
    pub(crate) value: f64,
    pub(crate) wants: f64,
}

impl Bar {
    pub(crate) fn is_kept(&self) -> bool {
        self.misses.is_empty() && self.wanted_mean.is_none_or(|wanted| self.mean >= wanted)
    }

    pub(crate) fn figures(&self) -> String {
        let wanted = self.wanted_mean.map_or_else(String::new, |wanted| format!(" (wants {wanted:.2})"));
        format!("geometric mean {:.3}{wanted}, {} of {} cells below", self.mean, self.misses.len(), self.cells)
    }
}

/// How a demand compares: who, against the best of whom, what in the mean, what in each cell.
struct Demand {
    name: &'static str,
    who: Contender,
    against: &'static [Contender],
    mean: Option<f64>,
    each: f64,
    /// Cheapest item (nanoseconds of the loop) that the demand covers.
    from_nanos: f64,
}

const ORDERED: &[Contender] = &[Pariter, Plmap];
const HANDING: &[Contender] = &[Rayon, Orx, Paralight, Pariter, Plmap, Channel];
/// Nominal 20 ns, with what a cheap loop may gain by overlap.
const CHEAP: f64 = 14.0;

const DEMANDS: &[Demand] = &[
    demand("for, cold, against the plain loop", For, &[Loop], None, 0.95, CHEAP),
    demand("for, after 3 runs, against the plain loop", WarmFor, &[Loop], None, 0.98, CHEAP),
    demand("fold, against the plain loop, any cost", Fold, &[Loop], None, 0.95, 0.0),
    demand("for against the best ordered streaming peer", For, ORDERED, Some(1.5), 1.0, 0.0),
    demand("for against chunks over a channel, tuned by hand", For, &[Channel], None, 1.0, 0.0),
    demand("for against the best peer that hands results over", For, HANDING, Some(1.0), 0.95, 0.0),
    demand("for against par_bridge consuming inside", For, &[Bridge], Some(1.0), 0.9, 0.0),
    demand("unordered against par_bridge consuming inside", Any, &[Bridge], None, 0.95, 0.0),
    demand("run against par_bridge consuming inside", Run, &[Bridge], None, 0.95, 0.0),
    demand("for, cold, against the oracle", For, &[Oracle], Some(0.9), 0.0, 0.0),
    demand("for, after 3 runs, against the oracle", WarmFor, &[Oracle], Some(0.97), 0.9, 0.0),
];

const fn demand(
    name: &'static str,
    who: Contender,
    against: &'static [Contender],
    mean: Option<f64>,
    each: f64,
    from_nanos: f64,
) -> Demand {
    Demand { name, who, against, mean, each, from_nanos }
}

/// Judges all demands that the cells can answer.
pub(crate) fn judge(cells: &[Cell]) -> Vec<Bar> {
    DEMANDS.iter().filter_map(|demand| demand.judge(cells)).chain(cheap(cells)).collect()
}

/// What runs after three others lost against the best plan of the oracle: the mean, and what 95 of 100 cells are below;
/// in parts of the best.
pub(crate) fn regret(cells: &[Cell]) -> Option<(f64, f64)> {
    let lost = |cell: &Cell| Some((1.0 - cell.speedup(WarmFor)? / cell.speedup(Oracle)?).max(0.0));
    let mut lost: Vec<f64> = cells.iter().filter_map(lost).collect();
    lost.sort_by(f64::total_cmp);
    let highest = *lost.get((lost.len() * 95).div_ceil(100).checked_sub(1)?)?;
    Some((lost.iter().sum::<f64>() / lost.len() as f64, highest))
}

/// Nanoseconds that a `for` loop may add to an item too cheap to share.
const CHEAP_COST: f64 = 1.0;

fn cheap(cells: &[Cell]) -> Option<Bar> {
    let covered = cells.iter().filter(|cell| cell.loop_nanos < CHEAP);
    let added = |cell: &Cell| Some(cell.loop_nanos / cell.speedup(For)? - cell.loop_nanos);
    let costs: Vec<(f64, &Cell)> = covered.filter_map(|cell| Some((added(cell)?, cell))).collect();
    let missed = costs.iter().filter(|(cost, _)| *cost > CHEAP_COST);
    let misses = missed.map(|(cost, cell)| Miss::new(cell, *cost, CHEAP_COST)).collect();
    let mean = costs.iter().map(|(cost, _)| cost).sum::<f64>() / costs.len() as f64;
    let name = "nanoseconds that `for` adds to items below 20 ns";
    (!costs.is_empty()).then_some(Bar { name, mean, wanted_mean: None, cells: costs.len(), misses })
}

impl Miss {
    fn new(cell: &Cell, value: f64, wants: f64) -> Self {
        Self { row: cell.row.clone(), length: cell.length.name(), value, wants }
    }
}

impl Demand {
    fn judge(&self, cells: &[Cell]) -> Option<Bar> {
        let covered = cells.iter().filter(|cell| cell.loop_nanos >= self.from_nanos);
        let ratios: Vec<(f64, &Cell)> = covered.filter_map(|cell| Some((self.ratio(cell)?, cell))).collect();
        if ratios.is_empty() {
            return None;
        }
        let mut misses: Vec<Miss> = ratios
            .iter()
            .filter(|(ratio, _)| *ratio < self.each)
            .map(|(ratio, cell)| Miss::new(cell, *ratio, self.each))
            .collect();
        misses.sort_by(|a, b| a.value.total_cmp(&b.value));
        let mean = geometric_mean(&ratios.iter().map(|(ratio, _)| *ratio).collect::<Vec<_>>());
        Some(Bar { name: self.name, mean, wanted_mean: self.mean, cells: ratios.len(), misses })
    }

    fn ratio(&self, cell: &Cell) -> Option<f64> {
        let own = cell.speedup(self.who)?;
        let others =
            self.against.iter().filter_map(|&other| if other == Loop { Some(1.0) } else { cell.speedup(other) });
        Some(own / others.reduce(f64::max)?)
    }
}
