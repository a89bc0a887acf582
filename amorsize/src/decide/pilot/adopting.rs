//! Plans: how one begins, and what became of it.

use std::time::Duration;

use crate::decide::choose;
use crate::decide::chunks;
use crate::decide::company::Company;
use crate::decide::doubt::Doubt;
use crate::decide::growth::Growth;
use crate::decide::risk;
use crate::decide::tally::Stretch;
use crate::decide::verdict::{self, BLOCKING_SHARE, Verdict};
use crate::decide::watch::{self, Watch};
use crate::decide::window;
use crate::plan::{Origin, Plan, Pool};

use super::employing::{Blocking, Computing};
use super::{After, Basis, FIRST_STRETCH, Mode, Pilot, Position, Prior};

/// What the plan was last chosen for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settled {
    /// Expected rest.
    pub(super) items: u64,
    /// Seconds an item in the plain loop.
    pub(super) serial: f64,
    /// Stretches of the plain loop in a row that took notably longer since.
    pub(super) dear_stretches: u32,
}

impl Settled {
    pub(super) fn at(items: u64, serial: f64) -> Self {
        Self { items, serial, dear_stretches: 0 }
    }
}

impl Pilot {
    /// Takes over what the options state, as far as that needs no trial.
    pub(super) fn adopt_pinned(&mut self) {
        if let Some(reason) = verdict::pinned_serial(&self.options) {
            return self.adopt(Verdict::serial(reason), Origin::Pinned, Position::default());
        }
        if let Some(item_time) = self.options.estimated_item_time {
            self.costs.item = item_time.as_secs_f64();
        }
        if self.needs_no_trial() {
            self.chunk_limit = usize::MAX / 2;
        }
    }

    /// Takes over what earlier runs say, before anything has run.
    pub(crate) fn adopt_prior(&mut self, prior: Prior) {
        self.costs = prior.costs;
        self.chunk_limit = usize::MAX / 2;
        let (items, origin) = (prior.items, prior.origin);
        self.follow(prior, origin, items, Position::default());
    }

    pub(super) fn follow(&mut self, prior: Prior, origin: Origin, expected: u64, at: Position) {
        let basis = prior.basis;
        if prior.verdict.pool != Pool::Serial {
            let usual = chunks::items(&prior.costs, None, prior.verdict.threads, &self.options);
            self.chunk_factor = prior.chunk_size as f64 / usual as f64;
        }
        self.settle(prior.verdict, origin, expected, at);
        if let Some(Computing { watch, .. }) = self.computing.as_deref_mut() {
            watch.know_the_loop(basis == Basis::Runs);
            watch.is_blocked_alone(self.costs.blocked);
        }
        self.follows = true;
        if basis == Basis::Attempt {
            self.begin_climb();
        }
        self.growth().into_iter().for_each(Growth::settle);
    }

    /// Begins to do what a verdict says, and to watch it where it may be wrong.
    pub(super) fn settle(&mut self, verdict: Verdict, origin: Origin, expected: u64, at: Position) {
        let serial = self.costs.serial();
        self.settled = Settled::at(expected, serial);
        let (threads, progress) = (verdict.threads, self.progress(at));
        let is_pinned = self.is_pinned_parallel();
        self.computing = (verdict.pool == Pool::Cpu && !is_pinned).then(|| {
            let watch = Watch::new(progress, threads, serial, verdict.gain).on(self.situation.processors);
            let at_risk = risk::by_memory(&self.costs, &self.situation);
            let watch = watch.risking(at_risk).after(window::warm_up(&self.costs, threads), progress);
            Box::new(Computing { watch, climb: None, company: Company::default() })
        });
        self.blocking = (verdict.pool == Pool::Blocking).then(|| {
            let room = window::most_threads(&self.costs, &self.options, &self.situation);
            let most = self.options.max_blocking_threads.get().min(room);
            let growth = Growth::new(at.now, at.yielded, threads, most, serial);
            Box::new(Blocking {
                growth: self.options.threads.is_none().then_some(growth),
                doubt: (!is_pinned).then(|| Doubt::new(progress)),
                alone: None,
            })
        });
        self.adopt(verdict, origin, at);
    }

    pub(super) fn origin(&self) -> Origin {
        if self.needs_no_trial() {
            return Origin::Pinned;
        }
        Origin::Measured { items: self.done, item_time: Duration::from_secs_f64(self.costs.item) }
    }

