//! Items, results and functions that borrow: nothing of theirs runs when the call has returned.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use amorsize::Tuner;

use crate::support::{WAYS, boom, caught, compute, in_order, watched};

fn text() -> Vec<String> {
    (0..300).map(|number| format!("line {number} of the text")).collect()
}

#[test]
fn borrowed_items_in_every_call() {
    watched(|| {
        let text = text();
        let lengths: Vec<usize> = text.iter().map(String::len).collect();
        for way in WAYS {
            let length = way.of(Tuner::by_ref("length", |line: &str| line.len()));
            let sorted = |lengths: Vec<usize>| in_order(way, lengths);
            let lines = || text.iter().map(String::as_str);
            assert_eq!(sorted(length.collect(lines())), sorted(lengths.clone()), "{way:?}");
            assert_eq!(sorted(length.stream(text.clone()).collect()), sorted(lengths.clone()), "{way:?}, owned");
            assert_eq!(length.scope(lines(), |stream| stream.sum::<usize>()), lengths.iter().sum(), "{way:?}");
            let mut sum = 0;
            length.for_each(lines(), |length| sum += length);
            assert_eq!(sum, lengths.iter().sum::<usize>(), "{way:?}");
            assert_eq!(length.run(lines()).items_out(), 300, "{way:?}");
        }
    });
}

#[test]
fn borrowed_results_and_a_borrowing_function() {
    watched(|| {
        let text = text();
        let calls = AtomicUsize::new(0);
        for way in WAYS {
            calls.store(0, Ordering::Relaxed);
            let words = way.of(Tuner::new("words", |line: &String| {
                calls.fetch_add(1, Ordering::Relaxed);
                compute(3);
                line.len()
            }));
            assert_eq!(words.collect::<Vec<_>>(&text).len(), 300, "{way:?}");
            assert_eq!(calls.load(Ordering::Relaxed), 300, "{way:?}");
            let trimmed = way.of(Tuner::new("trimmed", |line: &'static str| line.trim()));
            let results: Vec<&str> = trimmed.collect([" a", "b "]);
            assert_eq!(in_order(way, results), ["a", "b"]);
        }
    });
}

#[test]
fn items_may_be_borrowed_mutably() {
    watched(|| {
        for way in WAYS {
            let mut numbers: Vec<u64> = (0..300).collect();
            let _ = way.of(Tuner::new("double", |number: &mut u64| *number *= 2)).run(&mut numbers);
            assert!(numbers.into_iter().eq((0..300).map(|number| number * 2)), "{way:?}");
        }
    });
}

/// The borrowed counter would be read after its end if anything ran on.
#[test]
fn nothing_runs_after_the_call_however_it_ends() {
    watched(|| {
        for way in WAYS {
            let counter = AtomicUsize::new(0);
            let returned = Cell::new(0);
            let counted = way.of(Tuner::new("counted", |item: u64| {
                compute(5);
                counter.fetch_add(1, Ordering::SeqCst);
                item
            }));
            let counted = counted.buffer_size(64);
            let check = |how: &str| {
                let now = counter.load(Ordering::SeqCst);
                rayon::join(|| compute(30), || compute(30));
                assert_eq!(counter.load(Ordering::SeqCst), now, "{way:?}, {how}");
                returned.set(returned.get() + 1);
            };
            counted.scope(0..1_000, |mut stream| stream.next());
            check("half-read and dropped");
            counted.scope(0..1_000, |mut stream| {
                assert_eq!(stream.by_ref().take(100).count(), 100);
                std::mem::forget(stream);
            });
            check("half-read and leaked");
            counted.scope(0..1_000, |stream| std::mem::forget(stream));
            check("leaked unread");
            caught(|| {
                counted.scope(0..1_000, |mut stream| {
                    stream.next();
                    boom(0);
                });
            });
            check("a panic of the body");
            caught(|| {
                counted.scope(0..1_000, |mut stream| {
                    stream.next();
                    let leaked = std::mem::ManuallyDrop::new(stream);
                    let _ = &leaked;
                    boom(0);
                });
            });
            check("a panic of the body with the stream leaked");
            assert_eq!(returned.get(), 5);
        }
    });
}

#[test]
fn a_scope_returns_what_its_body_returns() {
    watched(|| {
        let text = text();
        for way in WAYS {
            let first = way.of(Tuner::new("first", |line: &String| line.clone()));
            let (head, rest) = first.scope(&text, |mut stream| (stream.next(), stream.count()));
            assert!(head.is_some(), "{way:?}");
            assert_eq!(rest, 299, "{way:?}");
        }
    });
}

#[test]
fn scopes_within_scopes() {
    watched(|| {
        let text = text();
        for way in WAYS {
            let length = way.of(Tuner::by_ref("length", |line: &str| line.len()));
            let counting = way.of(Tuner::new("inner", |lines: &[String]| {
                length.collect::<Vec<_>>(lines.iter().map(String::as_str)).len()
            }));
            let count = counting.scope(text.chunks(30), |outer| {
                outer.map(|lines| lines + length.scope(text.clone(), |lines| lines.count())).sum::<usize>()
            });
            assert_eq!(count, 300 + 10 * 300, "{way:?}");
            assert_eq!(
                rayon::join(|| length.run(text.clone()).items_out(), || length.run(text.clone()).items_out()),
                (300, 300)
            );
        }
    });
}
