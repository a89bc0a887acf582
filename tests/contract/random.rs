//! Random options, lengths, costs, panics and drops, against plain `map`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use amorsize::{Pool, Tuner};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::support::{Census, Counted, Meter, boom, caught, compute, wait_for_release, watched};

/// What the tuner is told.
#[derive(Clone, Debug)]
struct Settings {
    ordered: bool,
    pool: Option<Pool>,
    threads: Option<usize>,
    chunk_size: Option<usize>,
    buffer_size: Option<usize>,
    sample_size: usize,
    estimate: Option<u64>,
    chunk_micros: Option<u64>,
    rate: f64,
    /// Nothing is known of the function, and will be.
    is_new: bool,
}

/// What happens while it runs.
#[derive(Clone, Debug)]
struct Events {
    items: u64,
    /// Microseconds of an item, by its remainder; changes at `turn`.
    costs: [u64; 4],
    turn: u64,
    consumer: u64,
    panic_at: Option<u64>,
    drop_after: Option<u64>,
    /// Results that are read one by one before the rest is folded.
    singly: u64,
    plan_first: bool,
    /// Somebody wants to see the plan after those.
    plan_then: bool,
    is_known: bool,
}

fn settings() -> impl Strategy<Value = Settings> {
    let pool = prop_oneof![
        4 => Just(None),
        2 => Just(Some(Pool::Cpu)),
        1 => Just(Some(Pool::Blocking)),
        1 => Just(Some(Pool::Serial)),
    ];
    let threads = prop_oneof![2 => Just(None), 3 => (1..5_usize).prop_map(Some)];
    let chunk_size = prop_oneof![2 => Just(None), 1 => (1..200_usize).prop_map(Some)];
    let buffer_size = prop_oneof![1 => Just(None), 2 => (1..100_usize).prop_map(Some)];
    let sample_size = prop_oneof![3 => Just(5), 1 => 1..300_usize];
    let estimate = prop_oneof![3 => Just(None), 1 => (1..100_000_u64).prop_map(Some)];
    let chunk_micros = prop_oneof![3 => Just(None), 1 => (1..1_000_u64).prop_map(Some)];
    let rate = prop_oneof![Just(0.3), Just(0.0), Just(1.0)];
    let flags = [any::<bool>(), any::<bool>()];
    (flags, pool, threads, chunk_size, buffer_size, sample_size, estimate, chunk_micros, rate).prop_map(
        |([ordered, is_new], pool, threads, chunk_size, buffer_size, sample_size, estimate, chunk_micros, rate)| {
            Settings {
                ordered,
                pool,
                threads,
                chunk_size,
                buffer_size,
                sample_size,
                estimate,
                chunk_micros,
                rate,
                is_new,
            }
        },
    )
}

fn events() -> impl Strategy<Value = Events> {
    let cost = || prop_oneof![6 => 0..2_u64, 2 => 2..20_u64, 1 => 20..120_u64];
    let at = |weight| prop_oneof![3 => Just(None), weight => (0..600_u64).prop_map(Some)];
    let consumer = prop_oneof![3 => Just(0), 1 => 1..20_u64];
    let singly = prop_oneof![Just(0), 0..600_u64, Just(u64::MAX)];
    let shape = (0..600_u64, [cost(), cost(), cost(), cost()], 0..600_u64, consumer);
    let flags = [any::<bool>(), any::<bool>(), any::<bool>()];
    let singly = prop_oneof![1 => singly, 1 => 1..4_u64];
    (shape, at(1), at(1), singly, flags).prop_map(
        |((items, costs, turn, consumer), panic_at, drop_after, singly, [plan_first, plan_then, is_known])| Events {
            items,
            costs,
            turn,
            consumer,
            panic_at,
            drop_after,
            singly,
            plan_first,
            plan_then,
            is_known,
        },
    )
}

impl Settings {
    fn apply<W>(&self, tuner: Tuner<W>) -> Tuner<W> {
        if self.is_new {
            tuner.forget().expect("forgotten");
        }
        let tuner = tuner.online_learning(self.is_new).ml_prediction(self.is_new);
        let mut tuner = tuner.ordered(self.ordered).pool(self.pool);
        tuner = tuner.sample_size(self.sample_size).adaptive_chunking(self.rate);
        if let Some(threads) = self.threads {
            tuner = tuner.threads(threads);
        }
        if let Some(chunk_size) = self.chunk_size {
            tuner = tuner.chunk_size(chunk_size);
        }
        if let Some(buffer_size) = self.buffer_size {
            tuner = tuner.buffer_size(buffer_size);
        }
        if let Some(nanos) = self.estimate {
            tuner = tuner.estimated_item_time(Duration::from_nanos(nanos));
        }
        if let Some(micros) = self.chunk_micros {
            tuner = tuner.target_chunk_duration(Duration::from_micros(micros));
        }
        tuner
    }
}

impl Events {
    fn cost(&self, item: u64) -> u64 {
        let phase = if item < self.turn { 0 } else { 2 };
        self.costs[(phase + item % 2) as usize]
    }

