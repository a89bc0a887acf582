//! The plans that come into question for a query, each with its expected speed-up, and the choice among them. What
//! the user pinned is in all of them.

use crate::decide::costs::Costs;
use crate::decide::{chunks, risk, verdict, window};
use crate::options::Options;
use crate::plan::Pool;

use super::Query;
use super::neighbours::View;
use super::outcomes::{Estimate, Outcomes};
use super::setup::{Group, Setup};

/// Gain over the plain loop that an untried plan must promise, and one that was tried often.
const WORTH_TRYING: f64 = 1.15;
const WORTH_KEEPING: f64 = 1.03;
/// Part of the best throughput at which fewer threads are preferred.
const ENOUGH: f64 = 0.985;
/// Rounds of items over threads that are worth making even.
const ROUNDS: usize = 3;
/// Chunks so many times smaller and larger than the planned one come into question as well, and those that were tried.
const OTHER_CHUNKS: usize = 4;
/// Plans that come into question on a machine with a few cores.
const USUAL: usize = 16;
/// Gain that another chunk than the planned must promise: the run adapts chunks by itself.
const OTHER_CHUNK: f64 = 1.03;

/// Hope, relative to the best plan's, from which an untried plan is worth a try.
const WORTH_A_TRY: f64 = 1.03;
/// Evidence from which a plan counts as tried.
const TRIED: f64 = 0.4;

/// A plan and what to expect of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) pool: Pool,
    pub(super) threads: usize,
    pub(super) chunk: usize,
    /// Throughput against the plain loop.
    pub(super) speedup: f64,
    /// Throughput against the plain loop if threads slow each other down as little as outcomes leave to hope.
    pub(super) hope: f64,
    /// Samples that tried the plan or something near it.
    pub(super) evidence: f64,
}

impl Candidate {
    /// A speed-up between what is expected and what is hoped for.
    fn prospect(&self) -> f64 {
        (self.speedup * self.hope).sqrt()
    }

    /// Whether a try in place of `best` is expected to cost at most 2 % of the run.
    fn is_harmless(&self, best: &Self) -> bool {
        1.0 - self.speedup / best.speedup <= risk::HARMLESS
    }
}

/// Everything that decides between candidates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) query: &'a Query<'a>,
    pub(super) view: &'a View,
    pub(super) outcomes: &'a Outcomes<'a>,
    pub(super) ordered: bool,
}

impl Field<'_> {
    /// The best plan at these costs, or one that may well be better and cannot be much worse.
    pub(super) fn choose(&self, costs: &Costs) -> Candidate {
        let all = self.all(costs);
        let mut best = &all[0];
        for candidate in &all[1..] {
            if worth(candidate) > worth(best) {
                best = candidate;
            }
        }
        let best = fewest(&all, best);
        let best = *promising(&all, best).unwrap_or(best);
        if self.is_too_risky(costs, &best) { self.serial() } else { best }
    }

    /// Whether untried threads, which the user did not ask for, may cost more than they are expected to save.
    fn is_too_risky(&self, costs: &Costs, best: &Candidate) -> bool {
        let is_open = best.pool == Pool::Cpu && !verdict::is_pinned_parallel(self.query.options);
        let is_untried = best.evidence < TRIED;
        is_open && is_untried && !risk::is_worth_it(costs, best.speedup, self.view.items, self.query.situation)
    }

    /// Every plan, the simplest first; at least one.
    fn all(&self, costs: &Costs) -> Vec<Candidate> {
        let options = self.query.options;
        let mut all = Vec::with_capacity(USUAL);
        let mut add = |candidate| all.push(candidate);
        match (pinned_pool(options, costs), options.threads) {
            (Some(Pool::Serial), _) => add(self.serial()),
            (Some(pool), Some(threads)) => self.each_chunk(costs, pool, threads.get(), &mut add),
            (Some(pool), None) => self.each_threads(costs, pool, &mut add),
            (None, _) => {
                add(self.serial());
                let pool = if verdict::is_blocking(costs, options) { Pool::Blocking } else { Pool::Cpu };
                if self.query.situation.fits_threads() && self.most_threads(pool) > 1 {
                    self.each_threads(costs, pool, &mut add);
                }
            }
        }
        all
    }

    fn each_threads(&self, costs: &Costs, pool: Pool, visit: &mut impl FnMut(Candidate)) {
        let most = self.most_threads(pool);
        let mut next = 2.min(most);
        while next <= most {
            self.each_chunk(costs, pool, next, visit);
            next = if next < most { step(next).min(most) } else { most + 1 };
        }
        let tried = self.outcomes.tried().filter(|group| group.pool == pool).map(|group| group.threads as usize);
        for threads in tried.chain(self.even(most)) {
            if (2..most).contains(&threads) && !is_step(threads) {
                self.each_chunk(costs, pool, threads, visit);
            }
        }
    }

    /// Threads that two or three rounds of a short input keep busy to the end, where two do not need all there are.
    fn even(&self, most: usize) -> impl Iterator<Item = usize> {
        let items = usize::try_from(self.view.items).unwrap_or(usize::MAX);
        (2..=ROUNDS).map(move |rounds| items.div_ceil(rounds)).take_while(move |&threads| threads < most)
    }

    fn most_threads(&self, pool: Pool) -> usize {
        let situation = self.query.situation;
        let most = match pool {
            Pool::Blocking => usize::from(self.query.options.max_blocking_threads),
            _ => situation.cores,
        };
        let items = usize::try_from(self.view.items).unwrap_or(usize::MAX);
        most.min(items).min(self.room()).max(1)
    }

    /// Threads that there is room for.
    fn room(&self) -> usize {
        window::most_threads(&self.view.costs, self.query.options, self.query.situation)
    }

    fn each_chunk(&self, costs: &Costs, pool: Pool, threads: usize, visit: &mut impl FnMut(Candidate)) {
        let options = self.query.options;
        let most = window::per_thread(threads, options);
        let planned = chunks::items(costs, None, threads, options).min(most);
        let is_fixed = options.chunk_size.is_some() || options.target_chunk_duration.is_some();
        visit(self.candidate(costs, pool, threads, planned));
        if is_fixed {
            return;
        }
        let is_of_these = |group: &&Group| (group.pool, group.threads as usize) == (pool, threads);
        let tried = self.outcomes.tried().filter(is_of_these).map(|group| group.setup(self.view.items).chunk);
        let others = [planned / OTHER_CHUNKS, planned.saturating_mul(OTHER_CHUNKS)];
        for chunk in others.into_iter().chain(tried).map(|chunk| chunk.clamp(1, most)) {
            if chunk != planned {
                let candidate = self.candidate(costs, pool, threads, chunk);
                let (speedup, hope) = (candidate.speedup / OTHER_CHUNK, candidate.hope / OTHER_CHUNK);
                visit(Candidate { speedup, hope, ..candidate });
            }
        }
    }

    fn candidate(&self, costs: &Costs, pool: Pool, threads: usize, chunk: usize) -> Candidate {
        // Those that are asked for may be more than there is room for.
        let busy = threads.min(self.room());
        let setup = Setup { pool, threads: busy, chunk, items: self.view.items.max(1) };
        let Estimate { speedup, hope, evidence } = self.outcomes.verdict(costs, &setup, self.ordered);
        // What outcomes say of a plan leaves out that threads had to be started for it.
        let start = if pool == Pool::Cpu { self.query.situation.wake.start } else { 0.0 };
        let start = start / (self.view.items.max(1) as f64 * costs.serial());
        let [speedup, hope] = [speedup, hope].map(|speedup| speedup / (1.0 + start * speedup));
        let most = self.most_speedup(costs);
        Candidate { pool, threads, chunk, speedup: speedup.min(most), hope: hope.min(most), evidence }
    }

    /// Speed-up that the cores allow: only waiting needs none.
    fn most_speedup(&self, costs: &Costs) -> f64 {
        let computing = costs.serial() - costs.item * costs.blocked;
        self.query.situation.cores as f64 * costs.serial() / computing.max(1e-3 * costs.serial())
    }

    fn serial(&self) -> Candidate {
        let evidence = self.outcomes.weight(Pool::Serial);
        Candidate { pool: Pool::Serial, threads: 1, chunk: 1, speedup: 1.0, hope: 1.0, evidence }
    }
}

