//! Leads one stream from its first item to its last: trial, plain loop or parallel run, and the changes between them.
//!
//! The engine tells the pilot what happened (always with the time in seconds since the stream began) and does what it
//! says. The pilot reads no clock and starts nothing, so a whole run can be replayed.
//!
//! - [`terms`]: what the pilot is told before a run, and what it says is to be done
//! - [`trying`]: the first items
//! - [`head_start`]: the first items of a new function, beside a thread
//! - [`ahead`]: items that are pulled before the first one runs
//! - [`looping`]: the plain loop
//! - [`running`]: chunks on threads
//! - [`employing`]: more threads
//! - [`giving_way`]: the plain loop instead of threads, while other streams are at work
//! - [`doubting`]: whether threads that wait only wait for each other
//! - [`adopting`]: how plans begin, and what became of them
//! - [`sizes`]: how many items of a stretch, of a chunk, in flight
//! - [`staffing`]: who runs chunks, and how many wait for them

mod adopting;
mod ahead;
mod doubting;
mod employing;
mod giving_way;
mod head_start;
mod looping;
mod running;
mod sizes;
mod staffing;
mod terms;
mod trying;

use crate::options::Options;
use crate::plan::Plan;

use super::costs::{Costs, Spread, blend};
use super::input::Remaining;
use super::observed::{Clocks, Looped, Made, Position, Ran, Runner};
use super::pressure::Pressure;
use super::risk;
use super::silence::Silence;
use super::situation::Situation;
use super::tally::Tally;
use super::trial::Trial;
use super::verdict;
use super::waits::Waits;
use super::watch::{self, Progress};
use adopting::Settled;
use employing::{Blocking, Computing};
use head_start::First;

pub(crate) use sizes::TRIAL_BYTES;

pub(crate) use terms::{Basis, Beside, Prior, Step};

/// Seconds of the plain loop between two looks at the clock, at first.
const FIRST_STRETCH: f64 = 50e-6;
/// Seconds of a first chunk; later ones at most double.
const FIRST_CHUNK: f64 = 25e-6;
/// Bytes of the largest block that a run begins with, and of the results of a chunk of first items. Where somebody asks
/// for a block of a kilobyte, glibc first puts in order what was freed before, of which there may be milliseconds'
/// worth; too much for a run that may be over by then.
pub(crate) const SMALL_BLOCK: usize = 1000;
const _: () = assert!(size_of::<Pilot>() <= SMALL_BLOCK, "what few runs have belongs into a box of its own");

#[derive(Clone, Debug)]
enum Mode {
    Trying(Trial),
    /// The plain loop, to know what it takes.
    Calibrating,
    Looping,
    Parallel,
    /// The consumer runs chunks alone since this position, to know what they take.
    Alone(Position),
    /// The plain loop runs instead of threads since this position, to know what it takes.
    Probing(Position),
    /// The plain loop runs instead of threads since this position, to know whether these only wait for each other.
    Doubting(Position),
    /// The plain loop runs instead of threads since this position, while other streams of this process are at work.
    GivingWay(Position),
    /// Chunks run out before something else.
    Draining(After),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    /// The plain loop, of which threads reached only so much.
    Loop {
        gain: f64,
    },
    /// A look at the plain loop; threads do not count since this position.
    Probe(Position),
    /// A look at one thread alone, where several may only wait for each other.
    Doubt(Position),
    /// The plain loop while others are at work; threads do not count since this position.
    GiveWay(Position),
    Try,
}

/// A chunk whose results the consumer has now.
#[derive(Clone, Copy, Debug)]
struct Handed {
    items: usize,
    /// Seconds of a processor for each.
    computing: f64,
    runner: Runner,
}

/// See the module. What few runs have is kept apart, so that it is a [small block](SMALL_BLOCK).
#[derive(Debug)]
pub(crate) struct Pilot {
    /// What events call it.
    function: &'static str,
    options: Options,
    situation: Situation,
    mode: Mode,
    costs: Costs,
    spread: Spread,
    plan: Option<Box<Plan>>,
    plans: u64,
    /// Order and buffer size, which do not change once they were stated.
    promise: Option<(bool, usize)>,
    computing: Option<Box<Computing>>,
    blocking: Option<Box<Blocking>>,
    first: First,
    /// What earlier runs say without much confidence.
    doubted: Option<Box<Prior>>,
    /// The plan is what earlier runs recommend.
    follows: bool,
    /// Threads that were last found slower than the plain loop.
    refuted: usize,
    tally: Tally,
    pressure: Pressure,
    handed: Option<Handed>,
    waits: Waits,
    /// How long the source makes everybody wait.
    silence: Silence,
    /// What threads have made, as of the last check.
    made: Made,
    /// Seconds of the consumer in the source and with results.
    own: f64,
    /// Largest chunk that the next one may be: twice the last that came back.
    chunk_limit: usize,
    /// What history says of the chunk size, relative to what costs alone would give.
    chunk_factor: f64,
    /// Items that have come back so far, and that are on their way in chunks.
    done: u64,
    in_flight: u64,
    /// Items that were to be tried. Those behind a panic never come back.
    granted: usize,
    /// Seconds of the chunks that were pulled since one of them was to tell how long it was blocked.
    unclocked: f64,
    /// Seconds of trials and of the plain loop.
    spent: f64,
    /// Items before which the kind of pool is not doubted again.
    trusted_until: u64,
    settled: Settled,
    stretch: f64,
    /// The next step is a look at the machine, after which what asked for it asks again.
    looks: bool,
}

