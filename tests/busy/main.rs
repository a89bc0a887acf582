//! Calls with borrowed items while every thread of their pool is busy with something else, and stays so until they have
//! returned: they do without. One test, because the pools are the whole process's.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use amorsize::{ByValue, Pool, Tuner};

/// What takes longer waits for the pool.
const HANGS: Duration = Duration::from_secs(60);

/// For 50 ms in all, which is long enough for threads.
const ITEMS: u64 = 1_000;

fn square(item: u64) -> u64 {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_micros(50) {
        std::hint::spin_loop();
    }
    item * item
}

fn squares() -> Vec<u64> {
    (0..ITEMS).map(|item| item * item).collect()
}

type Squaring = Tuner<ByValue<fn(u64) -> u64>>;

/// Keeps nothing, so that each call is the function's first.
fn squaring() -> Squaring {
    Tuner::new("square", square as fn(u64) -> u64).online_learning(false).ml_prediction(false)
}

#[test]
fn borrowed_calls_do_not_wait_for_a_busy_pool() {
    let (returned, waits) = mpsc::channel();
    let calls = thread::spawn(move || {
        // It was idle once.
        assert_eq!(squaring().collect::<Vec<_>>(0..ITEMS), squares());
        let busy = global_pool();
        every_call(&squaring());
        // Sure from the start that threads pay.
        every_call(&squaring().estimated_item_time(Duration::from_micros(50)));
        busy.end();
        let busy = pool_of_two();
        every_call(&squaring().threads(2));
        every_call(&squaring().threads(2).pool(Pool::Cpu).chunk_size(10));
        busy.end();
        every_call(&squaring().threads(2));
        drop(returned);
    });
    let end = waits.recv_timeout(HANGS);
    assert_ne!(end, Err::<(), _>(RecvTimeoutError::Timeout), "a call waits for threads that wait for its end");
    calls.join().expect("all results are right");
}

fn every_call(square: &Squaring) {
    assert_eq!(square.collect::<Vec<_>>(0..ITEMS), squares());
    // Nobody knows how many.
    let some = (0..ITEMS).filter(|item| item % 3 > 0);
    assert_eq!(square.scope(some, |stream| stream.count()), 666);
    let mut sum = 0;
    square.for_each(0..ITEMS, |square| sum += square);
    assert_eq!(sum, squares().into_iter().sum());
    assert_eq!(square.run(0..ITEMS).items_out(), ITEMS);
}

/// Threads that wait until they are told to end.
struct Busy {
    ends: Sender<()>,
    streams: Vec<JoinHandle<()>>,
}

impl Busy {
    fn end(self) {
        drop(self.ends);
        self.streams.into_iter().for_each(|stream| stream.join().expect("it waits for nothing else"));
    }
}

/// Waits for the sender's end.
fn wait(end: &Mutex<Receiver<()>>) {
    end.lock().expect("nobody panics").recv().expect_err("nothing is sent");
}

/// Has all threads of rayon's global pool wait.
fn global_pool() -> Busy {
    let (ends, end) = mpsc::channel();
    let end = Arc::new(Mutex::new(end));
    let begun = Arc::new(Barrier::new(rayon::current_num_threads() + 1));
    for _ in 0..rayon::current_num_threads() {
        let (end, begun) = (Arc::clone(&end), Arc::clone(&begun));
        rayon::spawn(move || {
            begun.wait();
            wait(&end);
        });
    }
    begun.wait();
    Busy { ends, streams: Vec::new() }
}

/// Has streams keep both threads of the pool that is there for all who state two. (Each may run items where it is
/// read.)
fn pool_of_two() -> Busy {
    let (ends, end) = mpsc::channel();
    let end = Arc::new(Mutex::new(end));
    let (begins, begun) = mpsc::channel();
    let read = || {
        let (end, begins) = (Arc::clone(&end), begins.clone());
        let waits = Tuner::new("waits", move |_: u64| {
            // Nobody asks any more once both are there.
            let _ = begins.send(thread::current().name().map(str::to_owned));
            wait(&end);
        });
        let waits = waits.threads(2).pool(Pool::Cpu).chunk_size(1).online_learning(false).ml_prediction(false);
        thread::spawn(move || waits.stream(0..2).for_each(|()| ()))
    };
    let streams = vec![read(), read()];
    let mut names = BTreeSet::new();
    while names.len() < 2 {
        let name = begun.recv().expect("streams hold a sender").unwrap_or_default();
        names.extend(Some(name).filter(|name| name.starts_with("amorsize-cpu")));
    }
    Busy { ends, streams }
}
