//! What a plan that turns out wrong costs: contended functions over a second, alone on the machine and beside threads
//! that want its processors too; items a thousand times dearer or cheaper half-way, against the best fixed chunk for
//! each half; a few dear items before many cheap ones; streams that are left long before the end of their source; and
//! items a thousand times dearer than earlier runs have said.
//! Cold but for that, no option given.

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use amorsize::{Outcome, Pool, Tuner};
use anyhow::Result;

use crate::busy::Busy;
use crate::contenders::{Case, Contender, cores, fresh};
use crate::jobs::{Job, Phases};
use crate::oracle::Pin;
use crate::rows::{Context, Row, Visitor};
use crate::source::Length;
use crate::stats::median;
use crate::work::{Pace, spin};

const ROUNDS: usize = 5;
/// Seconds that the plain loop takes at least.
const LONG: f64 = 1.0;
/// Busy threads elsewhere: none, one as many another program has, and many.
const OTHERS: [usize; 3] = [0, 1, 6];
/// Rows that threads may be in each other's way in, and one in which they never are.
const ROWS: [&str; 4] = ["mutex", "atomic", "gather", "5us"];
/// Seconds of a dear item, how many times as dear as a cheap one it is, and how many make up half of the work.
const DEAR: f64 = 200e-6;
const TIMES: usize = 1_000;
const DEAR_ITEMS: usize = 500;
/// A few items that are dear come first: how many, and seconds of each.
const FEW: usize = 5;
const FEW_DEAR: f64 = 3e-3;
/// A stream over so many items is left after so many seconds of the plain loop.
const ALL: usize = 1_000_000;
const LEFT: [f64; 2] = [100e-6, 250e-6];
/// Nanoseconds of such an item.
const LEFT_ITEMS: [f64; 3] = [50.0, 200.0, 1000.0];
/// Runs after which a function is known.
const KNOWN: usize = 3;
/// The fixed chunks of which the best is taken.
const CHUNKS: [usize; 7] = [1, 4, 16, 64, 256, 1_024, 4_096];

/// Prints all.
pub(crate) fn run() -> Result<()> {
    let pace = Pace::measure();
    for others in OTHERS {
        let _busy = Busy::start(others);
        for name in ROWS {
            Row::named(name)?.visit(Context { pace, lap: LONG }, &mut Contention { others });
        }
    }
    let (cheap, dear) = (pace.steps(DEAR * 1e9 / TIMES as f64), pace.steps(DEAR * 1e9));
    let cheap_items = TIMES * DEAR_ITEMS;
    let dearer = Phases { cheap, dear, turn: cheap_items, back: usize::MAX };
    halves("dearer half-way", &dearer, cheap_items, cheap_items + DEAR_ITEMS);
    let cheaper = Phases { cheap, dear, turn: 0, back: DEAR_ITEMS };
    halves("cheaper half-way", &cheaper, DEAR_ITEMS, cheap_items + DEAR_ITEMS);
    few_dear_first(pace);
    for (seconds, nanoseconds) in LEFT.into_iter().flat_map(|left| LEFT_ITEMS.map(|item| (left, item))) {
        left_early(seconds, nanoseconds, pace);
    }
    dearer_than_known(dear)
}

/// How much faster than the plain loop a run is of which a few dear items, the first ones, make up half.
fn few_dear_first(pace: Pace) {
    let (cheap, dear) = (pace.steps(FEW_DEAR * 1e9 / TIMES as f64), pace.steps(FEW_DEAR * 1e9));
    let job = Phases { cheap, dear, turn: 0, back: FEW };
    let items = FEW + FEW * TIMES;
    against_the_loop("a few dear items first", 2 * ROUNDS, &job, items, items);
}

/// How much faster than the plain loop streams of such items are that are left after so many seconds of it.
fn left_early(seconds: f64, nanoseconds: f64, pace: Pace) {
    let steps = pace.steps(nanoseconds);
    let job = Phases { cheap: steps, dear: steps, turn: 0, back: 0 };
    let taken = (seconds * 1e9 / nanoseconds) as usize;
    let what = format!("the first {taken} of {ALL} items of {nanoseconds:.0} ns");
    against_the_loop(&what, 20 * ROUNDS, &job, ALL, taken);
}

