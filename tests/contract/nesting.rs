//! Streams inside rayon pools, inside the function itself, many at once, and moved between threads.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use amorsize::{ByValue, Pool, Stream, Tuner};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::support::{WAYS, Way, compute, in_order, watched};

type Rendezvous = Tuner<ByValue<Box<dyn Fn(u64) -> u64 + Send + Sync>>>;

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("a small pool")
}

fn adding(way: Way) -> Tuner<ByValue<impl Fn(u64) -> u64 + Clone + Send + Sync + 'static>> {
    way.of(Tuner::new("adding", |item: u64| {
        compute(10);
        item + 1
    }))
}

fn assert_adds(way: Way, context: &str) {
    let results = in_order(way, adding(way).stream(0..200).collect());
    assert!(results.into_iter().eq(1..201), "{way:?}, stream, {context}");
    let results = in_order(way, adding(way).collect::<Vec<_>>(0..200));
    assert!(results.into_iter().eq(1..201), "{way:?}, collect, {context}");
}

#[test]
fn inside_the_jobs_of_a_pool() {
    watched(|| {
        for threads in [1, 2, 3] {
            let pool = pool(threads);
            for way in WAYS {
                pool.install(|| assert_adds(way, "installed"));
                pool.install(|| (0..6).into_par_iter().for_each(|_| assert_adds(way, "in parallel")));
                pool.scope(|scope| (0..4).for_each(|_| scope.spawn(|_| assert_adds(way, "spawned"))));
            }
        }
    });
}

#[test]
fn inside_the_jobs_of_the_global_pool() {
    watched(|| {
        for way in WAYS {
            (0..8).into_par_iter().for_each(|_| assert_adds(way, "global pool"));
            rayon::broadcast(|_| assert_adds(way, "every thread of the global pool"));
        }
    });
}

#[test]
fn inside_the_function_three_deep() {
    fn deep(way: Way, depth: u64) -> u64 {
        let tuner = way.of(Tuner::new("deep", move |item: u64| {
            compute(3);
            if depth == 0 { item } else { item + deep(way, depth - 1) }
        }));
        // One level by a stream, the next by a borrowed call.
        if depth.is_multiple_of(2) { tuner.stream(0..12).sum() } else { tuner.collect::<Vec<_>>(0..12).iter().sum() }
    }
    watched(|| {
        for way in WAYS {
            assert_eq!(deep(way, 2), 66 + 12 * (66 + 12 * 66), "{way:?}");
            for threads in [1, 2] {
                assert_eq!(pool(threads).install(|| deep(way, 2)), 66 + 12 * (66 + 12 * 66), "{way:?}, {threads}");
            }
        }
    });
}

#[test]
fn fifty_at_once_read_in_turn_by_one_thread() {
    watched(|| {
        for threads in [1, 2] {
            for way in WAYS {
                pool(threads).install(|| {
                    let mut streams: Vec<_> = (0..50).map(|_| adding(way).buffer_size(16).stream(0..40)).collect();
                    let mut sums = [0; 50];
                    for _ in 0..40 {
                        for (sum, stream) in sums.iter_mut().zip(&mut streams) {
                            *sum += stream.next().expect("forty results");
                        }
                    }
                    assert_eq!(sums, [820; 50], "{way:?}, {threads} threads");
                    assert!(streams.iter_mut().all(|stream| stream.next().is_none()));
                });
            }
        }
    });
}

#[test]
fn fifty_at_once_each_in_a_job() {
    watched(|| {
        for threads in [1, 2] {
            for way in WAYS {
                let sums: Vec<u64> = pool(threads).install(|| {
                    (0..50).into_par_iter().with_max_len(1).map(|_| adding(way).stream(0..40).sum()).collect()
                });
                assert_eq!(sums, [820; 50], "{way:?}, {threads} threads");
            }
        }
    });
}

#[test]
fn fifty_at_once_each_on_a_thread() {
    watched(|| {
        let sum = |way: Way| move || adding(way).stream(0..40).sum::<u64>();
        let threads: Vec<_> = (0..50).map(|number| thread::spawn(sum(WAYS[number % WAYS.len()]))).collect();
        assert!(threads.into_iter().all(|thread| thread.join().expect("no panic") == 820));
    });
}

#[test]
fn one_stream_out_of_another_and_in_its_source() {
    watched(|| {
        for way in WAYS {
            let chained = adding(way).stream(adding(way).stream(adding(way).stream(0..100)));
            assert!(in_order(way, chained.collect()).into_iter().eq(3..103), "{way:?}");
            let source = (0..30).map(|item| adding(way).collect::<Vec<_>>(0..item).len() as u64);
            assert!(in_order(way, adding(way).stream(source).collect()).into_iter().eq(1..31), "{way:?}");
        }
    });
}

