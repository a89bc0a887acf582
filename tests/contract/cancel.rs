//! Dropping a stream, or stopping early, cancels: what waits is dropped, what runs stops at the next item.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use amorsize::Tuner;

use crate::support::{Census, Counted, WAYS, Way, compute, wait_for_release, watched};

/// Counts its calls; what it captured tells when nobody holds it any more.
fn held(
    way: Way,
    calls: &Arc<AtomicUsize>,
) -> (Tuner<amorsize::ByValue<impl Fn(Counted) -> u64 + Send + Sync + 'static>>, mpsc::Receiver<()>) {
    let (holder, held) = mpsc::channel::<()>();
    let calls = Arc::clone(calls);
    let tuner = way.of(Tuner::new("held", move |item: Counted| {
        let _captured = &holder;
        calls.fetch_add(1, Ordering::SeqCst);
        compute(5);
        item.number
    }));
    (tuner, held)
}

#[test]
fn after_any_number_of_results() {
    watched(|| {
        for way in WAYS {
            for taken in [0, 1, 2, 57, 300] {
                let (calls, census) = (Arc::default(), Census::default());
                let (tuner, held) = held(way, &calls);
                let items = census.clone();
                let mut stream = tuner.buffer_size(64).stream((0..1_000).map(move |number| items.value(number)));
                assert_eq!(stream.by_ref().take(taken).count(), taken);
                drop(stream);
                wait_for_release(&held);
                let calls = calls.load(Ordering::SeqCst);
                assert!((taken..=taken + 64).contains(&calls), "{way:?}: {calls} calls for {taken} results");
                assert!(census.born() <= taken + 64, "{way:?}: {} items pulled", census.born());
                assert_eq!(census.died(), census.born(), "{way:?}: every item that was pulled is gone");
            }
        }
    });
}

#[test]
fn a_stream_that_is_never_asked_pulls_and_calls_nothing() {
    for way in WAYS {
        let (calls, census) = (Arc::default(), Census::default());
        let (tuner, held) = held(way, &calls);
        let items = census.clone();
        drop(tuner.stream((0..1_000).map(move |number| items.value(number))));
        drop(tuner);
        wait_for_release(&held);
        assert_eq!((calls.load(Ordering::SeqCst), census.born()), (0, 0), "{way:?}");
    }
}

/// A source may take long to go, and threads would run items for nobody meanwhile.
#[test]
fn what_waits_is_dropped_before_the_source() {
    struct Source(Census, Arc<AtomicUsize>);

    impl Iterator for Source {
        type Item = Counted;

        fn next(&mut self) -> Option<Counted> {
            Some(self.0.value(0))
        }
    }

    impl Drop for Source {
        fn drop(&mut self) {
            self.1.store(self.0.born() - self.0.died(), Ordering::SeqCst);
        }
    }

    watched(|| {
        let consumer = thread::current().id();
        let (started, starts) = mpsc::channel();
        let (gate, opened) = mpsc::channel::<()>();
        let opened = Mutex::new(opened);
        let (census, left) = (Census::default(), Arc::default());
        let tuner = Way::Unordered.of(Tuner::new("gated", move |_item: Counted| {
            if thread::current().id() != consumer {
                started.send(()).expect("the test still listens");
                let _ = opened.lock().expect("nobody panics").recv();
            }
        }));
        let mut stream = tuner.chunk_size(1).buffer_size(16).stream(Source(census.clone(), Arc::clone(&left)));
        while starts.try_recv().is_err() {
            assert!(stream.next().is_some());
        }
        assert!(census.born() - census.died() > 1, "nothing waits");
        drop(stream);
        assert_eq!(left.load(Ordering::SeqCst), 1, "the one that runs");
        drop(gate);
    });
}

/// Another thread is in the middle of a chunk of a hundred when the stream is dropped: it finishes its item, no more.
#[test]
fn a_running_chunk_stops_at_the_next_item() {
    watched(|| {
        let consumer = thread::current().id();
        let (started, starts) = mpsc::channel();
        let (gate, opened) = mpsc::channel::<()>();
        let opened = Mutex::new(opened);
        let (elsewhere, census) = (Arc::new(AtomicUsize::new(0)), Census::default());
        let count = Arc::clone(&elsewhere);
        let tuner = Way::Unordered.of(Tuner::new("gated", move |item: Counted| {
            if thread::current().id() != consumer {
                count.fetch_add(1, Ordering::SeqCst);
                started.send(()).expect("the test still listens");
                let _ = opened.lock().expect("nobody panics").recv();
            }
            drop(item);
        }));
        let items = census.clone();
        let tuner = tuner.chunk_size(100).buffer_size(1_000);
        let mut stream = tuner.stream((0..).map(move |number| items.value(number)));
        drop(tuner);
        while starts.try_recv().is_err() {
            assert!(stream.next().is_some());
        }
        drop(stream);
        drop(gate);
        wait_for_release(&starts);
        assert_eq!(elsewhere.load(Ordering::SeqCst), 1, "calls on the other thread");
        assert_eq!(census.died(), census.born(), "the rest of the chunk is dropped");
    });
}

#[test]
fn a_collected_error_stops_the_stream() {
    watched(|| {
        for way in WAYS {
            let (calls, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
            let (counter, is_over) = (Arc::clone(&calls), Arc::clone(&over));
            let tuner = way.of(Tuner::new("failing", move |item: u64| {
                assert!(!is_over.load(Ordering::SeqCst), "called after the end");
                counter.fetch_add(1, Ordering::SeqCst);
                compute(2);
                if item == 100 { Err(item) } else { Ok(item) }
            }));
            let tuner = tuner.buffer_size(50);
            let endless: Result<Vec<u64>, u64> = tuner.collect(0..);
            over.store(true, Ordering::SeqCst);
            assert_eq!(endless, Err(100), "{way:?}");
            let calls = calls.load(Ordering::SeqCst);
            if way.is_ordered() {
                assert!((101..=100 + 50).contains(&calls), "{way:?}: {calls} calls");
            }
            assert_eq!(Way::Ordered.of(Tuner::new("after", |item: u64| item)).stream(0..100).count(), 100);
        }
    });
}

#[test]
fn a_collected_option_and_a_short_circuit_stop_it_too() {
    watched(|| {
        for way in WAYS {
            let tuner = way.of(Tuner::new("none", |item: u64| (item != 70).then_some(item)));
            assert_eq!(tuner.collect::<Option<Vec<_>>>(0..), None, "{way:?}");
            assert!(tuner.stream(0..).any(|result| result.is_none()), "{way:?}");
            assert_eq!(tuner.scope(0.., |mut stream| stream.find(Option::is_none)), Some(None), "{way:?}");
        }
    });
}
