//! Each item is given to the function exactly once, and ordered results are those of `map`.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use amorsize::{ByValue, Order, Pool, Tuner};

use crate::support::{Meter, WAYS, Way, compute, in_order, watched};

const ITEMS: usize = 700;

/// How often the function was called for each item.
struct Calls(Vec<AtomicUsize>);

impl Calls {
    fn new() -> Arc<Self> {
        Arc::new(Self((0..ITEMS).map(|_| AtomicUsize::new(0)).collect()))
    }

    fn assert_once(&self, context: &str) {
        for (item, calls) in self.0.iter().enumerate() {
            assert_eq!(calls.load(Ordering::SeqCst), 1, "{context}: calls for item {item}");
        }
    }
}

/// Counts its calls; every 50th item is dear.
fn counting(way: Way, calls: &Arc<Calls>) -> Tuner<ByValue<impl Fn(usize) -> usize + Send + Sync + 'static>> {
    let calls = Arc::clone(calls);
    way.of(Tuner::new("counting", move |item: usize| {
        calls.0[item].fetch_add(1, Ordering::SeqCst);
        compute(if item % 50 == 7 { 300 } else { 3 });
        item * 2
    }))
}

fn doubled() -> Vec<usize> {
    (0..ITEMS).map(|item| item * 2).collect()
}

fn check(way: Way, call: &str, run: impl FnOnce(&Arc<Calls>) -> Vec<usize>) {
    let calls = Calls::new();
    let results = run(&calls);
    assert_eq!(in_order(way, results), doubled(), "{way:?}, {call}");
    calls.assert_once(call);
}

#[test]
fn stream_by_next_and_by_internal_iteration() {
    watched(|| {
        for way in WAYS {
            check(way, "next", |calls| {
                let mut results = Vec::new();
                for result in counting(way, calls).stream(0..ITEMS) {
                    results.push(result);
                }
                results
            });
            check(way, "fold", |calls| {
                counting(way, calls).stream(0..ITEMS).fold(Vec::new(), |mut all, result| {
                    all.push(result);
                    all
                })
            });
            check(way, "next, then fold", |calls| {
                let mut stream = counting(way, calls).stream(0..ITEMS);
                let mut results: Vec<_> = stream.by_ref().take(ITEMS / 3).collect();
                stream.for_each(|result| results.push(result));
                results
            });
        }
    });
}

#[test]
fn scope_collect_and_for_each() {
    watched(|| {
        for way in WAYS {
            check(way, "scope", |calls| counting(way, calls).scope(0..ITEMS, |stream| stream.collect()));
            check(way, "collect", |calls| counting(way, calls).collect(0..ITEMS));
            check(way, "for_each", |calls| {
                let mut results = Vec::new();
                counting(way, calls).for_each(0..ITEMS, |result| results.push(result));
                results
            });
        }
    });
}

#[test]
fn run_calls_for_every_item_and_reports_it() {
    watched(|| {
        for way in WAYS {
            let calls = Calls::new();
            let report = counting(way, &calls).run(0..ITEMS);
            calls.assert_once("run");
            assert_eq!((report.items_in(), report.items_out(), report.in_flight()), (700, 700, 0), "{way:?}");
        }
    });
}

#[test]
fn a_plan_keeps_the_results_of_its_trial() {
    watched(|| {
        for way in WAYS {
            for sample_size in [1, 5, 100, 10_000] {
                check(way, "plan", |calls| {
                    let mut stream = counting(way, calls).sample_size(sample_size).stream(0..ITEMS);
                    let first = stream.plan().clone();
                    assert_eq!(&first, stream.plan(), "a plan that is asked for twice is the same");
                    stream.collect()
                });
            }
        }
    });
}

#[test]
fn indexed_results_carry_the_index_of_their_item() {
    watched(|| {
        for way in WAYS {
            let calls = Calls::new();
            let mut indices = Vec::new();
            for (index, result) in counting(way, &calls).stream(0..ITEMS).indexed() {
                assert_eq!(result, index * 2, "{way:?}");
                indices.push(index);
            }
            assert_eq!(in_order(way, indices), (0..ITEMS).collect::<Vec<_>>(), "{way:?}");
        }
    });
}

#[test]
fn internal_iteration_gives_the_same_indices_wherever_it_takes_over() {
    watched(|| {
        for way in WAYS {
            for read in [0, 1, 7, 100, ITEMS / 2, ITEMS - 1] {
                let calls = Calls::new();
                let mut indexed = counting(way, &calls).stream(0..ITEMS).indexed();
                let mut indices: Vec<_> = indexed.by_ref().take(read).map(|(index, _)| index).collect();
                indexed.for_each(|(index, result)| {
                    assert_eq!(result, index * 2, "{way:?} after {read}");
                    indices.push(index);
                });
                assert_eq!(in_order(way, indices), (0..ITEMS).collect::<Vec<_>>(), "{way:?} after {read}");
            }
        }
    });
}