#[test]
fn function_that_uses_the_pool_itself() {
    watched(|| {
        for threads in [1, 2] {
            for way in WAYS {
                let tuner = way.of(Tuner::new("joining", |item: u64| {
                    let (left, right) = rayon::join(|| (0..item).map(|n| n % 7).sum::<u64>(), || compute(5));
                    let () = right;
                    left
                }));
                let expected = || (0..150).map(|item| (0..item).map(|n| n % 7).sum::<u64>());
                let results = pool(threads).install(|| tuner.stream(0..150).collect::<Vec<_>>());
                let mut sorted: Vec<_> = expected().collect();
                sorted.sort_unstable();
                assert_eq!(
                    if way.is_ordered() { results.clone() } else { in_order(way, results) },
                    if way.is_ordered() { expected().collect() } else { sorted },
                    "{way:?}"
                );
            }
        }
    });
}

#[test]
fn a_stream_moves_to_another_thread_half_way() {
    watched(|| {
        for way in WAYS {
            let pool = pool(2);
            let mut stream = adding(way).buffer_size(32).stream(0..300);
            let mut results: Vec<u64> = stream.by_ref().take(50).collect();
            let (mut stream, more) = thread::spawn(move || {
                let more: Vec<u64> = stream.by_ref().take(50).collect();
                (stream, more)
            })
            .join()
            .expect("no panic");
            results.extend(more);
            let (sender, receiver) = mpsc::channel();
            pool.spawn(move || {
                let more: Vec<u64> = stream.by_ref().take(100).collect();
                sender.send((stream, more)).expect("the test still listens");
            });
            let (stream, more) = receiver.recv().expect("the job sends");
            results.extend(more);
            results.extend(stream);
            assert!(in_order(way, results).into_iter().eq(1..301), "{way:?}");
        }
    });
}

/// Compiles only if a stream is `Send` when its source is.
#[test]
fn a_stream_is_send_when_its_source_is() {
    fn assert_send<T: Send>(_: &T) {}
    let stream: Stream<_, _> = adding(Way::Planned).stream(0..3);
    assert_send(&stream);
    assert_send(&adding(Way::Planned).stream(0..3).indexed());
    assert_send(&adding(Way::Planned));
    adding(Way::Planned).scope(0..3, |stream| assert_send(&stream));
}

#[test]
fn a_stream_of_borrowed_items_may_be_read_on_another_thread() {
    watched(|| {
        let numbers: Vec<u64> = (0..300).collect();
        for way in WAYS {
            let add = way.of(Tuner::by_ref("borrowing", |number: &u64| number + 1));
            let results = add.scope(&numbers, |mut stream| {
                let mut results: Vec<u64> = stream.by_ref().take(10).collect();
                let rest = std::thread::scope(|threads| threads.spawn(move || stream.collect::<Vec<_>>()).join());
                results.extend(rest.expect("no panic"));
                results
            });
            assert!(in_order(way, results).into_iter().eq(1..301), "{way:?}");
        }
    });
}

/// Each item waits for all others: so few, and with nothing learned, since those that are handed over in one chunk
/// never meet.
#[test]
fn threads_that_are_asked_for_are_there_from_the_first_item_on() {
    let options: [fn(Rendezvous) -> Rendezvous; 4] = [
        |tuner| tuner.threads(2),
        |tuner| tuner.threads(2).pool(Pool::Cpu),
        |tuner| tuner.threads(2).pool(Pool::Blocking),
        |tuner| tuner.pool(Pool::Blocking),
    ];
    watched(move || {
        for option in options {
            for asks in [true, false] {
                let tuner = |items| option(meeting(items)).ml_prediction(asks).online_learning(false);
                assert_meet(&tuner(2), 0..2);
                // A first pull may take long, as from any source that has just been opened.
                assert_meet(&tuner(2), (0..2).inspect(|_| thread::sleep(Duration::from_millis(1))));
            }
        }
        assert_meet(&meeting(3).threads(3).online_learning(false), 0..3);
    });
}

/// A value of a thread that started with an item and ends with the thread, which it takes its time for.
struct Kept(Arc<AtomicUsize>);

impl Kept {
    fn by(threads: &Arc<AtomicUsize>) -> Self {
        threads.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(threads))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        thread::sleep(Duration::from_millis(50));
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_thread_that_is_started_for_a_borrowed_call_has_ended_with_all_that_it_kept_when_that_returns() {
    thread_local! {
        static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
    }
    watched(|| {
        let (caller, threads) = (thread::current().id(), Arc::new(AtomicUsize::new(0)));
        // The second item is the other thread's: the first one waits for it.
        let all = Barrier::new(2);
        let work = |_: u64| {
            all.wait();
            if thread::current().id() != caller {
                KEPT.with_borrow_mut(|kept| *kept = Some(Kept::by(&threads)));
            }
        };
        assert_eq!(Tuner::new("keeping", work).threads(2).online_learning(false).run(0..2).items_out(), 2);
        assert_eq!(threads.load(Ordering::SeqCst), 0, "threads that go on");
    });
}

fn meeting(items: usize) -> Rendezvous {
    let all = Arc::new(Barrier::new(items));
    let meet: Box<dyn Fn(u64) -> u64 + Send + Sync> = Box::new(move |item| {
        all.wait();
        item
    });
    Tuner::new("meeting", meet)
}

fn assert_meet(tuner: &Rendezvous, items: impl Iterator<Item = u64> + Clone) {
    assert!(tuner.stream(items.clone()).eq(items.clone()));
    assert!(tuner.collect::<Vec<_>>(items.clone()).into_iter().eq(items), "a borrowed call");
}
