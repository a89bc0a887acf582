//! Functions, sources, consumers and values that call back into the library at the worst moment.

use std::any::Any;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use amorsize::{ByValue, Pool, Tuner};
use rayon::ThreadPoolBuilder;

use crate::support::{WAYS, Way, boom, caught, compute, in_order, wait_for, wait_for_release, watched};

fn adding(way: Way) -> Tuner<ByValue<impl Fn(u64) -> u64 + Clone + Send + Sync + 'static>> {
    way.of(Tuner::new("adding", |item: u64| {
        compute(3);
        item + 1
    }))
}

/// Somewhere to put a stream where its own function finds it.
type Place = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

#[test]
fn a_function_that_drops_the_stream_it_runs_for() {
    watched(|| {
        for way in [Way::Ordered, Way::Unordered, Way::Crowd, Way::Single] {
            let place = Place::default();
            let (holder, released) = mpsc::channel::<()>();
            let own = Arc::clone(&place);
            let tuner = way.of(Tuner::new("suicidal", move |item: u64| {
                let _captured = &holder;
                compute(5);
                let own = own.lock().expect("nobody panics").take();
                drop(own);
                item
            }));
            let tuner = tuner.chunk_size(8).buffer_size(64);
            let mut stream = tuner.stream(0..);
            drop(tuner);
            assert!(stream.next().is_some());
            *place.lock().expect("nobody panics") = Some(Box::new(stream));
            // Either a call that still runs has dropped it, or it is dropped here.
            drop(place.lock().expect("nobody panics").take());
            wait_for_release(&released);
        }
    });
}

#[test]
fn a_function_that_reads_on_and_drops_another_stream() {
    watched(|| {
        for way in WAYS {
            let others: Vec<_> = (0..100).map(|_| adding(way).buffer_size(16).stream(0..50)).collect();
            let others = Mutex::new(others);
            let tuner = way.of(Tuner::new("reader", move |item: u64| {
                let other = others.lock().expect("nobody panics").pop();
                item + other.and_then(|mut other| other.find(|result| *result == 1)).unwrap_or(0)
            }));
            assert_eq!(tuner.stream(0..200).sum::<u64>(), (0..200).sum::<u64>() + 100, "{way:?}");
        }
    });
}

/// Runs a whole stream when it is dropped.
struct LastWill(Way);

impl Drop for LastWill {
    fn drop(&mut self) {
        assert_eq!(adding(self.0).stream(0..20).sum::<u64>(), 210);
        assert_eq!(adding(self.0).collect::<Vec<_>>(0..20).len(), 20);
    }
}

#[test]
fn items_and_results_whose_drop_runs_a_stream() {
    watched(|| {
        for way in WAYS {
            let tuner = way.of(Tuner::new("heirs", |item: LastWill| {
                compute(3);
                LastWill(item.0)
            }));
            let tuner = tuner.chunk_size(4).buffer_size(16);
            assert_eq!(tuner.stream((0..40).map(|_| LastWill(way))).count(), 40, "{way:?}");
            let mut dropped = tuner.stream((0..40).map(|_| LastWill(way)));
            assert!(dropped.next().is_some(), "{way:?}");
            drop(dropped);
            let consumer = || tuner.for_each((0..40).map(|_| LastWill(way)), |_| boom(1));
            assert_eq!(caught(consumer), 1, "{way:?}");
        }
    });
}

#[test]
fn a_consumer_and_a_source_that_use_the_same_tuner() {
    watched(|| {
        for way in WAYS {
            let tuner = adding(way);
            let source = (0..30).map(|item| tuner.stream(item..item + 1).sum::<u64>());
            let mut sum = 0;
            tuner.for_each(source, |result| sum += tuner.collect::<Vec<_>>([result])[0]);
            assert_eq!(sum, (3..33).sum::<u64>(), "{way:?}");
        }
    });
}

/// An endless source that can be asked for its length so many times.
struct Unmeasurable(Cell<u64>);

impl Iterator for Unmeasurable {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        Some(7)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.get().checked_sub(1).unwrap_or_else(|| boom(1));
        self.0.set(left);
        (0, None)
    }
}

#[test]
fn a_source_that_panics_while_it_is_measured() {
    watched(|| {
        for way in WAYS.into_iter().filter(|way| *way != Way::Serial) {
            for times in [0, 1, 2, 3, 20] {
                let endless = || adding(way).buffer_size(16).stream(Unmeasurable(Cell::new(times)));
                let context = format!("{way:?} after {times}");
                assert_eq!(caught(|| endless().count()), 1, "{context}");
                let mut read = endless();
                assert_eq!(caught(|| while read.next().is_some() {}), 1, "{context}");
                assert_eq!((read.next(), read.size_hint()), (None, (0, Some(0))), "{context}: a panic is its end");
                let mut planned = endless();
                let reader = || while !planned.plan().to_string().is_empty() && planned.next().is_some() {};
                assert_eq!(caught(reader), 1, "{context}");
                let _ = (planned.plan().to_string(), planned.report());
                let (left, _) = planned.size_hint();
                assert_eq!(planned.count(), left, "{context}: what was ready before is not lost");
            }
            assert_eq!(adding(way).stream(0..100).count(), 100, "{way:?}");
        }
    });
}

