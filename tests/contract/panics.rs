//! A panic comes out at its place, once, with its payload; then the stream is over and the pools are as before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use amorsize::Tuner;

use crate::support::{WAYS, Way, boom, caught, compute, watched};

const ITEMS: u64 = 300;
/// The first, an early one, one in the middle, the last.
const PLACES: [u64; 4] = [0, 20, 150, ITEMS - 1];

type Function = amorsize::ByValue<Box<dyn Fn(u64) -> u64 + Send + Sync>>;

fn exploding(way: Way, at: u64, calls: &Arc<AtomicUsize>) -> Tuner<Function> {
    let calls = Arc::clone(calls);
    let function: Box<dyn Fn(u64) -> u64 + Send + Sync> = Box::new(move |item| {
        if item == at {
            calls.fetch_add(1, Ordering::SeqCst);
            boom(item);
        }
        compute(3);
        item
    });
    way.of(Tuner::new("exploding", function))
}

fn quiet(way: Way) -> Tuner<Function> {
    exploding(way, u64::MAX, &Arc::default())
}

/// Pools that lost a thread or a ticket would not get through this.
fn assert_pools_work(way: Way) {
    let both = rayon::join(|| 1, || 2);
    assert_eq!(both, (1, 2));
    assert_eq!(quiet(way).stream(0..ITEMS).sum::<u64>(), (0..ITEMS).sum());
}

#[test]
fn of_the_first_a_middle_and_the_last_item() {
    watched(|| {
        for way in WAYS {
            for at in PLACES {
                let calls = Arc::default();
                let mut stream = exploding(way, at, &calls).stream(0..ITEMS);
                let mut before = Vec::new();
                let payload = caught(|| {
                    for result in stream.by_ref() {
                        before.push(result);
                    }
                });
                assert_eq!(payload, at, "{way:?}");
                assert!(!before.contains(&at));
                if way.is_ordered() {
                    assert!(before.into_iter().eq(0..at), "{way:?}: after all earlier results");
                }
                for _ in 0..3 {
                    assert_eq!(stream.next(), None, "{way:?}: once");
                    assert_eq!(stream.size_hint(), (0, Some(0)), "{way:?}: nothing comes any more");
                }
                assert_eq!(calls.load(Ordering::SeqCst), 1, "{way:?}: the item was not tried again");
                assert_pools_work(way);
            }
        }
    });
}

#[test]
fn out_of_every_call() {
    watched(|| {
        for way in WAYS {
            for at in PLACES {
                let tuner = exploding(way, at, &Arc::default());
                assert_eq!(caught(|| tuner.stream(0..ITEMS).sum::<u64>()), at, "{way:?}, fold");
                assert_eq!(caught(|| tuner.collect::<Vec<_>>(0..ITEMS)), at, "{way:?}, collect");
                assert_eq!(caught(|| tuner.run(0..ITEMS)), at, "{way:?}, run");
                assert_eq!(caught(|| tuner.scope(0..ITEMS, |stream| stream.count())), at, "{way:?}, scope");
                let mut seen = 0;
                assert_eq!(caught(|| tuner.for_each(0..ITEMS, |_| seen += 1)), at, "{way:?}, for_each");
                if way.is_ordered() {
                    assert_eq!(seen, at);
                }
                assert_pools_work(way);
            }
        }
    });
}

#[test]
fn during_a_plan_it_waits_for_its_place() {
    watched(|| {
        for way in WAYS {
            for at in [0, 1, 2, 150] {
                let calls = Arc::default();
                let mut stream = exploding(way, at, &calls).sample_size(10_000).stream(0..ITEMS);
                let _ = stream.plan();
                let mut yielded = 0;
                assert_eq!(caught(|| stream.by_ref().for_each(|_| yielded += 1)), at, "{way:?}");
                if way.is_ordered() {
                    assert_eq!(yielded, at, "{way:?}");
                }
                assert_eq!((stream.next(), calls.load(Ordering::SeqCst)), (None, 1), "{way:?}");
            }
        }
    });
}

#[test]
fn a_plan_of_a_function_that_always_panics_calls_it_no_more_than_it_must() {
    watched(|| {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let tuner = Way::Planned.of(Tuner::new("always", move |item: u64| -> u64 {
            counter.fetch_add(1, Ordering::SeqCst);
            boom(item)
        }));
        let mut stream = tuner.stream(0..);
        let _ = stream.plan();
        assert_eq!(calls.load(Ordering::SeqCst), 1, "what follows a panic is never seen");
        assert_eq!(caught(|| stream.next()), 0);
    });
}