/// Prints how much faster than the plain loop a stream is of which so many items are `taken`, with a function that is
/// new each time and with one that is known.
fn against_the_loop(what: &str, rounds: usize, job: &Phases, items: usize, taken: usize) {
    let plain = || {
        let begin = Instant::now();
        (0..items).map(|item| job.work(black_box(item))).take(taken).for_each(|result| _ = black_box(result));
        begin.elapsed().as_secs_f64()
    };
    let ours = |name| {
        let job = job.clone();
        let begin = Instant::now();
        let stream = Tuner::new(name, move |item| job.work(item)).stream(0..items);
        stream.take(taken).for_each(|result| _ = black_box(result));
        begin.elapsed().as_secs_f64()
    };
    let known = fresh(what);
    (0..KNOWN).for_each(|_| _ = ours(known));
    let rounds: Vec<[f64; 2]> = (0..rounds)
        .map(|_| {
            let plain = plain();
            [plain / ours(fresh(what)), plain / ours(known)]
        })
        .collect();
    let [cold, known] = [0, 1].map(|way| median(&rounds.iter().map(|round| round[way]).collect::<Vec<_>>()));
    println!("{what}: {cold:.2} times the loop, {known:.2} after {KNOWN} runs");
}

/// How long the first result takes of an endless input, where earlier runs had items that pay for threads in large
/// chunks.
fn dearer_than_known(steps: u32) -> Result<()> {
    let mut times = [0.0; ROUNDS];
    for time in &mut times {
        let tuner = Tuner::new(fresh("dearer"), move |item: usize| spin(item as u64, steps));
        let cheap = |items| Outcome::new(items, Duration::from_secs_f64(DEAR / TIMES as f64));
        tuner.record(cheap(165).threads(2).speedup(0.6))?;
        (0..4).try_for_each(|_| tuner.record(cheap(2_000)))?;
        let begin = Instant::now();
        black_box(tuner.stream(0..).next());
        *time = begin.elapsed().as_secs_f64();
    }
    println!("{TIMES} times dearer than in earlier runs: the first result after {:.1} ms", median(&times) * 1e3);
    Ok(())
}

struct Contention {
    others: usize,
}

impl Visitor for Contention {
    fn visit<J: Job>(&mut self, row: &Row, job: J, items: usize) {
        let case = Case { job, row: row.name, items, length: Length::Known, expert_chunk: 64, pin: Pin::SERIAL };
        // A row states what an item takes on a machine that may be slower than this one.
        let times = (LONG / case.lap(Contender::Loop, items).seconds).max(1.0);
        let lap = |contender| case.lap(contender, (items as f64 * times) as usize).seconds;
        let rounds = [(); ROUNDS].map(|()| (lap(Contender::Loop), lap(Contender::For)));
        let speeds = rounds.map(|(plain, ours)| plain / ours);
        let plain = median(&rounds.map(|(plain, _)| plain));
        let (name, others, speed) = (row.name, self.others, median(&speeds));
        println!("{name} beside {others} busy threads, over {plain:.1} s: {speed:.2} times the loop, of {speeds:.2?}");
    }
}

/// `items` of which the first `turn` are of one kind.
fn halves(what: &str, job: &Phases, turn: usize, items: usize) {
    let pinned = |half: Range<usize>| CHUNKS.map(|chunk| stream(job, half.clone(), Some(chunk)));
    let rounds = [(); ROUNDS].map(|()| (stream(job, 0..items, None), [pinned(0..turn), pinned(turn..items)]));
    let ours = median(&rounds.map(|(ours, _)| ours));
    let best: f64 = [0, 1].map(|half| fastest(&rounds.map(|(_, halves)| halves[half]))).iter().sum();
    println!("{what}: {:.1} ms, {:.2} times the best fixed chunk of each half", ours * 1e3, ours / best);
}

/// The least of the medians by chunk.
fn fastest(rounds: &[[f64; CHUNKS.len()]]) -> f64 {
    let times = |chunk: usize| rounds.iter().map(|round| round[chunk]).collect::<Vec<_>>();
    (0..CHUNKS.len()).map(|chunk| median(&times(chunk))).fold(f64::MAX, f64::min)
}

/// Seconds of a run that nothing is known about, or that is told its threads and its chunk.
fn stream(job: &Phases, items: Range<usize>, chunk: Option<usize>) -> f64 {
    let job = job.clone();
    let tuner = Tuner::new("midrun", move |item| job.work(item)).ml_prediction(false).online_learning(false);
    let tuner = match chunk {
        Some(chunk) => tuner.threads(cores()).pool(Pool::Cpu).chunk_size(chunk),
        None => tuner,
    };
    let begin = Instant::now();
    black_box(tuner.stream(items).fold(0u64, u64::wrapping_add));
    begin.elapsed().as_secs_f64()
}