    pub(super) fn adopt(&mut self, verdict: Verdict, origin: Origin, at: Position) {
        self.close_stretch(at);
        self.follows = false;
        self.computing.iter_mut().for_each(|threads| threads.climb = None);
        self.mode = if verdict.pool == Pool::Serial { Mode::Looping } else { Mode::Parallel };
        self.stretch = FIRST_STRETCH;
        let plan = self.plan_of(verdict, origin);
        self.tell_plan(plan);
    }

    fn tell_plan(&mut self, plan: Plan) {
        tracing::debug!(target: "amorsize", function = self.function, %plan, "plan");
        self.plan = Some(Box::new(plan));
        self.plans += 1;
    }

    fn plan_of(&mut self, verdict: Verdict, origin: Origin) -> Plan {
        let Verdict { pool, threads, gain, reason } = verdict;
        let (ordered, buffer_size) = self.promise(threads);
        let chunk = if pool == Pool::Serial { 1 } else { self.wanted_chunk(None, threads) };
        let chunk_size = self.fitting(chunk, buffer_size, threads);
        Plan { pool, threads, chunk_size, buffer_size, ordered, origin, expected_speedup: gain, reason }
    }

    /// Order and buffer size: stated with the first plan, kept for good.
    fn promise(&mut self, threads: usize) -> (bool, usize) {
        if let Some(promise) = self.promise {
            return promise;
        }
        let items = self.settled.items.saturating_add(self.done);
        let ordered = choose::ordered(self.options.ordered, self.costs.spread, items);
        let most = threads.max(self.situation.cores);
        let buffer = window::buffer(&self.costs, most, &self.options, &self.situation);
        let is_pinned = self.options.buffer_size.is_some();
        let buffer = if is_pinned { buffer } else { buffer.max(self.most_held()) };
        *self.promise.insert((ordered, buffer))
    }

    /// A plain loop holds one item, so what was promised with it on a guess may still become less.
    pub(super) fn keep_promise_within_memory(&mut self) {
        let fitting = window::most_items(&self.costs, &self.situation).max(1);
        if let Some((_, buffer_size)) = self.promise.as_mut().filter(|_| self.options.buffer_size.is_none()) {
            *buffer_size = fitting.min(*buffer_size);
        }
    }

    pub(super) fn close_stretch(&mut self, at: Position) {
        let Some(plan) = &self.plan else { return };
        let mut costs = self.tally.costs(&self.costs, at);
        let serial = match self.computing.as_deref() {
            Some(threads) if plan.pool != Pool::Serial => threads.watch.serial(&costs, plan.threads, self.progress(at)),
            None if plan.pool == Pool::Blocking => watch::plain(self.settled.serial, costs.serial(), costs.spread),
            _ => costs.serial(),
        };
        if let Some(Computing { watch, .. }) = self.computing.as_deref().filter(|_| plan.pool == Pool::Cpu) {
            costs.item *= watch.own_part(self.made.delay);
            if costs.blocked < BLOCKING_SHARE {
                costs.blocked = watch.blocked_alone().unwrap_or(0.0);
            }
        }
        let mut plan = Plan::clone(plan);
        if plan.pool != Pool::Serial {
            // Chunks begin small, and follow the items.
            plan.chunk_size = self.fitting(self.chunk_for(&costs, plan.threads), plan.buffer_size, plan.threads);
        }
        self.tally.close(plan, costs, serial, self.follows, at);
    }

    /// Ends the run: what became of each plan.
    pub(crate) fn finish(&mut self, at: Position) -> Vec<Stretch> {
        match self.mode {
            Mode::Looping | Mode::Parallel | Mode::Draining(After::Try) => self.close_stretch(at),
            Mode::Alone(since)
            | Mode::Probing(since)
            | Mode::Doubting(since)
            | Mode::GivingWay(since)
            | Mode::Draining(After::Probe(since) | After::Doubt(since) | After::GiveWay(since)) => {
                self.close_stretch(since);
            }
            _ => {}
        }
        if self.tally.is_empty() && self.done > 0 {
            let verdict = match self.mode {
                Mode::GivingWay(_) => Verdict::serial("threads gave way to other streams of this process"),
                _ => self.head_start_or_loop("the input ended while its first items were timed"),
            };
            self.close_whole(verdict, at);
        }
        std::mem::take(&mut self.tally).into_stretches()
    }

    /// Records a run of which nothing belongs to its plan, if it has one, as what ran all of it.
    fn close_whole(&mut self, ran_by: Verdict, at: Position) {
        let plan = self.plan_of(ran_by, self.origin());
        if self.plan.is_none() {
            self.tell_plan(plan.clone());
        }
        self.tally.skip(Position::default());
        self.tally.close(plan, self.costs, self.costs.serial(), false, at);
    }
}
