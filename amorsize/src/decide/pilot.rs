//! Leads one stream from its first item to its last: trial, plain loop or parallel run, and the changes between them.
//!
//! The engine tells the pilot what happened (always with the time in seconds since the stream began) and does what it
//! says. The pilot reads no clock and starts nothing, so a whole run can be replayed.

use std::time::Duration;

use crate::machine::Memory;
use crate::options::Options;
use crate::plan::{Origin, Plan, Pool};

use super::choose::{self, Situation};
use super::costs::{Costs, Spread, blend};
use super::growth::Growth;
use super::input::Remaining;
use super::pressure::Pressure;
use super::tally::{Stretch, Tally};
use super::trial::Trial;
use super::verdict::{self, Verdict};
use super::watch::{self, Watch};

/// Seconds of the plain loop between two looks at the clock, at first and at most.
const FIRST_STRETCH: f64 = 50e-6;
const LONGEST_STRETCH: f64 = 400e-6;
/// Most items of such a stretch.
const LONGEST_STRETCH_ITEMS: f64 = 1048576.0;
/// Seconds of an item below which a trial does not tell what the plain loop takes, since the compiler and the processor
/// work on several items of a loop at once; and seconds of the loop that do tell.
const CHEAP: f64 = 250e-9;
const CALIBRATION: f64 = 30e-6;
/// Items that are run without a look at the signal where they are that cheap: enough for the compiler to vectorise.
const STRIDE: usize = 64;
/// Ratio from which a change of item time makes the plan worth another thought.
const NOTABLE: f64 = 1.5;
/// Seconds of a first chunk after a trial; later ones at most double.
const FIRST_CHUNK: f64 = 25e-6;
/// Bytes of items and results, themselves only, that a trial may hold.
const TRIAL_BYTES: usize = 1 << 20;
/// Seconds of work from which finding out how long a thread was blocked costs nothing that shows.
const WORTH_CLOCKING: f64 = 20e-6;
/// Of the chunks of a computing plan, one in so many is asked how long it was blocked.
const CLOCKED_CHUNKS: u64 = 16;
/// Share of blocked time from which a computing plan is doubted, and below which a waiting one is.
const DOUBT_COMPUTING: f64 = 0.5;
const DOUBT_WAITING: f64 = 0.1;
/// Share of a new observation in the blocked share.
const BLOCKED_RATE: f64 = 0.2;

/// Ratio of measured and expected item time within which a doubtful prediction is followed.
const BORNE_OUT: f64 = 3.0;
/// Threads that lost against the plain loop are tried again divided by this: contention is what most often made them.
const FEWER: usize = 4;
/// Seconds of an item from which more makes no difference to a plan (and would not fit a `Duration` once it is added to).
const LONGEST_ESTIMATE: f64 = 1e9;

/// What the engine does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Pull so many items, time them, keep the results.
    Try(usize),
    /// Run so many items as a plain loop.
    Loop(usize),
    /// Run chunks on threads.
    Parallel,
}

/// What a batch of items took, as the engine saw it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ran {
    pub(crate) items: usize,
    /// Seconds in the function, all items together.
    pub(crate) seconds: f64,
    /// Share of them in which the thread was blocked, where that was looked at.
    pub(crate) blocked: Option<f64>,
    /// Bytes of one result.
    pub(crate) result_bytes: usize,
}

impl Ran {
    fn each(&self) -> f64 {
        self.seconds / self.items as f64
    }
}

/// A stretch of the plain loop, everything included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looped {
    pub(crate) items: usize,
    pub(crate) seconds: f64,
    /// Coefficient of variation of single items; 0 where that was not seen.
    pub(crate) spread: f64,
}

/// Where a run stands: the time and the results yielded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Position {
    pub(crate) now: f64,
    pub(crate) yielded: u64,
}

