//! What a source may be, and when it is used: lazily, on the consumer's thread, never after its end, and never
//! believed when its `size_hint` lies.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use amorsize::{Pool, Tuner};
use rayon::ThreadPoolBuilder;

use crate::support::{Meter, WAYS, Way, compute, wait_for, watched};

fn tripling(way: Way) -> Tuner<amorsize::ByValue<impl Fn(u64) -> u64 + Send + Sync + 'static>> {
    way.of(Tuner::new("tripling", |item: u64| {
        compute(2);
        item * 3
    }))
}

/// A source that says what it likes about its length.
struct Liar<S> {
    source: S,
    claim: (usize, Option<usize>),
}

impl<S: Iterator> Iterator for Liar<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        self.source.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.claim
    }
}

/// A source that must not be asked again after its end.
struct Brittle {
    left: u64,
    ended: Rc<Cell<bool>>,
}

impl Iterator for Brittle {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        assert!(!self.ended.get(), "asked again after the end");
        self.ended.set(self.left == 0);
        self.left = self.left.checked_sub(1)?;
        Some(self.left)
    }
}

#[test]
fn nothing_is_taken_before_the_first_result_or_plan_is_asked_for() {
    for way in WAYS {
        let meter = Rc::new(Meter::default());
        let mut stream = tripling(way).stream(meter.source(0..100));
        let _ = (stream.size_hint(), stream.report(), format!("{stream:?}"));
        let indexed = tripling(way).stream(meter.source(0..100)).indexed();
        drop(indexed);
        assert_eq!(meter.taken(), 0, "{way:?}");
        let _ = stream.plan();
        let planned = meter.taken();
        assert_eq!(stream.report().items_in(), planned as u64, "{way:?}");
        tripling(way).scope(meter.source(0..100), |stream| drop(stream));
        assert_eq!(meter.taken(), planned, "{way:?}");
    }
}

#[test]
fn a_source_is_only_used_by_the_consumers_thread_and_may_borrow() {
    watched(|| {
        let consumer = std::thread::current().id();
        let words = vec![String::from("a"); 300];
        for way in WAYS {
            // `Rc` makes it not `Send`, the reference to `words` not `'static`.
            let pulls = Rc::new(Cell::new(0));
            let source = words.iter().map(|word| {
                assert_eq!(std::thread::current().id(), consumer);
                pulls.set(pulls.get() + 1);
                word.len() as u64
            });
            assert_eq!(tripling(way).stream(source).sum::<u64>(), 900, "{way:?}");
            assert_eq!(pulls.get(), 300);
        }
    });
}

#[test]
fn empty_sources_and_single_items() {
    watched(|| {
        for way in WAYS {
            let tuner = tripling(way);
            assert_eq!(tuner.stream(0..0).next(), None);
            assert_eq!(tuner.stream(std::iter::empty()).indexed().next(), None);
            assert_eq!(tuner.collect::<Vec<_>>(0..0), []);
            assert_eq!(tuner.run(0..0).items_out(), 0);
            assert_eq!(tuner.stream(7..8).collect::<Vec<_>>(), [21]);
            let mut planned = tuner.stream(0..0);
            assert!(planned.plan().threads() >= 1);
            assert_eq!(planned.next(), None);
        }
    });
}

#[test]
fn an_infinite_source_is_read_as_far_as_it_is_asked_for() {
    watched(|| {
        for way in WAYS.into_iter().filter(|way| way.is_ordered()) {
            let endless = tripling(way).buffer_size(50).stream(0_u64..);
            assert!(endless.take(500).eq((0..500).map(|item| item * 3)), "{way:?}");
        }
    });
}

/// `repeat` promises `usize::MAX` items; the plain loop, which a slow consumer asks for, looks at that promise again
/// and again.
#[test]
fn an_endless_source_of_cheap_items() {
    watched(|| {
        for way in WAYS {
            let cheap = way.of(Tuner::new("cheap", |item: u64| item + 1));
            assert_eq!(cheap.stream(std::iter::repeat(1)).take(100_000).sum::<u64>(), 200_000, "{way:?}");
            let slowly = cheap.stream(std::iter::repeat(1)).take(5_000).inspect(|_| compute(1));
            assert_eq!(slowly.sum::<u64>(), 10_000, "{way:?}");
        }
    });
}

#[test]
fn a_size_hint_that_lies_changes_no_result() {
    watched(|| {
        let max = usize::MAX;
        let claims = [
            (0, Some(0)),
            (0, None),
            (10, Some(10)),
            (1_000_000, Some(1_000_000)),
            (1_000, Some(3)),
            (max, None),
            (max, Some(max)),
            (0, Some(max)),
            (max, Some(0)),
        ];
        for way in WAYS {
            for claim in claims {
                let liar = || Liar { source: 0..300, claim };
                let mut stream = tripling(way).stream(liar());
                let _ = stream.size_hint();
                let mut sum = 0;
                while let Some(result) = stream.next() {
                    sum += result;
                    let _ = (stream.size_hint(), stream.report());
                }
                assert_eq!(sum, 3 * 299 * 150, "{way:?}, {claim:?}");
                assert_eq!(tripling(way).run(liar()).items_out(), 300, "{way:?}, {claim:?}");
            }
        }
    });
}

