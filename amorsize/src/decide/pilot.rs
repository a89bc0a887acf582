//! Leads one stream from its first item to its last: trial, plain loop or parallel run, and the changes between them.
//!
//! The engine tells the pilot what happened (always with the time in seconds since the stream began) and does what it
//! says. The pilot reads no clock and starts nothing, so a whole run can be replayed.

use std::borrow::Cow;
use std::time::Duration;

use crate::engine::queue::Manner;
use crate::options::Options;
use crate::plan::{Origin, Plan, Pool};

use super::choose::{self, Situation};
use super::costs::{Costs, Spread, blend};
use super::input::Remaining;
use super::trial::Trial;
use super::watch::{Verdict, Watch};

/// Seconds of the plain loop between two looks at the clock, at first and at most.
const FIRST_STRETCH: f64 = 50e-6;
const LONGEST_STRETCH: f64 = 400e-6;
/// Most items of such a stretch: should they become a thousand times dearer, it must not last long.
const LONGEST_STRETCH_ITEMS: f64 = 16384.0;
/// Seconds of a probe.
const PROBE: f64 = 200e-6;
/// Ratio from which a change of item time makes the plan worth another thought.
const NOTABLE: f64 = 1.5;
/// Seconds of a chunk up to which the consumer runs chunks itself rather than sleep: waking it would cost more than
/// the delay of what it could yield meanwhile.
const LONGEST_HELP: f64 = 500e-6;
/// Threads up to which it helps with longer ones too: its core is too large a part of the whole to leave it idle.
const FEW_THREADS: usize = 4;
/// Seconds of a first chunk after a trial; later ones at most double.
const FIRST_CHUNK: f64 = 25e-6;

/// Bytes of items and results, themselves only, that a trial may hold.
const TRIAL_BYTES: usize = 1 << 20;

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

#[derive(Clone, Debug)]
enum Mode {
    Trying(Trial),
    Looping,
    Parallel,
    /// Chunks run out before a probe or the plain loop.
    Draining {
        probe: bool,
    },
    Probing,
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
    /// Largest chunk that the next one may be: twice the last that came back.
    chunk_limit: usize,
    /// Items finished so far.
    done: u64,
    /// Expected rest and seconds an item when the plain loop was last chosen.
    settled: (u64, f64),
    stretch: f64,
    /// Time before which an undone parallel plan is not tried again.
    paused_until: f64,
}

impl Pilot {
    pub(crate) fn new(options: Options, situation: Situation) -> Self {
        let mut pilot = Self {
            mode: Mode::Trying(Trial::new(options.sample_size)),
            options,
            situation,
            costs: Costs::default(),
            spread: Spread::default(),
            plan: None,
            plans: 0,
            promise: None,
            watch: None,
            chunk_limit: 1,
            done: 0,
            settled: (0, 0.0),
            stretch: FIRST_STRETCH,
            paused_until: 0.0,
        };
        pilot.adopt_pinned();
        pilot
    }

    /// Takes what needs no trial.
    fn adopt_pinned(&mut self) {
        if let Some(reason) = pinned_serial(&self.options) {
            self.settle_serial(Origin::Pinned, reason.into());
        } else if let Some(item_time) = self.options.estimated_item_time {
            self.costs.item = item_time.as_secs_f64();
            self.chunk_limit = usize::MAX / 2;
        }
    }

    fn is_pinned_parallel(&self) -> bool {
        self.options.pool.is_some() || self.options.threads.is_some()
    }

    /// The plan, once there is one.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Plans made so far.
    pub(crate) fn plans(&self) -> u64 {
        self.plans
    }

    pub(crate) fn is_ordered(&self) -> bool {
        self.plan.as_ref().is_none_or(|plan| plan.ordered)
    }

    /// Items that a trial may hold at the same time.
    pub(crate) fn trial_bound(&self) -> usize {
        let shallow = TRIAL_BYTES / self.situation.item_bytes.max(1);
        self.options.buffer_size.map_or(shallow.max(2), usize::from)
    }

    pub(crate) fn costs(&self) -> &Costs {
        &self.costs
    }