/// What earlier runs say of this one.
#[derive(Clone, Debug)]
pub(crate) struct Prior {
    pub(crate) verdict: Verdict,
    pub(crate) costs: Costs,
    pub(crate) chunk_size: usize,
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug)]
enum Mode {
    Trying(Trial),
    /// The plain loop, to know what it takes.
    Calibrating,
    Looping,
    Parallel,
    /// Chunks run out before something else.
    Draining(After),
    Probing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Probe,
    Try,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Pilot {
    options: Options,
    situation: Situation,
    mode: Mode,
    costs: Costs,
    spread: Spread,
    plan: Option<Plan>,
    plans: u64,
    /// Order and buffer size, which do not change once they were stated.
    promise: Option<(bool, usize)>,
    watch: Option<Watch>,
    growth: Option<Growth>,
    /// What earlier runs say without much confidence, and the items that they expect.
    doubted: Option<(Prior, u64)>,
    /// Threads that were last found slower than the plain loop.
    refuted: usize,
    tally: Tally,
    pressure: Pressure,
    /// Largest chunk that the next one may be: twice the last that came back.
    chunk_limit: usize,
    /// What history says of the chunk size, relative to what costs alone would give.
    chunk_factor: f64,
    /// Items finished so far, and chunks.
    done: u64,
    chunks: u64,
    /// Items before which the kind of pool is not doubted again.
    trusted_until: u64,
    /// Expected rest and seconds an item when the plan was last chosen.
    settled: (u64, f64),
    stretch: f64,
}

impl Pilot {
    pub(crate) fn new(options: Options, situation: Situation) -> Self {
        let mut pilot = Self {
            mode: Mode::Trying(Trial::new(options.sample_size)),
            pressure: Pressure::new(options.memory_threshold),
            options,
            situation,
            costs: Costs::default(),
            spread: Spread::default(),
            plan: None,
            plans: 0,
            promise: None,
            watch: None,
            growth: None,
            doubted: None,
            refuted: 0,
            tally: Tally::default(),
            chunk_limit: 1,
            chunk_factor: 1.0,
            done: 0,
            chunks: 0,
            trusted_until: 0,
            settled: (0, 0.0),
            stretch: FIRST_STRETCH,
        };
        pilot.adopt_pinned();
        pilot
    }

    /// Takes what needs no trial.
    fn adopt_pinned(&mut self) {
        if let Some(reason) = verdict::pinned_serial(&self.options) {
            self.adopt(Verdict::serial(reason), Origin::Pinned, Position { now: 0.0, yielded: 0 });
        } else if let Some(item_time) = self.options.estimated_item_time {
            self.costs.item = item_time.as_secs_f64().min(LONGEST_ESTIMATE);
            self.chunk_limit = usize::MAX / 2;
        }
    }

    /// Takes over what earlier runs say, before anything has run.
    pub(crate) fn adopt_prior(&mut self, prior: Prior, expected: u64) {
        self.costs = prior.costs;
        self.chunk_limit = usize::MAX / 2;
        self.follow(prior, expected, Position { now: 0.0, yielded: 0 });
    }

    /// Keeps in mind what earlier runs say without much confidence: the trial decides whether to believe it.
    pub(crate) fn consider(&mut self, prior: Prior, expected: u64) {
        self.doubted = Some((prior, expected));
    }

    fn follow(&mut self, prior: Prior, expected: u64, at: Position) {
        let usual = choose::chunk(&prior.costs, None, prior.verdict.threads, &self.options);
        self.chunk_factor = prior.chunk_size as f64 / usual as f64;
        self.settle(prior.verdict, prior.origin, expected, at);
        self.growth.iter_mut().for_each(Growth::settle);
    }

    /// The plan, once there is one.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Plans made so far.
    pub(crate) fn plans(&self) -> u64 {
        self.plans
    }