#[test]
fn a_stream_is_fused_over_a_source_that_is_not() {
    watched(|| {
        for way in WAYS {
            for items in [0, 1, 4, 300] {
                let ended = Rc::new(Cell::new(false));
                let mut stream = tripling(way).stream(Brittle { left: items, ended: Rc::clone(&ended) });
                assert_eq!(stream.by_ref().count() as u64, items);
                assert!(ended.get());
                for _ in 0..3 {
                    assert_eq!(stream.next(), None, "{way:?}");
                    assert_eq!(stream.size_hint(), (0, Some(0)), "{way:?}");
                }
                let internal = Brittle { left: items, ended: Rc::default() };
                assert_eq!(tripling(way).run(internal).items_out(), items);
            }
        }
    });
}

#[test]
fn the_length_of_an_exact_source_is_exact_at_every_moment() {
    watched(|| {
        for way in WAYS {
            for planned in [false, true] {
                let mut stream = tripling(way).stream(vec![1_u64; 300]);
                if planned {
                    let _ = stream.plan();
                }
                for left in (0..=300).rev() {
                    assert_eq!((stream.len(), stream.size_hint()), (left, (left, Some(left))), "{way:?}");
                    assert_eq!(stream.next().is_some(), left > 0);
                }
            }
        }
    });
}

#[test]
fn the_length_is_exact_where_it_is_unknown_at_first() {
    watched(|| {
        for way in WAYS {
            let mut stream = tripling(way).stream((0..300).filter(|item| item % 2 == 0));
            let mut left = 150;
            loop {
                let (lower, upper) = stream.size_hint();
                assert!(
                    lower <= left && upper.is_none_or(|upper| upper >= left),
                    "{way:?}: {left} of {lower}..{upper:?}"
                );
                if stream.next().is_none() {
                    break;
                }
                left -= 1;
            }
            assert_eq!(left, 0);
        }
    });
}

/// Pulling for all threads at once would keep the first result for as long as that takes.
#[test]
fn a_slow_source_does_not_keep_finished_results() {
    watched(|| {
        for way in [Way::Ordered, Way::Crowd, Way::UnorderedCrowd, Way::Single] {
            let meter = Rc::new(Meter::default());
            let slow = meter.source(0..100).inspect(|_| thread::sleep(Duration::from_millis(1)));
            let out = tripling(way).chunk_size(1).stream(slow).map(|_| {
                meter.count();
                meter.out()
            });
            let mut out: Vec<_> = out.collect();
            out.sort_unstable();
            assert!(out[out.len() / 2] <= 8, "{way:?}: {out:?} items were out beside the result");
        }
    });
}

/// A source that takes its time is asked for one item before there is a result, while that is not yet known of the
/// function.
#[test]
fn first_results_do_not_wait_for_others_of_a_slow_source() {
    let pulls = Cell::new(0);
    let source = (0..8).inspect(|_| {
        pulls.set(pulls.get() + 1);
        thread::sleep(Duration::from_millis(2));
    });
    let slowly = Tuner::new("slowly", |item: u64| item + 1).ml_prediction(false).online_learning(false);
    let mut stream = slowly.stream(source);
    for number in 1..=8 {
        assert_eq!(stream.next(), Some(number));
        assert_eq!(pulls.get(), number, "items pulled for so many results");
    }
}

/// A channel may have nothing more for a minute, and its first job is to be done meanwhile, also where threads could
/// have some of what follows.
#[test]
fn the_first_item_of_a_channel_is_run_before_there_is_another_one() {
    let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("a pool");
    for _ in 0..4 {
        let (sender, receiver) = mpsc::channel();
        let (ran, runs) = mpsc::channel();
        let work = Tuner::new("of-a-channel", move |job: u64| ran.send(job));
        let work = work.ml_prediction(false).online_learning(false);
        let (out, results) = mpsc::channel();
        pool.spawn(move || out.send(work.stream(receiver).count()).expect("somebody waits"));
        sender.send(1).expect("somebody receives");
        assert_eq!(wait_for(&runs), 1);
        drop(sender);
        assert_eq!(wait_for(&results), 1);
    }
}

/// Who has only a slow source to wait for runs what nobody else begins with, before every thread of many that are busy
/// has its share.
#[test]
fn results_of_a_slow_source_do_not_wait_for_threads_that_are_busy_elsewhere() {
    const THREADS: usize = 16;
    watched(|| {
        let pool = ThreadPoolBuilder::new().num_threads(THREADS).build().expect("a pool");
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        pool.install(|| {
            let begun = Arc::new(Barrier::new(THREADS));
            for _ in 1..THREADS {
                let (begun, released) = (Arc::clone(&begun), Arc::clone(&released));
                rayon::spawn(move || {
                    begun.wait();
                    let _ = released.lock().map(|released| released.recv());
                });
            }
            begun.wait();
            let pulled = Rc::new(Cell::new(0));
            let counter = Rc::clone(&pulled);
            let source = (0..40u64).inspect(move |_| {
                thread::sleep(Duration::from_millis(2));
                counter.set(counter.get() + 1);
            });
            let tuner = Tuner::new("beside-a-slow-source", |item: u64| item + 1).pool(Pool::Cpu);
            let ahead = tuner.stream(source).enumerate().map(|(yielded, _)| pulled.get() - yielded);
            let most = ahead.max().expect("results");
            assert!(most <= 4, "{most} items were pulled, of which nobody ran one");
            drop(release);
        });
    });
}
