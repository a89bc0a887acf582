//! Which threads the process has: none are started for a plain loop or a second time, and all sleep while a stream is
//! left alone. One test, because the count is the whole process's.
#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use amorsize::{ByValue, Pool, Tuner, pool};

/// What a thread of this process does, and how long it has used the processor, by its number.
fn threads() -> BTreeMap<String, (char, u64)> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux has it");
    let names = tasks.map(|task| task.expect("an entry").file_name().into_string().expect("a number"));
    // One that ends meanwhile has no files.
    names.filter_map(|number| look(&number).map(|seen| (number, seen))).collect()
}

fn look(number: &str) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/self/task/{number}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let state = stat.rsplit_once(") ")?.1.chars().next()?;
    let used = fs::read_to_string(format!("/proc/self/task/{number}/schedstat")).ok()?;
    Some((state, used.split(' ').next()?.parse().ok()?))
}

/// The threads other than this one.
fn others() -> BTreeMap<String, (char, u64)> {
    let this = fs::read_link("/proc/thread-self").expect("Linux has it");
    let this = this.file_name().expect("a number").to_str().expect("digits").to_owned();
    threads().into_iter().filter(|(number, _)| *number != this).collect()
}

fn compute(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn adding() -> Tuner<ByValue<impl Fn(u64) -> u64 + Send + Sync + 'static>> {
    let function = |item: u64| {
        compute(Duration::from_micros(20));
        item + 1
    };
    Tuner::new("adding", function).online_learning(false).ml_prediction(false)
}

#[test]
fn of_this_process() {
    a_plain_loop_starts_none();
    every_stream_uses_the_same();
    all_sleep_while_a_stream_is_left_alone();
    pools_end_while_a_stream_is_left_alone();
    a_pool_ends_from_within();
}

fn a_plain_loop_starts_none() {
    let before = threads().len();
    let most = Cell::new(0);
    let look = |_: u64| most.set(most.get().max(threads().len()));
    for tuner in [adding().threads(1), adding().pool(Pool::Serial), adding().buffer_size(1)] {
        tuner.stream(0..20).for_each(look);
        tuner.for_each(0..20, look);
        tuner.scope(0..20, |stream| stream.for_each(look));
        assert_eq!(tuner.collect::<Vec<_>>(0..20).len(), 20);
        assert_eq!(tuner.run(0..20).items_out(), 20);
    }
    // Too little to share, whatever is planned.
    adding().stream(0..1).for_each(look);
    adding().for_each(0..0, look);
    drop(adding().threads(2).stream(0..20));
    adding().threads(2).scope(0..20, |stream| drop(stream));
    assert_eq!((most.get(), threads().len()), (before, before));
}

fn every_stream_uses_the_same() {
    let run = || {
        assert_eq!(adding().threads(2).stream(0..200).count(), 200);
        assert_eq!(adding().stream(0..200).count(), 200);
    };
    run();
    let first: Vec<String> = threads().into_keys().collect();
    for _ in 0..20 {
        run();
        let nested = Tuner::new("nested", |item: u64| adding().threads(2).stream(0..item).count());
        // It waits for the inner stream, and might be taken for a function that waits.
        let nested = nested.pool(Pool::Cpu).online_learning(false).ml_prediction(false);
        assert_eq!(nested.threads(2).stream([5; 20]).sum::<usize>(), 100);
        let now: Vec<String> = threads().into_keys().collect();
        assert_eq!(now, first, "another stream, another thread");
    }
}

fn all_sleep_while_a_stream_is_left_alone() {
    for ordered in [true, false] {
        let mut streams = [
            adding().threads(2).ordered(ordered).stream(0..300),
            adding().ordered(ordered).stream(0..300),
            adding().threads(4).ordered(ordered).buffer_size(100).stream(0..300),
        ];
        for stream in &mut streams {
            assert!(stream.next().is_some());
        }
        let hangs = Instant::now() + Duration::from_secs(30);
        let asleep = loop {
            let others = others();
            if others.values().all(|(state, _)| *state == 'S') {
                break others;
            }
            assert!(Instant::now() < hangs, "never quiet: {others:?}");
            std::thread::yield_now();
        };
        compute(Duration::from_millis(30));
        let still = others();
        let used = |threads: BTreeMap<String, (char, u64)>| threads.into_values().map(|(_, used)| used).sum::<u64>();
        let (before, after) = (used(asleep), used(still));
        // A worker may be seen asleep for a moment between two of its chunks, but not for long.
        assert!(after - before < 10_000_000, "{} ns used while nobody read", after - before);
        assert_eq!(streams.into_iter().map(Iterator::count).sum::<usize>(), 3 * 299);
    }
}

/// Threads of dedicated pools.
fn dedicated() -> usize {
    let name = |number: &String| fs::read_to_string(format!("/proc/self/task/{number}/comm")).ok();
    let is_ours = |name: &String| name.starts_with("amorsize-cpu") || name.starts_with("amorsize-block");
    threads().keys().filter_map(name).filter(is_ours).count()
}

fn wait_for_none() {
    let hangs = Instant::now() + Duration::from_secs(30);
    while dedicated() > 0 {
        assert!(Instant::now() < hangs, "{} threads are left", dedicated());
        std::thread::yield_now();
    }
}

fn pools_end_while_a_stream_is_left_alone() {
    for (pool, threads, pool_threads) in [(Pool::Cpu, 7, 7), (Pool::Blocking, 20, 16)] {
        let mut stream = adding().pool(pool).threads(threads).buffer_size(100).stream(0..600);
        assert_eq!(stream.by_ref().take(200).last(), Some(200));
        assert!(pool::stats().threads() >= pool_threads, "{}", pool::stats());
        pool::shutdown();
        assert_eq!(pool::stats().to_string(), "no dedicated pools");
        wait_for_none();
        assert_eq!(stream.by_ref().take(200).last(), Some(400));
        assert!(pool::stats().pools().iter().any(|new| new.kind() == pool), "it got another one");
        assert_eq!(stream.last(), Some(600));
    }
    pool::shutdown();
    wait_for_none();
}

fn a_pool_ends_from_within() {
    let function = |item: u64| {
        pool::shutdown();
        item
    };
    let tuner = Tuner::new("ending", function).online_learning(false).ml_prediction(false);
    assert!(tuner.threads(3).stream(0..300).eq(0..300));
    pool::shutdown();
    wait_for_none();
}
