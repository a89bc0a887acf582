//! Every item and every result is dropped exactly once, whatever happens, and a `Drop` that panics tears nothing down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use amorsize::Tuner;

use crate::support::{Census, Counted, WAYS, Way, boom, caught, compute, wait_for_release, watched};

const ITEMS: u64 = 400;

/// What happens to the stream.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Read,
    Folded,
    DroppedAfter(usize),
    PanicAt(u64),
    SourcePanicAt(u64),
    ConsumerPanicAfter(u64),
}

const FATES: [Fate; 9] = [
    Fate::Read,
    Fate::Folded,
    Fate::DroppedAfter(0),
    Fate::DroppedAfter(1),
    Fate::DroppedAfter(90),
    Fate::PanicAt(0),
    Fate::PanicAt(200),
    Fate::SourcePanicAt(200),
    Fate::ConsumerPanicAfter(100),
];

#[test]
fn items_and_results_live_once() {
    watched(|| {
        for way in WAYS {
            for fate in FATES {
                let (items, results) = (Census::default(), Census::default());
                let released = live(way, fate, &items, &results);
                wait_for_release(&released);
                assert_eq!(items.died(), items.born(), "items, {way:?}, {fate:?}");
                assert_eq!(results.died(), results.born(), "results, {way:?}, {fate:?}");
                if let Fate::Read | Fate::Folded = fate {
                    assert_eq!((items.born(), results.born()), (400, 400), "{way:?}, {fate:?}");
                }
            }
        }
    });
}

#[test]
fn cheap_results_that_own_something_are_made_one_by_one_from_the_first_on() {
    // An item during which the system runs something else is a dear one, as far as anybody can tell.
    let held: Vec<usize> = ["one", "two", "three", "four", "five"].map(most_at_a_time).into();
    assert_eq!(held.iter().min(), Some(&1), "{held:?}");
}

/// Results that are there at the same time, at most, in a loop over cheap ones.
fn most_at_a_time(function: &'static str) -> usize {
    let census = Census::default();
    let most = Arc::new(AtomicUsize::new(0));
    let (made, alive) = (census.clone(), Arc::clone(&most));
    let counting = Tuner::new(function, move |number: u64| {
        let result = made.value(number);
        alive.fetch_max(made.born() - made.died(), Ordering::SeqCst);
        result
    });
    // No thread while the first one runs.
    let stream = counting.max_blocking_threads(1).ml_prediction(false).stream(0..2_000);
    let sum: u64 = stream.map(|result| result.number).sum();
    assert_eq!((sum, census.born()), (1_999_000, 2_000));
    most.load(Ordering::SeqCst)
}

fn live(way: Way, fate: Fate, items: &Census, results: &Census) -> mpsc::Receiver<()> {
    let (holder, released) = mpsc::channel::<()>();
    let results = results.clone();
    let tuner = way.of(Tuner::new("reborn", move |item: Counted| {
        let _captured = &holder;
        if matches!(fate, Fate::PanicAt(at) if at == item.number) {
            boom(item.number);
        }
        compute(3);
        results.value(item.number)
    }));
    let items = items.clone();
    let source = (0..ITEMS).map(move |number| {
        if matches!(fate, Fate::SourcePanicAt(at) if at == number) {
            boom(number);
        }
        items.value(number)
    });
    let mut stream = tuner.buffer_size(64).stream(source);
    match fate {
        Fate::Read => stream.by_ref().for_each(drop),
        Fate::Folded => assert_eq!(stream.count(), 400),
        Fate::DroppedAfter(taken) => assert_eq!(stream.by_ref().take(taken).count(), taken),
        Fate::PanicAt(at) | Fate::SourcePanicAt(at) => assert_eq!(caught(|| stream.for_each(drop)), at),
        Fate::ConsumerPanicAfter(after) => {
            let mut seen = 0;
            let consume = |result| {
                drop(result);
                seen += 1;
                if seen == after {
                    boom(seen);
                }
            };
            assert_eq!(caught(|| stream.for_each(consume)), after);
        }
    }
    released
}

/// Nothing to store, but still born and dropped.
struct Nothing;

static NOTHINGS: AtomicUsize = AtomicUsize::new(0);

impl Drop for Nothing {
    fn drop(&mut self) {
        NOTHINGS.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn items_and_results_of_no_size() {
    watched(|| {
        for way in WAYS {
            let before = NOTHINGS.load(Ordering::SeqCst);
            let calls = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&calls);
            let tuner = way.of(Tuner::new("nothing", move |item: Nothing| {
                counter.fetch_add(1, Ordering::SeqCst);
                item
            }));
            assert_eq!(tuner.stream((0..5_000).map(|_| Nothing)).count(), 5_000, "{way:?}");
            assert_eq!(tuner.collect::<Vec<_>>((0..5_000).map(|_| Nothing)).len(), 5_000, "{way:?}");
            assert_eq!(calls.load(Ordering::SeqCst), 10_000, "{way:?}");
            assert_eq!(NOTHINGS.load(Ordering::SeqCst) - before, 10_000, "{way:?}");
            let units = way.of(Tuner::new("unit", |()| ()));
            assert_eq!(units.stream(std::iter::repeat_n((), 5_000)).len(), 5_000, "{way:?}");
            assert_eq!(units.run(std::iter::repeat_n((), 5_000)).items_out(), 5_000, "{way:?}");
        }
    });
}

/// Panics when dropped, unless disarmed.
struct Bomb {
    census: Option<Counted>,
}

impl Bomb {
    fn new(census: &Census, number: u64) -> Self {
        Self { census: Some(census.value(number)) }
    }