impl Pilot {
    pub(crate) fn new(options: Options, situation: Situation) -> Self {
        let mut pilot = Self {
            function: "",
            mode: Mode::Trying(Trial::new(options.sample_size)),
            pressure: Pressure::new(options.memory_threshold),
            options,
            situation,
            costs: Costs::default(),
            spread: Spread::default(),
            plan: None,
            plans: 0,
            promise: None,
            computing: None,
            blocking: None,
            first: First::default(),
            doubted: None,
            follows: false,
            refuted: 0,
            handed: None,
            waits: Waits::Unasked,
            silence: Silence::default(),
            made: Made::default(),
            own: 0.0,
            tally: Tally::default(),
            chunk_limit: 1,
            chunk_factor: 1.0,
            done: 0,
            in_flight: 0,
            granted: 0,
            spent: 0.0,
            unclocked: 0.0,
            trusted_until: 0,
            settled: Settled::default(),
            stretch: FIRST_STRETCH,
            looks: false,
        };
        pilot.adopt_pinned();
        pilot
    }

    /// Leads a run of a function of this name.
    pub(crate) fn of(self, function: &'static str) -> Self {
        Self { function, ..self }
    }

    /// The plan, once there is one.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.plan.as_deref()
    }

    /// Plans made so far.
    pub(crate) fn plans(&self) -> u64 {
        self.plans
    }

    pub(crate) fn costs(&self) -> &Costs {
        &self.costs
    }

    /// Seconds of the function for an item, to be shown: of a plain loop, what is left of the whole.
    pub(crate) fn item_time(&self, has_ended: bool) -> f64 {
        let is_mean = self.costs.item == 0.0 || has_ended;
        if !is_mean || self.done == 0 {
            return self.costs.item;
        }
        let around = if self.made.worked > 0.0 { 0.0 } else { self.costs.source + self.costs.consumer };
        ((self.made.worked + self.spent) / self.done as f64 - around).max(0.0)
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn situation(&self) -> &Situation {
        &self.situation
    }

    /// Takes what the machine leaves to this process.
    pub(crate) fn saw_machine(&mut self, situation: Situation) {
        self.situation = situation;
        self.keep_promise_within_memory();
        self.first.head_start.iter_mut().for_each(|head_start| head_start.saw_machine(&situation));
        self.looks = false;
    }

    /// Whether the number of threads is pinned.
    pub(crate) fn has_pinned_threads(&self) -> bool {
        self.options.threads.is_some()
    }

    /// Whether threads are pinned, or a pool of them, whatever the costs.
    pub(crate) fn is_pinned_parallel(&self) -> bool {
        verdict::is_pinned_parallel(&self.options)
    }

    /// What to do next; `room` is the number of items that the buffer still has place for.
    pub(crate) fn step(&mut self, at: Position, remaining: Remaining, room: usize) -> Step {
        if self.looks {
            return Step::Look;
        }
        match self.step_of_trial(at, remaining, room) {
            Some(step) => step,
            None if self.is_looping() => Step::Loop(self.stretch()),
            None => Step::Parallel,
        }
    }

    /// Whether the options say what a trial would find out, or leave nothing to decide with it.
    fn needs_no_trial(&self) -> bool {
        let options = &self.options;
        let is_all_pinned = options.threads.is_some() && options.chunk_size.is_some() && options.pool.is_some();
        options.estimated_item_time.is_some() || is_all_pinned
    }

    /// Whether items are so cheap that a trial does not tell what the plain loop takes for them: the compiler and the
    /// processor work on several items of a loop at once, and the loop frees each before the next.
    fn is_too_cheap_to_know(&self) -> bool {
        self.costs.item < self.loop_tells_below()
    }

    /// Seconds of an item below which only the plain loop tells what it takes.
    fn loop_tells_below(&self) -> f64 {
        if !self.is_pinned_parallel() { watch::known_by_loop_below(self.needs_proof()) } else { 0.0 }
    }

    fn needs_proof(&self) -> bool {
        risk::is_of_memory(&self.costs, &self.situation)
    }

    /// Decides with what is known, because somebody wants to see the plan.
    pub(crate) fn conclude(&mut self, at: Position, remaining: Remaining) {
        if self.plan.is_none() {
            self.decide(at, remaining);
            self.end_head_start();
        }
    }

    /// Whether items are run as a plain loop now.
    pub(crate) fn is_looping(&self) -> bool {
        matches!(
            self.mode,
            Mode::Looping | Mode::Calibrating | Mode::Probing(_) | Mode::Doubting(_) | Mode::GivingWay(_)
        )
    }

    /// The consumer took `seconds` over `items` results.
    pub(crate) fn consumed(&mut self, items: usize, seconds: f64) {
        self.own += seconds;
        self.tally.consumed(items, seconds);
        let each = seconds / items as f64;
        self.watch_chunk(each);
        match self.mode {
            Mode::Trying(_) => self.costs.consumer = each,
            _ => self.costs.consumer = blend(self.costs.consumer, each, self.rate()),
        }
    }

    /// How far the run is: the time, results made and work done.
    fn progress(&self, at: Position) -> Progress {
        let Made { results, worked, delay } = self.made;
        Progress { now: at.now, produced: at.yielded.max(results), worked: worked + self.own, delay }
    }

    /// Bytes of a result, what the user says or what was found; or of the item, if it is larger.
    fn bytes(&self, ran: Ran) -> f64 {
        self.options.result_bytes.unwrap_or(ran.result_bytes).max(self.situation.item_bytes) as f64
    }

    fn rate(&self) -> f64 {
        self.options.adaptive_chunking.rate()
    }
}