    /// What to do next; `now` in seconds since the stream began, `yielded` results so far, `room` more items that the
    /// buffer has place for.
    pub(crate) fn step(&mut self, now: f64, yielded: u64, remaining: Remaining, room: usize) -> Step {
        if let Mode::Trying(trial) = &self.mode {
            let estimated = self.options.estimated_item_time.is_some() && self.plan.is_none();
            match trial.next().filter(|_| !estimated) {
                Some(batch) if room > 0 => return Step::Try(batch.min(room)),
                _ => self.decide(now, yielded, remaining),
            }
        }
        if self.is_looping() { Step::Loop(self.stretch()) } else { Step::Parallel }
    }

    /// Whether items are run as a plain loop now.
    pub(crate) fn is_looping(&self) -> bool {
        matches!(self.mode, Mode::Looping | Mode::Probing)
    }

    /// Items of the plain loop until the next look at the clock.
    pub(crate) fn stretch(&self) -> usize {
        self.stretch_items(if matches!(self.mode, Mode::Probing) { PROBE } else { self.stretch })
    }

    fn stretch_items(&self, seconds: f64) -> usize {
        (seconds / self.costs.serial().max(1e-10)).clamp(1.0, LONGEST_STRETCH_ITEMS) as usize
    }

    /// A trial batch: `items` pulled in `source` seconds and run in `item` seconds.
    pub(crate) fn tried(&mut self, items: usize, source: f64, item: f64, result_bytes: usize) {
        let Mode::Trying(trial) = &mut self.mode else { return };
        trial.observe(items, item);
        self.spread.add(items, item / items as f64);
        self.costs.item = trial.item_time();
        self.costs.source = source / items as f64;
        self.costs.result_bytes = blend(self.costs.result_bytes, result_bytes as f64, 0.5);
        self.costs.spread = self.spread.coefficient();
        self.done += items as u64;
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
    pub(crate) fn looped(&mut self, items: usize, seconds: f64, now: f64, yielded: u64, remaining: Remaining) {
        self.done += items as u64;
        let each = seconds / items as f64;
        if matches!(self.mode, Mode::Probing) {
            return self.probed(each, now, yielded);
        }
        self.stretch = (2.0 * self.stretch).min(LONGEST_STRETCH);
        if self.plan.as_ref().is_some_and(|plan| plan.origin == Origin::Pinned) || now < self.paused_until {
            return;
        }
        if self.watch.is_some() && self.paused_until > 0.0 {
            return self.resume(now, yielded);
        }
        self.rethink(each, now, yielded, remaining);
    }

    /// The plain loop goes on, unless items became dearer or the input turned out longer.
    fn rethink(&mut self, each: f64, now: f64, yielded: u64, remaining: Remaining) {
        let expected = remaining.expected(self.done);
        let is_dearer = each > NOTABLE * self.settled.1;
        let is_longer = expected > 2 * self.settled.0;
        if !is_dearer && !is_longer {
            return;
        }
        let dearer = Costs { item: self.costs.item + (each - self.costs.serial()).max(0.0), ..self.costs };
        let pays = choose::threads(&dearer, expected, &self.options, &self.situation).is_some();
        self.settled = (expected, each);
        if pays && is_dearer {
            self.chunk_limit = 1;
            self.stretch = FIRST_STRETCH;
            self.mode = Mode::Trying(Trial::new(self.options.sample_size));
        } else if pays {
            self.decide(now, yielded, remaining);
        }
    }

    /// The result of a probe: back to threads, or stay in the plain loop for a while.
    fn probed(&mut self, each: f64, now: f64, yielded: u64) {
        let Some(watch) = &mut self.watch else { return };
        let gain = watch.gain() * each / watch.baseline();
        if watch.confirm(now, each) {
            watch.restart(now, yielded);
            self.mode = Mode::Parallel;
            return;
        }
        self.paused_until = now + watch.next_pause();
        let threads = self.threads();
        self.settled = (u64::MAX / 2, each);
        let reason = format!("{threads} threads reached only {gain:.2}x of the plain loop, end to end");
        self.settle_serial(self.origin(), reason.into());
    }

    /// Another attempt at threads after a pause.
    fn resume(&mut self, now: f64, yielded: u64) {
        let expected = 1.0;
        let threads = self.options.threads.map_or(self.situation.cores, usize::from);
        if let Some(watch) = &mut self.watch {
            watch.restart(now, yielded);
        }
        self.chunk_limit = self.chunk_limit.max(1);
        self.settle_parallel(threads, expected, "trying threads again after a pause".into());
    }

    /// Chooses between the plain loop and threads with what is known now.
    fn decide(&mut self, now: f64, yielded: u64, remaining: Remaining) {
        let expected = remaining.expected(self.done);
        self.spread = Spread::default();
        if let Mode::Trying(trial) = &self.mode {
            let first = (FIRST_CHUNK / self.costs.item.max(1e-9)) as usize;
            self.chunk_limit = self.chunk_limit.max(2 * trial.last_batch()).max(first);
        }
        self.settled = (expected, self.costs.serial());
        let item_time = Duration::from_secs_f64(self.costs.item);
        if self.is_pinned_parallel() {
            let threads = self.options.threads.map_or(self.situation.cores, usize::from);
            let reason = format!("the options ask for {threads} threads; items take {item_time:.1?}");
            return self.settle_parallel(threads, threads as f64, reason.into());
        }
        match choose::threads(&self.costs, expected, &self.options, &self.situation) {
            Some((threads, gain)) => {
                self.watch = Some(Watch::new(now, yielded, self.costs.serial(), gain));
                self.settle_parallel(
                    threads,
                    gain,
                    format!("items of {item_time:.1?} pay for {threads} threads").into(),
                );
            }
            None => {
                let reason = serial_reason(&self.costs, expected, &self.options, &self.situation);
                self.settle_serial(self.origin(), reason);
            }
        }
    }

    fn origin(&self) -> Origin {
        match self.options.estimated_item_time {
            Some(_) => Origin::Pinned,
            None => Origin::Measured { items: self.done, item_time: Duration::from_secs_f64(self.costs.item) },
        }
    }

    fn settle_serial(&mut self, origin: Origin, reason: Cow<'static, str>) {
        self.mode = Mode::Looping;
        self.stretch = FIRST_STRETCH;
        self.adopt(Pool::Serial, 1, 1, 1.0, origin, reason);
    }

    fn settle_parallel(&mut self, threads: usize, gain: f64, reason: Cow<'static, str>) {
        self.mode = Mode::Parallel;
        let chunk_size = choose::chunk(&self.costs, None, threads, &self.options);
        let pool = self.options.pool.unwrap_or(Pool::Cpu);
        self.adopt(pool, threads, chunk_size, gain, self.origin(), reason);
    }

    fn adopt(
        &mut self,
        pool: Pool,
        threads: usize,
        chunk: usize,
        gain: f64,
        origin: Origin,
        reason: Cow<'static, str>,
    ) {
        let (ordered, buffer_size) = *self.promise.get_or_insert_with(|| {
            let ordered = choose::ordered(self.options.ordered, self.costs.spread, self.settled.0);
            let most = threads.max(self.situation.cores);
            let buffer = choose::buffer(&self.costs, most, &self.options, &self.situation);
            (ordered, if self.options.buffer_size.is_some() { buffer } else { buffer.max(self.done as usize) })
        });
        let chunk_size = chunk.min(share(buffer_size, threads));
        let plan = Plan { pool, threads, chunk_size, buffer_size, ordered, origin, expected_speedup: gain, reason };
        tracing::debug!(target: "amorsize", %plan, "plan");
        self.plan = Some(plan);
        self.plans += 1;
    }

    /// A chunk came back: `items` of it in `seconds`.
    pub(crate) fn ran(&mut self, items: usize, seconds: f64, result_bytes: usize) {
        if items == 0 {
            return;
        }
        self.done += items as u64;
        let rate = self.rate();
        let each = seconds / items as f64;
        self.spread.add(items, each);
        self.costs.item = blend(self.costs.item, each, rate);
        self.costs.result_bytes = blend(self.costs.result_bytes, result_bytes as f64, rate);
        self.costs.spread = self.spread.coefficient();
        if items >= self.chunk_limit {
            self.chunk_limit = items.saturating_mul(2);
        }
    }

    /// A chunk of `items` was pulled in `seconds`.
    pub(crate) fn pulled(&mut self, items: usize, seconds: f64) {
        self.costs.source = blend(self.costs.source, seconds / items as f64, self.rate());
    }

    fn rate(&self) -> f64 {
        self.options.adaptive_chunking.rate()
    }

    /// Looks at a parallel run between two chunks.
    pub(crate) fn check(&mut self, now: f64, yielded: u64) {
        let window = self.window();
        let serial = self.costs.serial();
        if !matches!(self.mode, Mode::Parallel) {
            return;
        }
        if let Some(watch) = &mut self.watch
            && watch.check(now, yielded, window, serial) == Verdict::Probe
        {
            self.mode = Mode::Draining { probe: true };
        }
    }

    /// All chunks of a draining run are finished.
    pub(crate) fn drained(&mut self) {
        if let Mode::Draining { probe } = self.mode {
            self.mode = if probe { Mode::Probing } else { Mode::Looping };
        }
    }

    /// Items of the next chunk.
    pub(crate) fn chunk(&self, remaining: Remaining) -> usize {
        let (threads, buffer) = (self.threads(), self.buffer_size());
        let wanted = if self.rate() > 0.0 {
            choose::chunk(&self.costs, remaining.exact(), threads, &self.options).min(self.chunk_limit)
        } else {
            self.plan.as_ref().map_or(1, |plan| plan.chunk_size)
        };
        if self.options.chunk_size.is_some() { wanted.min(buffer) } else { wanted.min(share(buffer, threads)) }
    }

    /// Items that may be in flight now, at most the plan's buffer size; 0 while draining.
    pub(crate) fn window(&self) -> usize {
        match self.mode {
            Mode::Draining { .. } => 0,
            _ if self.options.buffer_size.is_some() => self.buffer_size(),
            _ => {
                let chunk = self.chunk(Remaining { lower: 0, upper: None });
                choose::window(chunk, self.threads(), &self.costs).min(self.buffer_size())
            }
        }
    }

    pub(crate) fn threads(&self) -> usize {
        self.plan.as_ref().map_or(1, |plan| plan.threads)
    }

    fn buffer_size(&self) -> usize {
        self.plan.as_ref().map_or(1, |plan| plan.buffer_size)
    }

    /// How the consumer spends its time while it has nothing to yield.
    pub(crate) fn manner(&self) -> Manner {
        let seconds = self.chunk(Remaining { lower: 0, upper: None }) as f64 * self.costs.item;
        let threads = self.threads();
        Manner {
            helps: threads > 1 && (threads <= FEW_THREADS || seconds <= LONGEST_HELP),
            soon: seconds <= 1.5 * choose::TARGET_CHUNK,
        }
    }
}

/// A chunk for which the buffer has place for every thread and one more that is being yielded.
fn share(buffer: usize, threads: usize) -> usize {
    (buffer / (threads + 1)).max(1)
}

fn pinned_serial(options: &Options) -> Option<&'static str> {
    let one = |option: Option<std::num::NonZeroUsize>| option.is_some_and(|value| value.get() == 1);
    match options.pool {
        Some(Pool::Serial) => Some("`pool = serial` was asked for"),
        None if one(options.threads) => Some("one thread was asked for"),
        None if one(options.buffer_size) => Some("a buffer of one item leaves nothing to do at the same time"),
        _ => None,
    }
}

fn serial_reason(costs: &Costs, expected: u64, options: &Options, situation: &Situation) -> Cow<'static, str> {
    let item_time = Duration::from_secs_f64(costs.item);
    if options.threads.map_or(situation.cores, usize::from) < 2 {
        "this process has one core".into()
    } else if choose::threads(costs, u64::MAX / 2, options, situation).is_some() {
        format!("about {expected} more items of {item_time:.1?} are done before another thread wakes up").into()
    } else if costs.source + costs.consumer > costs.item {
        format!("source and consumer take longer than the function ({item_time:.1?} an item)").into()
    } else {
        format!("items of {item_time:.1?} are cheaper than handing them to another thread").into()
    }
}