#[test]
fn a_message_survives() {
    watched(|| {
        for way in WAYS {
            let tuner = way.of(Tuner::new("message", |item: u64| {
                std::panic::resume_unwind(Box::new(format!("item {item} is bad")));
            }));
            let result = std::panic::catch_unwind(|| tuner.run(40..41));
            let payload = result.expect_err("it panicked");
            assert_eq!(*payload.downcast::<String>().expect("a string"), "item 40 is bad");
        }
    });
}

#[test]
fn of_the_source() {
    watched(|| {
        for way in WAYS {
            for at in PLACES {
                let mut calls_after = 0;
                let source = (0..ITEMS).inspect(|&item| {
                    calls_after += u32::from(item > at);
                    if item == at {
                        boom(at);
                    }
                });
                let mut before = Vec::new();
                let mut stream = quiet(way).stream(source);
                let payload = caught(|| {
                    for result in stream.by_ref() {
                        before.push(result);
                    }
                });
                assert_eq!(payload, at, "{way:?}");
                before.sort_unstable();
                assert!(before.into_iter().eq(0..at), "{way:?}: after all results, in any order");
                assert_eq!((stream.next(), stream.next()), (None, None), "{way:?}: the stream is over");
                drop(stream);
                assert_eq!(calls_after, 0, "{way:?}: the source is left alone");
                let fresh = || {
                    (0..ITEMS).inspect(|&item| {
                        if item == at {
                            boom(at)
                        }
                    })
                };
                assert_eq!(caught(|| quiet(way).run(fresh())), at, "{way:?}, run");
                assert_pools_work(way);
            }
        }
    });
}

#[test]
fn of_the_consumer_ends_the_stream() {
    watched(|| {
        for way in WAYS {
            let calls = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&calls);
            let tuner = way.of(Tuner::new("counted", move |item: u64| {
                counter.fetch_add(1, Ordering::SeqCst);
                item
            }));
            let mut seen = 0;
            let payload = caught(|| {
                tuner.buffer_size(40).for_each(0..1_000_000, |_| {
                    seen += 1;
                    if seen == 60 {
                        boom(60);
                    }
                });
            });
            assert_eq!(payload, 60, "{way:?}");
            let at_return = calls.load(Ordering::SeqCst);
            assert!(at_return <= 60 + 40, "{way:?}: {at_return} calls");
            assert_pools_work(way);
            assert_eq!(calls.load(Ordering::SeqCst), at_return, "{way:?}: nothing ran after the call");
        }
    });
}

#[test]
fn two_at_once() {
    watched(|| {
        for way in [Way::Ordered, Way::Unordered] {
            // Both threads are inside the function when both panic.
            let barrier = Arc::new(Barrier::new(2));
            let tuner = way.of(Tuner::new("twice", move |item: u64| -> u64 {
                if item >= 60 {
                    barrier.wait();
                    boom(item);
                }
                compute(20);
                item
            }));
            let mut stream = tuner.chunk_size(1).buffer_size(64).sample_size(1).stream(0..62);
            let first = caught(|| stream.by_ref().for_each(drop));
            assert!(first == 60 || (!way.is_ordered() && first == 61), "{first}");
            assert_eq!(stream.next(), None);
            drop(stream);
            assert_pools_work(way);
        }
    });
}

#[test]
fn a_panic_of_the_consumer_while_the_function_panics() {
    watched(|| {
        for way in WAYS {
            let tuner = exploding(way, 100, &Arc::default());
            let payload = caught(|| tuner.for_each(0..ITEMS, |_| boom(1_000)));
            assert_eq!(payload, 1_000, "{way:?}: the consumer's comes first");
            assert_pools_work(way);
        }
    });
}

#[test]
fn a_report_after_a_panic_counts_what_was_done() {
    watched(|| {
        for way in WAYS.into_iter().filter(|way| way.is_ordered()) {
            let mut stream = exploding(way, 150, &Arc::default()).buffer_size(64).stream(0..ITEMS);
            assert_eq!(caught(|| stream.by_ref().for_each(drop)), 150);
            let report = stream.report();
            assert_eq!(report.items_out(), 150, "{way:?}");
            assert!((151..=150 + 64).contains(&report.items_in()), "{way:?}: {report:?}");
        }
    });
}
