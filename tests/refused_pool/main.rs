//! Where the program was refused rayon's global pool, and went on. One test in a process of its own, since that is so
//! for as long as the process lives.

use std::io;
use std::time::Duration;

use amorsize::Tuner;
use rayon::ThreadPoolBuilder;

#[test]
fn streams_have_threads_of_our_own_where_rayon_was_refused_its_pool() {
    let refused = ThreadPoolBuilder::new().spawn_handler(|_| Err(io::Error::other("no more threads"))).build_global();
    assert!(refused.is_err());
    let tuner = Tuner::new("refused", |n: u64| n + 1).estimated_item_time(Duration::from_micros(100));
    let tuner = tuner.online_learning(false).ml_prediction(false);
    for _ in 0..2 {
        assert_eq!(tuner.stream(0..500).sum::<u64>(), 125_250);
        assert_eq!(tuner.collect::<Vec<_>>(0..500).len(), 500);
        assert_eq!(tuner.run(0..500).items_out(), 500);
    }
}
