//! A stream that is kept and not read holds no thread: the pool does other work meanwhile.

use std::sync::{Arc, Barrier};

use amorsize::Tuner;
use rayon::ThreadPoolBuilder;

use crate::support::{Way, compute, in_order, watched};

const WAYS: [Way; 6] = [Way::Planned, Way::Ordered, Way::Unordered, Way::Crowd, Way::UnorderedCrowd, Way::Single];

fn slow(way: Way) -> Tuner<amorsize::ByValue<impl Fn(u64) -> u64 + Send + Sync + 'static>> {
    way.of(Tuner::new("slow", |item: u64| {
        compute(20);
        item
    }))
}

/// All threads of the pool meet at a barrier while a stream, whose chunks were handed to them, is half-read.
#[test]
fn every_thread_of_a_pool_is_free_while_results_wait() {
    watched(|| {
        for threads in [1, 2, 3] {
            for way in WAYS {
                let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("a small pool");
                let (stream, read) = pool.install(|| {
                    let mut stream = slow(way).buffer_size(64).chunk_size(4).stream(0..300);
                    let read: Vec<u64> = stream.by_ref().take(21).collect();
                    (stream, read)
                });
                let barrier = Arc::new(Barrier::new(threads));
                pool.broadcast(|_| barrier.wait());
                assert!(in_order(way, read.into_iter().chain(stream).collect()).into_iter().eq(0..300), "{way:?}");
            }
        }
    });
}

#[test]
fn all_threads_of_the_global_pool_are_free_while_streams_wait() {
    watched(|| {
        let mut streams: Vec<_> = (0..12).map(|number| slow(WAYS[number % WAYS.len()]).stream(0..200)).collect();
        for stream in &mut streams {
            assert!(stream.next().is_some());
        }
        let barrier = Barrier::new(rayon::current_num_threads());
        rayon::broadcast(|_| barrier.wait());
        let rest: usize = streams.into_iter().map(Iterator::count).sum();
        assert_eq!(rest, 12 * 199);
    });
}