    pub(crate) fn costs(&self) -> &Costs {
        &self.costs
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn situation(&self) -> &Situation {
        &self.situation
    }

    /// Whether the user stated the number of threads.
    pub(crate) fn is_pinned(&self) -> bool {
        self.options.threads.is_some()
    }

    /// Items that a trial may hold at the same time.
    pub(crate) fn trial_bound(&self) -> usize {
        let shallow = TRIAL_BYTES / self.situation.item_bytes.max(1);
        let stated = self.promise.map_or(usize::MAX, |(_, buffer_size)| buffer_size);
        self.options.buffer_size.map_or(shallow.max(2).min(stated), usize::from)
    }

    /// What to do next; `room` is the number of items that the buffer still has place for.
    pub(crate) fn step(&mut self, at: Position, remaining: Remaining, room: usize) -> Step {
        if let Mode::Trying(trial) = &self.mode {
            let estimated = self.options.estimated_item_time.is_some() && self.plan.is_none();
            match trial.next().filter(|_| !estimated) {
                Some(batch) if room > 0 => return Step::Try(batch.min(room)),
                _ if !estimated && self.is_too_cheap_to_know() => self.mode = Mode::Calibrating,
                _ => self.decide(at, remaining),
            }
        }
        if self.is_looping() { Step::Loop(self.stretch()) } else { Step::Parallel }
    }

    fn is_too_cheap_to_know(&self) -> bool {
        self.costs.item < CHEAP && !verdict::is_pinned_parallel(&self.options)
    }

    /// Decides with what is known, because somebody wants to see the plan.
    pub(crate) fn conclude(&mut self, at: Position, remaining: Remaining) {
        if self.plan.is_none() {
            self.decide(at, remaining);
        }
    }

    /// Whether items are run as a plain loop now.
    pub(crate) fn is_looping(&self) -> bool {
        matches!(self.mode, Mode::Looping | Mode::Probing | Mode::Calibrating)
    }

    /// Items of the plain loop until the next look at the clock.
    pub(crate) fn stretch(&self) -> usize {
        let seconds = match self.mode {
            Mode::Probing => watch::PROBE,
            Mode::Calibrating => CALIBRATION,
            _ => self.stretch,
        };
        (seconds / self.costs.serial().max(1e-10)).clamp(1.0, LONGEST_STRETCH_ITEMS) as usize
    }

    /// Whether the next batch is to be asked how long its thread was blocked.
    pub(crate) fn wants_blocked(&self) -> bool {
        match (&self.mode, &self.plan) {
            (Mode::Trying(trial), _) => trial.items() == 0 || trial.last_batch_seconds() >= WORTH_CLOCKING,
            (_, Some(plan)) if plan.pool == Pool::Blocking => true,
            _ => self.chunks.is_multiple_of(CLOCKED_CHUNKS) && self.chunk_seconds() >= WORTH_CLOCKING,
        }
    }

    /// Items that a thread runs before it looks whether the stream was cancelled: one, unless they are so cheap that
    /// looking would show.
    pub(crate) fn stride(&self) -> usize {
        let is_running = matches!(self.mode, Mode::Parallel | Mode::Draining(_));
        if is_running && self.settled.1 < CHEAP && !verdict::is_pinned_parallel(&self.options) { STRIDE } else { 1 }
    }

    fn chunk_seconds(&self) -> f64 {
        self.chunk(Remaining::UNKNOWN) as f64 * self.costs.item
    }

    /// A trial batch, pulled in `source` seconds.
    pub(crate) fn tried(&mut self, source: f64, ran: Ran) {
        let Mode::Trying(trial) = &mut self.mode else { return };
        trial.observe(ran.items, ran.seconds);
        self.spread.add(ran.items, ran.each());
        self.costs.item = trial.item_time();
        self.costs.source = source / ran.items as f64;
        self.costs.result_bytes = blend(self.costs.result_bytes, self.bytes(ran), 0.5);
        self.costs.spread = self.spread.coefficient();
        if let Some(blocked) = ran.blocked {
            self.costs.blocked = blocked;
        }
        self.done += ran.items as u64;
    }

    /// The consumer took `seconds` over `items` results.
    pub(crate) fn consumed(&mut self, items: usize, seconds: f64) {
        let each = seconds / items as f64;
        match self.mode {
            Mode::Trying(_) => self.costs.consumer = each,
            _ => self.costs.consumer = blend(self.costs.consumer, each, self.rate()),
        }
    }

    /// A stretch of the plain loop: `items` in `seconds`, everything included.
    pub(crate) fn looped(&mut self, ran: Looped, at: Position, remaining: Remaining) {
        let Looped { items, seconds, .. } = ran;
        self.done += items as u64;
        let each = seconds / items as f64;
        match self.mode {
            Mode::Probing => return self.probed(ran, at),
            Mode::Calibrating => return self.calibrated(each, at, remaining),
            _ => {}
        }
        self.stretch = (2.0 * self.stretch).min(LONGEST_STRETCH);
        if self.plan.as_ref().is_some_and(|plan| plan.origin == Origin::Pinned) {
            return;
        }
        match &mut self.watch {
            Some(watch) if watch.is_outdated(each) => self.try_again(),
            Some(watch) if watch.is_undone() => {
                if watch.wants_threads_again(at.now, items, seconds) {
                    self.resume(at);
                }
            }
            _ => self.rethink(each, at, remaining),
        }
    }

    /// The loop took `each` seconds an item: the parts are known less well than that.
    fn calibrated(&mut self, each: f64, at: Position, remaining: Remaining) {
        let factor = each / self.costs.serial().max(1e-10);
        self.costs.source *= factor;
        self.costs.item *= factor;
        self.costs.consumer *= factor;
        self.decide(at, remaining);
    }

    /// The plain loop goes on, unless items became dearer or the input turned out longer.
    fn rethink(&mut self, each: f64, at: Position, remaining: Remaining) {
        let expected = remaining.expected(self.done);
        let is_dearer = each > NOTABLE * self.settled.1;
        let is_longer = expected > self.settled.0.saturating_mul(2);
        if !is_dearer && !is_longer {
            return;
        }
        let dearer = Costs { item: self.costs.item + (each - self.costs.serial()).max(0.0), ..self.costs };
        let pays = choose::threads(&dearer, expected, &self.options, &self.situation).is_some();
        self.settled = (expected, each);
        if pays && is_dearer {
            self.try_again();
        } else if pays {
            self.decide(at, remaining);
        }
    }

    fn try_again(&mut self) {
        self.chunk_limit = 1;
        self.stretch = FIRST_STRETCH;
        self.mode = Mode::Trying(Trial::new(self.options.sample_size));
    }

    /// The result of a probe: back to threads, or stay in the plain loop for a while.
    fn probed(&mut self, Looped { items, seconds, spread }: Looped, at: Position) {
        let Some(watch) = &mut self.watch else { return };
        self.tally.skip(at.now, at.yielded);
        match watch.probed(items, seconds, spread, at.now) {
            watch::Probed::GoOn => {}
            watch::Probed::Kept => {
                watch.restart(at.now, at.yielded);
                self.mode = Mode::Parallel;
            }
            watch::Probed::Refuted { gain } => {
                let threads = self.threads();
                self.refuted = threads;
                let reason = format!("{threads} threads reached only {gain:.2}x of the plain loop, end to end");
                self.adopt(Verdict::serial(reason), self.origin(), at);
            }
        }
    }

    /// Another attempt at threads after a pause.
    fn resume(&mut self, at: Position) {
        let threads = self.options.threads.map_or((self.refuted / FEWER).max(2), usize::from);
        if let Some(watch) = &mut self.watch {
            watch.restart(at.now, at.yielded);
        }
        let reason = "trying threads again after a pause".into();
        self.adopt(Verdict { pool: Pool::Cpu, threads, gain: 1.0, reason }, self.origin(), at);
    }

    /// Chooses between the plain loop and threads with what is known now.
    fn decide(&mut self, at: Position, remaining: Remaining) {
        let expected = remaining.expected(self.done);
        self.spread = Spread::default();
        if matches!(self.mode, Mode::Trying(_) | Mode::Calibrating) {
            let first = (FIRST_CHUNK / self.costs.item.max(1e-9)) as usize;
            self.chunk_limit = self.chunk_limit.max(first);
            self.tally.skip(at.now, at.yielded);
        }
        if let Some((prior, usual)) = self.doubted.take()
            && is_like(self.costs.item, prior.costs.item)
        {
            return self.follow(prior, remaining.exact().unwrap_or(usual.max(expected)), at);
        }
        let verdict = verdict::reach(&self.costs, expected, &self.options, &self.situation);
        self.settle(verdict, self.origin(), expected, at);
    }

    /// Begins to do what a verdict says, and to watch it where it may be wrong.
    fn settle(&mut self, verdict: Verdict, origin: Origin, expected: u64, at: Position) {
        self.settled = (expected, self.costs.serial());
        let serial = self.costs.serial();
        let is_free = !verdict::is_pinned_parallel(&self.options);
        self.watch =
            (is_free && verdict.pool == Pool::Cpu).then(|| Watch::new(at.now, at.yielded, serial, verdict.gain));
        self.growth = (self.options.threads.is_none() && verdict.pool == Pool::Blocking).then(|| {
            let most = self.options.max_blocking_threads.get();
            Growth::new(at.now, at.yielded, verdict.threads, most, serial)
        });
        self.adopt(verdict, origin, at);
    }

    fn origin(&self) -> Origin {
        match self.options.estimated_item_time {
            Some(_) => Origin::Pinned,
            None => Origin::Measured { items: self.done, item_time: Duration::from_secs_f64(self.costs.item) },
        }
    }

    fn adopt(&mut self, verdict: Verdict, origin: Origin, at: Position) {
        self.close_stretch(at);
        let Verdict { pool, threads, gain, reason } = verdict;
        self.mode = if pool == Pool::Serial { Mode::Looping } else { Mode::Parallel };
        self.stretch = FIRST_STRETCH;
        let (ordered, buffer_size) = self.promise(threads);
        let chunk = if pool == Pool::Serial { 1 } else { self.wanted_chunk(None, threads) };
        let chunk_size = self.fitting(chunk, buffer_size, threads);
        let plan = Plan { pool, threads, chunk_size, buffer_size, ordered, origin, expected_speedup: gain, reason };
        tracing::debug!(target: "amorsize", %plan, "plan");
        self.plan = Some(plan);
        self.plans += 1;
    }

    /// Order and buffer size: stated with the first plan, kept for good.
    fn promise(&mut self, threads: usize) -> (bool, usize) {
        *self.promise.get_or_insert_with(|| {
            let ordered = choose::ordered(self.options.ordered, self.costs.spread, self.settled.0);
            let most = threads.max(self.situation.cores);
            let buffer = choose::buffer(&self.costs, most, &self.options, &self.situation);
            (ordered, if self.options.buffer_size.is_some() { buffer } else { buffer.max(self.done as usize) })
        })
    }

    /// A chunk came back.
    pub(crate) fn ran(&mut self, ran: Ran) {
        if ran.items == 0 {
            return;
        }
        self.done += ran.items as u64;
        self.chunks += 1;
        let rate = self.rate();
        self.tally.ran(ran.items, ran.seconds);
        self.spread.add(ran.items, ran.each());
        self.costs.item = blend(self.costs.item, ran.each(), rate);
        self.costs.result_bytes = blend(self.costs.result_bytes, self.bytes(ran), rate);
        self.costs.spread = self.spread.coefficient();
        if let Some(blocked) = ran.blocked {
            self.costs.blocked += BLOCKED_RATE * (blocked - self.costs.blocked);
        }
        if ran.items >= self.chunk_limit {
            self.chunk_limit = ran.items.saturating_mul(2);
        }
    }

    /// Bytes of a result: what the user says, or what was found.
    fn bytes(&self, ran: Ran) -> f64 {
        self.options.result_bytes.unwrap_or(ran.result_bytes) as f64
    }

    /// A chunk of `items` was pulled in `seconds`.
    pub(crate) fn pulled(&mut self, items: usize, seconds: f64) {
        self.costs.source = blend(self.costs.source, seconds / items as f64, self.rate());
    }

    fn rate(&self) -> f64 {
        self.options.adaptive_chunking.rate()
    }

    /// Looks at a parallel run between two chunks; `produced` results are finished, yielded or not.
    pub(crate) fn check(&mut self, at: Position, produced: u64) {
        if !matches!(self.mode, Mode::Parallel) {
            return;
        }
        if self.is_wrong_pool() {
            self.trusted_until = 2 * self.done;
            self.mode = Mode::Draining(After::Try);
            return;
        }
        if let Some(threads) = self.growth.as_mut().and_then(|growth| growth.check(at.now, at.yielded)) {
            self.close_stretch(at);
            self.spread = Spread::default();
            self.plan.iter_mut().for_each(|plan| plan.threads = threads);
        }
        self.outgrow(at);
        let (round, serial) = (self.threads().saturating_mul(self.chunk(Remaining::UNKNOWN)), self.costs.serial());
        if self.watch.as_mut().is_some_and(|watch| watch.doubts(at.now, produced, round, serial)) {
            self.mode = Mode::Draining(After::Probe);
        }
    }

    /// An input of unknown length that has outlasted what was expected gets the threads that the longer one is worth.
    fn outgrow(&mut self, at: Position) {
        let Some(watch) = &mut self.watch else { return };
        if self.done <= self.settled.0.saturating_mul(2) {
            return;
        }
        self.settled.0 = self.done;
        let threads = self.plan.as_ref().map_or(1, |plan| plan.threads);
        let worth = choose::threads(&self.costs, self.done, &self.options, &self.situation);
        if let Some((more, gain)) = worth.filter(|&(more, _)| more > threads) {
            watch.promise(gain);
            self.close_stretch(at);
            // More threads may slow each other down: that is no spread of items.
            self.spread = Spread::default();
            self.plan.iter_mut().for_each(|plan| (plan.threads, plan.expected_speedup) = (more, gain));
        }
    }

    /// Whether a computing function waits, or a waiting one computes: then another trial tells.
    fn is_wrong_pool(&self) -> bool {
        if self.options.pool.is_some() || self.options.threads.is_some() || self.done < self.trusted_until {
            return false;
        }
        match &self.plan {
            Some(plan) if plan.pool == Pool::Blocking => self.costs.blocked < DOUBT_WAITING,
            _ => self.costs.blocked > DOUBT_COMPUTING,
        }
    }

    /// All chunks of a draining run are finished.
    pub(crate) fn drained(&mut self, at: Position) {
        let Mode::Draining(after) = self.mode else { return };
        match after {
            After::Probe => {
                self.close_stretch(at);
                self.mode = Mode::Probing;
            }
            After::Try => self.try_again(),
        }
    }

    fn wanted_chunk(&self, remaining: Option<u64>, threads: usize) -> usize {
        let usual = choose::chunk(&self.costs, remaining, threads, &self.options);
        if self.options.chunk_size.is_some() { usual } else { ((usual as f64 * self.chunk_factor) as usize).max(1) }
    }

    fn fitting(&self, chunk: usize, buffer: usize, threads: usize) -> usize {
        if self.options.chunk_size.is_some() { chunk.min(buffer) } else { chunk.min(share(buffer, threads)) }
    }

    /// Items of the next chunk.
    pub(crate) fn chunk(&self, remaining: Remaining) -> usize {
        let threads = self.threads();
        let wanted = if self.rate() > 0.0 {
            self.wanted_chunk(remaining.exact(), threads).min(self.chunk_limit)
        } else {
            self.plan.as_ref().map_or(1, |plan| plan.chunk_size)
        };
        self.fitting(wanted, self.buffer_size(), threads)
    }

    /// Whether the next step wants to know the memory.
    pub(crate) fn wants_memory(&self, now: f64) -> bool {
        self.pressure.is_due(now)
    }

    /// Takes a reading of the memory.
    pub(crate) fn saw_memory(&mut self, now: f64, memory: Memory) {
        self.pressure.observe(now, memory);
    }

    /// How many more items may be taken from the source, with so many in flight.
    pub(crate) fn room(&self, in_flight: usize) -> usize {
        let bytes = self.costs.result_bytes.max(self.situation.item_bytes as f64);
        self.window().saturating_sub(in_flight).min(self.pressure.room(in_flight, bytes))
    }

    /// Items that may be in flight now, at most the plan's buffer size; 0 while draining.
    pub(crate) fn window(&self) -> usize {
        match self.mode {
            Mode::Draining(_) => 0,
            _ if self.options.buffer_size.is_some() => self.buffer_size(),
            _ => {
                let chunk = self.chunk(Remaining::UNKNOWN);
                choose::window(chunk, self.threads(), &self.costs).min(self.buffer_size())
            }
        }
    }

    /// Threads that may run chunks now. What is left before a probe is not run by several: they may be in each other's way.
    pub(crate) fn concurrency(&self) -> usize {
        if matches!(self.mode, Mode::Draining(After::Probe)) { 1 } else { self.threads() }
    }

    pub(crate) fn threads(&self) -> usize {
        self.plan.as_ref().map_or(1, |plan| plan.threads)
    }

    fn buffer_size(&self) -> usize {
        self.plan.as_ref().map_or(1, |plan| plan.buffer_size)
    }

    /// How the consumer spends its time while it has nothing to yield.
    pub(crate) fn waiting(&self) -> choose::Waiting {
        let is_computing = self.plan.as_ref().is_some_and(|plan| plan.pool == Pool::Cpu);
        choose::waiting(self.concurrency(), self.chunk_seconds(), is_computing)
    }

    fn close_stretch(&mut self, at: Position) {
        let Some(plan) = &self.plan else { return self.tally.skip(at.now, at.yielded) };
        let costs = Costs { item: self.tally.item_time().unwrap_or(self.costs.item), ..self.costs };
        let serial = match &self.watch {
            Some(watch) if plan.pool != Pool::Serial => watch.serial(&costs),
            None if plan.pool == Pool::Blocking => watch::plain(self.settled.1, &costs),
            _ => costs.serial(),
        };
        self.tally.close(plan, &costs, serial, at.now, at.yielded);
    }

    /// What became of each plan; the run is over.
    pub(crate) fn finish(&mut self, at: Position) -> Vec<Stretch> {
        if self.plan.is_none() && self.done > 0 {
            // Everything from the first item on was a plain loop.
            let reason = "the input ended while its first items were timed";
            self.adopt(Verdict::serial(reason), self.origin(), Position { now: 0.0, yielded: 0 });
            self.tally.skip(0.0, 0);
        }
        if matches!(self.mode, Mode::Looping | Mode::Parallel | Mode::Draining(_)) {
            self.close_stretch(at);
        }
        std::mem::take(&mut self.tally).into_stretches()
    }
}

/// Whether a trial bears out the item time that was expected.
fn is_like(measured: f64, expected: f64) -> bool {
    (1.0 / BORNE_OUT..BORNE_OUT).contains(&(measured / expected))
}

/// A chunk for which the buffer has place for every thread and one more that is being yielded.
fn share(buffer: usize, threads: usize) -> usize {
    (buffer / (threads + 1)).max(1)
}
