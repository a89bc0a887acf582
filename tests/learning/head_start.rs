//! The first items of a function that nothing is known of run beside a thread, if one can be had; all others' run alone.

use std::cell::Cell;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use amorsize::{ByValue, Outcome, Pool, Tuner};

use crate::children::Home;

/// The longest that an event may take.
const HANGS: Duration = Duration::from_secs(10);
const ITEMS: u64 = 50;
/// Processes that try: one that is interrupted while it takes its first item from the source takes it for a slow one.
const ATTEMPTS: usize = 5;

pub(crate) fn a_long_first_item_delays_nobody() {
    assert!((0..ATTEMPTS).any(|_| begin("meet", "2") == "met"));
}

pub(crate) fn only_the_first_items_of_new_functions_are_pulled_ahead() {
    let pulled = |how, cores| -> usize { begin(how, cores).parse().expect("a number") };
    let most = |how| (0..ATTEMPTS).map(|_| pulled(how, "2")).max();
    assert_eq!(most("new"), Some(4));
    assert_eq!(most("threads before"), Some(4));
    assert_eq!(most("new, with a small buffer"), Some(2));
    assert_eq!(most("new, and stays so"), Some(1));
    assert_eq!(most("a plain loop before"), Some(1));
    assert_eq!(pulled("new", "1"), 1);
}

pub(crate) fn a_plain_loop_does_not_wait_for_a_busy_pool() {
    assert_eq!(begin("on a busy pool", "2"), "done before");
}

/// What a process says that begins in such a way with so many cores.
fn begin(how: &str, cores: &str) -> String {
    let home = Home::new();
    let played = Home::played(home.command("head start", how).env("AMORSIZE_THREADS", cores));
    assert!(played.ok, "{how}: {}", played.stderr);
    played.stdout.trim().to_owned()
}

/// The child's part, on the thread of a pool that runs already.
pub(crate) fn play(how: &str) {
    if how == "on a busy pool" {
        return collect_on_a_busy_pool();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| if how == "meet" { meet() } else { println!("{}", pulled_before_the_first_result(how)) });
}

/// The first item ends once the second one has begun.
fn meet() {
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let function = move |item: u64| match item {
        0 => receiver.lock().unwrap().recv_timeout(HANGS).is_ok(),
        1 => sender.send(()).is_ok(),
        _ => true,
    };
    let results: Vec<bool> = Tuner::new("meeting", function).stream(0..ITEMS).collect();
    assert_eq!(results.len(), ITEMS as usize);
    println!("{}", if results[0] { "met" } else { "alone" });
}

/// All threads of rayon's pool, which runs already, wait for what this one does after it has used a cheap function.
fn collect_on_a_busy_pool() {
    let dear = |item: u64| {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(1) {}
        item
    };
    let _: Vec<u64> = Tuner::new("dear", dear).pool(Pool::Cpu).collect(0..20);
    let (sender, receiver) = mpsc::channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let (reply, waited) = mpsc::channel();
    let threads = rayon::current_num_threads();
    for _ in 0..threads {
        let (receiver, reply) = (Arc::clone(&receiver), reply.clone());
        rayon::spawn(move || {
            let ended: Result<(), _> = receiver.lock().unwrap().recv_timeout(HANGS);
            let _ = reply.send(ended.is_ok());
        });
    }
    assert_eq!(Tuner::new("cheap", |item: u64| item).collect::<Vec<_>>(0..ITEMS).len(), ITEMS as usize);
    (0..threads).for_each(|_| _ = sender.send(()));
    let all = (0..threads).all(|_| waited.recv().expect("a reply"));
    println!("{}", if all { "done before" } else { "kept waiting" });
}

/// Items that were taken from the source when there is a result.
fn pulled_before_the_first_result(how: &str) -> usize {
    let pulled = Cell::new(0);
    let source = (0..ITEMS).inspect(|_| pulled.set(pulled.get() + 1));
    let mut stream = prepared(how).stream(source);
    assert_eq!(stream.next(), Some(0));
    let before = pulled.get();
    assert_eq!(stream.collect::<Vec<_>>(), (1..ITEMS).collect::<Vec<_>>());
    before
}

fn prepared(how: &str) -> Tuner<ByValue<impl Fn(u64) -> u64 + Send + Sync + 'static>> {
    let tuner = Tuner::new("pulling", |item: u64| item);
    match how {
        "new, and stays so" => tuner.online_learning(false),
        "new, with a small buffer" => tuner.buffer_size(2),
        "a plain loop before" => recorded(tuner, 1),
        "threads before" => recorded(tuner, 2),
        _ => tuner,
    }
}

fn recorded<F: Fn(u64) -> u64>(tuner: Tuner<ByValue<F>>, threads: usize) -> Tuner<ByValue<F>> {
    tuner.record(Outcome::new(1_000, Duration::from_micros(100)).threads(threads)).expect("recorded");
    tuner
}