#[test]
fn at_every_result_a_stream_says_what_it_has_taken_and_what_is_left() {
    watched(|| {
        for (way, micros) in WAYS.into_iter().flat_map(|way| [(way, 0), (way, 30)]) {
            let meter = Rc::<Meter>::default();
            let texts = (0..ITEMS).map(|item| item.to_string()).collect::<Vec<_>>();
            let shouting = way.of(Tuner::new("shouting", move |text: String| {
                compute(micros);
                text + "!"
            }));
            let mut stream = shouting.stream(meter.source(texts.into_iter()));
            for out in 1..=ITEMS {
                let _ = stream.next().expect("there are more");
                meter.count();
                let (left, report) = (ITEMS - out, stream.report());
                assert_eq!(stream.size_hint(), (left, Some(left)), "{way:?} after {out}");
                assert_eq!(report.items_in(), meter.taken() as u64, "{way:?} after {out}");
                assert_eq!(report.items_out(), out as u64, "{way:?}");
                assert!(report.in_flight() <= report.buffer_size() as u64, "{way:?}: {report:?}");
            }
            assert_eq!(stream.next(), None);
        }
    });
}

#[test]
fn indexed_results_are_planned_and_reported_like_others() {
    watched(|| {
        for way in WAYS {
            let calls = Calls::new();
            let mut indexed = counting(way, &calls).stream(0..ITEMS).indexed();
            let plan = indexed.plan().clone();
            assert_eq!(indexed.report().plan(), Some(&plan), "{way:?}");
            assert_eq!(indexed.by_ref().count(), ITEMS);
            assert_eq!(indexed.report().items_out(), ITEMS as u64, "{way:?}");
        }
    });
}

#[test]
fn a_plain_loop_that_was_asked_for_reports_what_items_take() {
    watched(|| {
        let tuner = Tuner::new("looping", |item: u64| compute(item % 2 + 1)).pool(Pool::Serial);
        let mut stream = tuner.stream(0..10_000);
        stream.by_ref().for_each(drop);
        let report = stream.report();
        assert!(report.item_time() > Duration::ZERO && report.item_time() <= report.elapsed(), "{report}");
    });
}

#[test]
fn more_than_ten_thousand_items_come_in_any_order_if_the_plan_may_choose() {
    watched(|| {
        let tuner = Way::Planned.of(Tuner::new("long", |item: u64| {
            compute(1);
            item
        }));
        let mut stream = tuner.ordered(Order::Auto).stream(0..10_001);
        assert!(!stream.plan().ordered(), "the first items count too");
        let mut results: Vec<u64> = stream.collect();
        results.sort_unstable();
        assert!(results.into_iter().eq(0..10_001));
    });
}

#[test]
fn items_that_become_a_thousand_times_dearer_or_cheaper() {
    watched(|| {
        let becoming_dearer = |item| if item < 20_000 { 0 } else { 400 };
        let becoming_cheaper = |item| if item < 100 { 400 } else { 0 };
        for cost in [becoming_dearer, becoming_cheaper] {
            let tuner = Way::Planned.of(Tuner::new("changing", move |item: u64| {
                compute(cost(item));
                item
            }));
            assert!(tuner.stream(0..20_100).eq(0..20_100));
        }
    });
}

#[test]
fn no_more_calls_at_the_same_time_than_threads() {
    watched(|| {
        for (way, threads) in [(Way::Serial, 1), (Way::Single, 1), (Way::Ordered, 2), (Way::Unordered, 2)] {
            let running = Arc::new(AtomicUsize::new(0));
            let tuner = way.of(Tuner::new("running", move |item: u64| {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                compute(20);
                running.fetch_sub(1, Ordering::SeqCst);
                assert!(now <= threads, "{now} calls at the same time for item {item}, {threads} threads");
            }));
            assert_eq!(tuner.chunk_size(3).stream(0..500).count(), 500);
        }
    });
}

#[test]
fn no_more_borrowed_calls_at_the_same_time_than_threads_that_wait() {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    /// How many run beside each item, itself included.
    fn waits(_: u64) -> usize {
        let now = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
        std::thread::sleep(Duration::from_millis(2));
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        now
    }
    watched(|| {
        let slow = || (0..40).filter(|_| (0..20_000).fold(0, |sum: u64, n| std::hint::black_box(sum ^ n)) < u64::MAX);
        let tuner = || Tuner::new("waits", waits).pool(Pool::Blocking).ml_prediction(false);
        for (tuner, most) in [(tuner().max_blocking_threads(1), 1), (tuner().threads(2), 2)] {
            let beside = tuner.collect::<Vec<_>>(0..40);
            assert!(beside.iter().all(|&now| now <= most), "{most}: {beside:?}");
            let beside = tuner.collect::<Vec<_>>(slow());
            assert!(beside.iter().all(|&now| now <= most), "{most}, of a slow source: {beside:?}");
        }
    });
}