    /// The function; its items and results are counted, each call by a result that is born.
    fn function(
        &self,
        results: &Census,
        holder: mpsc::Sender<()>,
    ) -> impl Fn(Counted) -> Counted + Send + Sync + use<> {
        let (events, results) = (self.clone(), results.clone());
        move |item| {
            let _captured = &holder;
            compute(events.cost(item.number));
            if events.panic_at == Some(item.number) {
                boom(item.number);
            }
            results.value(item.number)
        }
    }
}

/// What came out of a stream.
struct Seen {
    results: Vec<u64>,
    panic: Option<u64>,
    /// Most items out at any pull.
    most: usize,
}

/// Reads a stream as the events say, and has a look at its plan.
fn read<S: Iterator<Item = Counted>>(events: &Events, meter: &Meter, stream: &mut S, look: impl Fn(&mut S)) -> Seen {
    let mut results = Vec::new();
    let most = events.drop_after.unwrap_or(u64::MAX);
    let mut run = || {
        let mut take = |result: Counted| {
            meter.count();
            compute(events.consumer);
            results.push(result.number);
        };
        let singly = events.singly.min(most);
        for _ in 0..singly {
            let Some(result) = stream.next() else { return };
            take(result);
        }
        if events.plan_then {
            look(stream);
        }
        stream.take((most - singly) as usize).for_each(take);
    };
    let outcome = catch_unwind(AssertUnwindSafe(&mut run));
    let panic = outcome.err().map(|payload| caught(|| resume_unwind(payload)));
    Seen { results, panic, most: meter.most() }
}

impl Events {
    /// Checks what was seen against what `map` would have given.
    fn check(&self, seen: &Seen, ordered: bool, bound: usize) -> Result<(), TestCaseError> {
        let Seen { results, panic, most } = seen;
        prop_assert!(*most <= bound, "{most} of {bound} out");
        let wanted = self.drop_after.unwrap_or(u64::MAX);
        let end = self.items.min(wanted);
        let exploding = self.panic_at.filter(|&at| at < self.items);
        if ordered {
            let expected_panic = exploding.filter(|&at| at < wanted);
            prop_assert_eq!(*panic, expected_panic);
            prop_assert!(results.iter().copied().eq(0..expected_panic.unwrap_or(end)), "{:?}", results);
            return Ok(());
        }
        let mut distinct = results.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), results.len(), "each once: {:?}", results);
        prop_assert!(results.iter().all(|&result| result < self.items && exploding != Some(result)));
        match *panic {
            Some(at) => prop_assert_eq!(Some(at), exploding),
            None => prop_assert_eq!(results.len() as u64, end, "all of them"),
        }
        Ok(())
    }
}

/// A source that may keep its length to itself.
struct Hinted {
    numbers: std::ops::Range<u64>,
    is_known: bool,
}

impl Iterator for Hinted {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.numbers.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.is_known { self.numbers.size_hint() } else { (0, None) }
    }
}

/// One run over owned or borrowed calls; nothing is left of it.
fn run(settings: &Settings, events: &Events, is_borrowed: bool) -> Result<(), TestCaseError> {
    let (items, results, meter) = (Census::default(), Census::default(), Rc::new(Meter::default()));
    let (holder, released) = mpsc::channel();
    let tuner = settings.apply(Tuner::new("random", events.function(&results, holder)));
    let is_known = events.is_known;
    let numbers = Hinted { numbers: 0..events.items, is_known };
    let source = meter.source(numbers.map(|number| items.value(number)));
    let plan_first = events.plan_first;
    let (seen, bound) = if is_borrowed {
        tuner.scope(source, |mut stream| {
            let planned = plan_first.then(|| stream.plan().buffer_size());
            let seen = read(events, &meter, &mut stream, |stream| _ = stream.plan());
            (seen, planned.unwrap_or_else(|| stream.plan().buffer_size()))
        })
    } else {
        let mut stream = tuner.stream(source);
        let planned = plan_first.then(|| stream.plan().buffer_size());
        let seen = read(events, &meter, &mut stream, |stream| _ = stream.plan());
        (seen, planned.unwrap_or_else(|| stream.plan().buffer_size()))
    };
    events.check(&seen, settings.ordered, settings.buffer_size.unwrap_or(bound))?;
    drop(tuner);
    wait_for_release(&released);
    prop_assert_eq!((items.died(), results.died()), (items.born(), results.born()), "nothing leaks");
    prop_assert!(results.born() <= items.born(), "no item twice");
    Ok(())
}

fn check_random(cases: u32, is_borrowed: bool) {
    watched(move || {
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let result = runner.run(&(settings(), events()), |(settings, events)| run(&settings, &events, is_borrowed));
        result.unwrap_or_else(|error| panic!("{error}"));
    });
}

#[test]
fn streams_are_like_map() {
    check_random(1_000, false);
}

#[test]
fn borrowed_calls_are_like_map() {
    check_random(600, true);
}