/// The fewest threads that are as good as the best.
fn fewest<'c>(all: &'c [Candidate], best: &'c Candidate) -> &'c Candidate {
    let mut choice = best;
    for candidate in all {
        let is_enough = worth(candidate) >= ENOUGH * worth(best) && candidate.evidence >= best.evidence;
        if candidate.pool == best.pool && candidate.threads < choice.threads && is_enough {
            choice = candidate;
        }
    }
    choice
}

/// The untried plan that leaves most to hope, among those that are expected to lose next to nothing against the best.
fn promising<'c>(all: &'c [Candidate], best: &Candidate) -> Option<&'c Candidate> {
    let mut most: Option<&Candidate> = None;
    for candidate in all {
        let prospect = most.map_or(0.0, Candidate::prospect);
        let is_new = candidate.pool != Pool::Serial && candidate.evidence < TRIED;
        let is_worth_it = candidate.hope > WORTH_A_TRY * best.hope && candidate.prospect() > prospect;
        if is_new && is_worth_it && candidate.is_harmless(best) {
            most = Some(candidate);
        }
    }
    most
}

/// Expected speed-up, less what the plain loop's simplicity is worth.
fn worth(candidate: &Candidate) -> f64 {
    if candidate.pool == Pool::Serial {
        return 1.0;
    }
    let untried = 1.0 / (1.0 + 2.0 * candidate.evidence);
    candidate.speedup / (WORTH_KEEPING + (WORTH_TRYING - WORTH_KEEPING) * untried)
}

/// The next rung on the ladder of thread counts, which are every power of two and half-way between: 2, 3, 4, 6, 8, 12,
/// …
fn step(threads: usize) -> usize {
    if threads.is_power_of_two() { (threads + threads / 2).max(threads + 1) } else { (threads + 1).next_power_of_two() }
}

fn is_step(threads: usize) -> bool {
    threads.is_power_of_two() || (threads.is_multiple_of(3) && (threads / 3).is_power_of_two())
}

/// The pool that the options leave, if they leave only one.
fn pinned_pool(options: &Options, costs: &Costs) -> Option<Pool> {
    if verdict::pinned_serial(options).is_some() {
        return Some(Pool::Serial);
    }
    let blocks = verdict::is_blocking(costs, options);
    verdict::is_pinned_parallel(options).then_some(if blocks { Pool::Blocking } else { Pool::Cpu })
}