    fn disarm(mut self) {
        self.census = None;
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(counted) = self.census.take() {
            let number = counted.number;
            drop(counted);
            boom(number);
        }
    }
}

/// A plain `map` never holds more than one result, so it could not abort the process here; nor may a stream, which
/// holds many: two panics at once would.
#[test]
fn results_whose_drop_panics_do_not_tear_down_a_dropped_stream() {
    watched(|| {
        for way in WAYS {
            for taken in [0, 1, 90] {
                let (holder, released) = mpsc::channel::<()>();
                let census = Census::default();
                let results = census.clone();
                let tuner = way.of(Tuner::new("bombs", move |item: u64| {
                    let _captured = &holder;
                    compute(3);
                    Bomb::new(&results, item)
                }));
                let tuner = tuner.buffer_size(64);
                let mut stream = tuner.stream(0..ITEMS);
                let _ = stream.plan();
                stream.by_ref().take(taken).for_each(Bomb::disarm);
                drop(stream);
                drop(tuner);
                wait_for_release(&released);
                assert_eq!(census.died(), census.born(), "{way:?}, {taken}");
            }
        }
    });
}

#[test]
fn items_whose_drop_panics_do_not_tear_down_a_dropped_stream() {
    watched(|| {
        for way in WAYS {
            let (holder, released) = mpsc::channel::<()>();
            let census = Census::default();
            let items = census.clone();
            let tuner = way.of(Tuner::new("bombs", move |item: Bomb| {
                let _captured = &holder;
                compute(3);
                item.disarm();
            }));
            let tuner = tuner.chunk_size(16).buffer_size(64);
            let mut stream = tuner.stream((0..ITEMS).map(move |number| Bomb::new(&items, number)));
            assert_eq!(stream.by_ref().take(50).count(), 50);
            drop(stream);
            drop(tuner);
            wait_for_release(&released);
            assert_eq!(census.died(), census.born(), "{way:?}");
        }
    });
}

#[test]
fn results_whose_drop_panics_survive_a_panic_of_consumer_function_and_source() {
    watched(|| {
        for way in WAYS {
            let bombs = |at: u64| {
                let census = Census::default();
                way.of(Tuner::new("bombs", move |item: u64| {
                    if item == at {
                        boom(item);
                    }
                    compute(2);
                    Bomb::new(&census, item)
                }))
                .buffer_size(64)
            };
            let mut seen = 0;
            let consumed = caught(|| {
                bombs(u64::MAX).for_each(0..ITEMS, |bomb| {
                    bomb.disarm();
                    seen += 1;
                    if seen == 70 {
                        boom(70);
                    }
                });
            });
            assert_eq!(consumed, 70, "{way:?}");
            assert_eq!(caught(|| bombs(100).for_each(0..ITEMS, Bomb::disarm)), 100, "{way:?}");
            assert_eq!(caught(|| bombs(100).stream(0..ITEMS).for_each(Bomb::disarm)), 100, "{way:?}");
            let source = || {
                (0..ITEMS).inspect(|&item| {
                    if item == 90 {
                        boom(item)
                    }
                })
            };
            assert_eq!(caught(|| bombs(u64::MAX).for_each(source(), Bomb::disarm)), 90, "{way:?}");
        }
    });
}

/// The payload of a panic nobody receives may panic when it is dropped, too.
#[test]
fn payloads_whose_drop_panics() {
    watched(|| {
        for way in WAYS {
            let census = Census::default();
            let payloads = census.clone();
            let tuner = way.of(Tuner::new("payloads", move |item: u64| {
                if item > 100 {
                    std::panic::resume_unwind(Box::new(Bomb::new(&payloads, item)));
                }
                compute(2);
            }));
            let mut stream = tuner.chunk_size(2).buffer_size(64).stream(0..ITEMS);
            let result = catch_unwind(AssertUnwindSafe(|| stream.by_ref().for_each(drop)));
            let payload = result.expect_err("it panicked").downcast::<Bomb>().expect("a bomb");
            payload.disarm();
            assert!(stream.next().is_none(), "{way:?}");
            drop(stream);
            assert_eq!(rayon::join(|| 1, || 2), (1, 2));
        }
    });
}

/// The same where the stream itself holds it: behind results that are not read, or of a source that nobody pulls any
/// more.
#[test]
fn payloads_that_a_dropped_stream_holds() {
    watched(|| {
        for way in WAYS {
            let census = Census::default();
            let (payloads, source_payloads) = (census.clone(), census.clone());
            let tuner = way.of(Tuner::new("held", move |item: u64| {
                compute(2);
                if item == 19 {
                    std::panic::resume_unwind(Box::new(Bomb::new(&payloads, item)));
                }
            }));
            let mut stream = tuner.chunk_size(4).buffer_size(64).stream(0..ITEMS);
            let read = catch_unwind(AssertUnwindSafe(|| stream.by_ref().take(17).count()));
            match read {
                Err(payload) if !way.is_ordered() => payload.downcast::<Bomb>().expect("a bomb").disarm(),
                read => assert_eq!(read.ok(), Some(17), "{way:?}"),
            }
            drop(stream);

            let tuner = way.of(Tuner::new("pulled", |item: u64| {
                compute(40);
                if item == 20 {
                    boom(item);
                }
            }));
            let source = (0..ITEMS).inspect(move |&item| {
                if item == 30 {
                    std::panic::resume_unwind(Box::new(Bomb::new(&source_payloads, item)));
                }
            });
            let stream = tuner.chunk_size(4).buffer_size(64).stream(source);
            assert_eq!(caught(|| stream.for_each(drop)), 20, "{way:?}");
        }
    });
}