#[test]
fn a_function_whose_captures_run_a_stream_when_they_are_dropped() {
    watched(|| {
        for way in WAYS {
            let (holder, released) = mpsc::channel::<()>();
            let will = LastWill(way);
            let tuner = way.of(Tuner::new("bequeathing", move |item: u64| {
                let _captured = (&will, &holder);
                compute(3);
                item
            }));
            let mut stream = tuner.buffer_size(32).stream(0..);
            assert!(stream.next().is_some());
            drop(stream);
            wait_for_release(&released);
        }
    });
}

/// Like rayon's own scopes, a borrowed call waits on a pool's thread; unlike them, it must not run somebody else's job
/// meanwhile, or that job meets the locks that its own thread holds.
#[test]
fn a_borrowed_call_runs_no_foreign_job_while_it_waits() {
    watched(|| {
        let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("a small pool");
        let mut nested = 0;
        for _ in 0..40 {
            let is_within = Arc::new(AtomicBool::new(false));
            let (sender, receiver) = mpsc::channel();
            pool.install(|| {
                let caller = thread::current().id();
                let is_busy = AtomicBool::new(false);
                let tuner = Way::Unordered.of(Tuner::new("busy", |_: u64| {
                    if thread::current().id() != caller {
                        is_busy.store(true, Ordering::SeqCst);
                        compute(2_000);
                    }
                }));
                is_within.store(true, Ordering::SeqCst);
                tuner.chunk_size(1).scope(0.., |mut stream| {
                    while !is_busy.load(Ordering::SeqCst) {
                        stream.next();
                    }
                    let is_within = Arc::clone(&is_within);
                    rayon::spawn(move || {
                        let is_nested = thread::current().id() == caller && is_within.load(Ordering::SeqCst);
                        sender.send(is_nested).expect("the test still listens");
                    });
                });
                is_within.store(false, Ordering::SeqCst);
            });
            nested += usize::from(wait_for(&receiver));
        }
        // Rayon learns of the end of a job a moment later than we do; a preemption just then is not the rule.
        assert!(nested <= 10, "{nested} of 40 foreign jobs ran on the stack of the call");
    });
}

#[test]
fn options_at_the_end_of_their_range() {
    watched(|| {
        let max = usize::MAX;
        let plain = || Tuner::new("extreme", |item: u64| item + 1).online_learning(false);
        let tuners = [
            plain().chunk_size(max),
            plain().buffer_size(max),
            plain().chunk_size(max).buffer_size(max),
            plain().chunk_size(max).threads(2),
            plain().buffer_size(max).threads(2),
            plain().chunk_size(max).buffer_size(max).threads(2).adaptive_chunking(false),
            plain().max_blocking_threads(max),
            plain().max_blocking_threads(max).pool(Pool::Blocking),
            plain().threads(max).pool(Pool::Serial),
            plain().estimated_item_time(Duration::MAX),
            plain().estimated_item_time(Duration::from_nanos(1)),
            plain().estimated_item_time(Duration::MAX).threads(2),
            plain().target_chunk_duration(Duration::MAX).threads(2),
            plain().target_chunk_duration(Duration::from_nanos(1)).threads(2),
            plain().result_bytes(max).threads(2),
            plain().result_bytes(0).threads(2),
            plain().adaptive_chunking(1.0).threads(2),
            plain().memory_threshold(0.0).threads(2),
            plain().sample_size(10_000).threads(2),
        ];
        for tuner in tuners {
            let mut stream = tuner.stream(0..3_000);
            let _ = (stream.plan().to_string(), stream.report().to_string());
            assert!(stream.by_ref().eq(1..3_001), "{tuner:?}");
            let _ = (stream.plan().to_string(), stream.report().to_string());
            assert!(tuner.stream((0..3_000).filter(|_| true)).eq(1..3_001), "{tuner:?}, of unknown length");
            assert_eq!(in_order(Way::Unordered, tuner.ordered(false).collect::<Vec<_>>(0..3_000)).len(), 3_000);
        }
    });
}

#[test]
fn options_at_the_end_of_their_range_where_items_are_worth_threads() {
    watched(|| {
        let max = usize::MAX;
        let dear = || {
            let dear = |item: u64| {
                compute(100);
                item + 1
            };
            Tuner::new("dear extreme", dear).online_learning(false)
        };
        let tuners = [
            dear().chunk_size(max).buffer_size(max).adaptive_chunking(false),
            dear().chunk_size(max).buffer_size(max).estimated_item_time(Duration::from_micros(100)),
            dear().chunk_size(max).buffer_size(max).estimated_item_time(Duration::MAX),
            dear().chunk_size(max).adaptive_chunking(false),
            dear().buffer_size(max),
            dear().chunk_size(max).buffer_size(max).pool(Pool::Blocking),
            dear().chunk_size(max).buffer_size(max).pool(Pool::Blocking).threads(max),
            dear().buffer_size(max).pool(Pool::Blocking).max_blocking_threads(max),
            dear().buffer_size(max).max_blocking_threads(max).estimated_item_time(Duration::MAX),
        ];
        for tuner in tuners {
            assert!(tuner.stream(0..400).eq(1..401), "{tuner:?}");
            assert!(tuner.stream((0..400).filter(|_| true)).eq(1..401), "{tuner:?}, of unknown length");
        }
    });
}

#[test]
fn more_threads_than_items() {
    watched(|| {
        let tuner = Tuner::new("few", |item: u64| item + 1).online_learning(false);
        assert!(tuner.threads(64).stream(0..5).eq(1..6));
        let tuner = Tuner::new("few, and no end of threads", |item: u64| item + 1).online_learning(false);
        assert!(tuner.threads(usize::MAX).stream(0..100).eq(1..101));
    });
}
