//! The first items of a function that nothing is known of run beside a thread, if one can be had; all others' run
//! alone.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use amorsize::{ByValue, Outcome, Pool, Tuner};

use crate::children::Home;

/// The longest that an event may take.
const HANGS: Duration = Duration::from_secs(10);
/// Few enough that the first ones are worth the first thread of a process.
const ITEMS: u64 = 100;
/// The first item, and as many as wait at most at first.
const AHEAD: usize = 1 + 64;
/// Items that wait for each other, and the longest that they do so in vain: longer than anybody takes to look in.
const FEW: usize = 20;
const QUIET: Duration = Duration::from_secs(1);
/// Processes that try: one that is interrupted while it takes its first item from the source takes it for a slow one.
const ATTEMPTS: usize = 5;

pub(crate) fn a_long_first_item_delays_nobody() {
    for how in ["meet", "meet, borrowed", "meet, borrowed, beside a pool"] {
        assert!((0..ATTEMPTS).any(|_| begin(how, "2") == "met"), "{how}");
    }
}

pub(crate) fn only_the_first_items_of_new_functions_are_pulled_ahead() {
    let pulled = |how, cores| -> usize { begin(how, cores).parse().expect("a number") };
    let most = |how| (0..ATTEMPTS).map(|_| pulled(how, "2")).max();
    assert_eq!(most("new"), Some(AHEAD));
    assert_eq!(most("threads before"), Some(1), "what they may have done to each other is found out, once");
    assert_eq!(most("threads twice before"), Some(AHEAD));
    assert_eq!(most("new, from a slow source"), Some(1));
    assert_eq!(most("new, with a small buffer"), Some(2));
    assert_eq!(most("new, and stays so"), Some(1));
    assert_eq!(most("a plain loop before"), Some(1));
    assert_eq!(pulled("new", "1"), 1);
}

pub(crate) fn a_first_item_that_computes_does_not_keep_others_from_being_run() {
    for how in ["busy", "busy, on a pool", "busy, before there is a pool"] {
        assert!((0..ATTEMPTS).any(|_| begin(how, "2") == "others ran"), "{how}");
    }
}

#[cfg(target_os = "linux")]
pub(crate) fn first_items_that_wait_do_so_all_at_once() {
    for how in ["waiting", "waiting, on a pool", "waiting, before there is a pool"] {
        assert!((0..ATTEMPTS).any(|_| begin(how, "2") == "20 met"), "{how}");
    }
    let mut few = (0..ATTEMPTS).map(|_| begin("waiting, on few threads", "2"));
    assert_eq!(few.find(|met| met != "1 met").as_deref(), Some("3 met"));
}

pub(crate) fn a_source_that_waits_for_the_first_result_gets_it_where_no_pool_runs() {
    assert_eq!(begin("a conversation", "2"), "one by one");
}

pub(crate) fn a_plain_loop_does_not_wait_for_a_busy_pool() {
    assert_eq!(begin("on a busy pool", "2"), "done before");
    assert_eq!(begin("on a busy pool, interrupted", "2"), "done before");
}

/// What a process says that begins in such a way with so many cores.
fn begin(how: &str, cores: &str) -> String {
    let home = Home::new();
    let played = Home::played(home.command("head start", how).env("AMORSIZE_THREADS", cores));
    assert!(played.ok, "{how}: {}", played.stderr);
    played.stdout.trim().to_owned()
}

/// The child's part.
pub(crate) fn play(how: &str) {
    match how {
        "on a busy pool" => collect_on_a_busy_pool(Duration::ZERO),
        "on a busy pool, interrupted" => collect_on_a_busy_pool(Duration::from_millis(1)),
        "a conversation" => converse(),
        "meet" => on_a_pool(|| meet(|tuner| tuner.stream(0..ITEMS).collect())),
        "meet, borrowed" => without_a_pool(|| meet(|tuner| tuner.collect(0..ITEMS))),
        "meet, borrowed, beside a pool" => beside_a_pool(|| meet(|tuner| tuner.collect(0..ITEMS))),
        "busy" => beside_a_pool(busy),
        "busy, on a pool" => on_a_pool(busy),
        "busy, before there is a pool" => without_a_pool(busy),
        "waiting" => beside_a_pool(|| wait_for_each_other(256)),
        "waiting, on a pool" => on_a_pool(|| wait_for_each_other(256)),
        "waiting, before there is a pool" => without_a_pool(|| wait_for_each_other(256)),
        "waiting, on few threads" => without_a_pool(|| wait_for_each_other(3)),
        // A thread might take the first item, and then there is time for more.
        "new, from a slow source" => println!("{}", pulled_before_the_first_result(how)),
        _ => on_a_pool(|| println!("{}", pulled_before_the_first_result(how))),
    }
}

pub(crate) fn on_a_pool(play: impl FnOnce() + Send) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        warm_up();
        play();
    });
}

/// No pool runs, since none is needed so far.
fn without_a_pool(play: impl FnOnce()) {
    warm_up();
    play();
}

/// What is cold in a new process makes a source look slow: one stream of a cheap function is read.
fn warm_up() {
    assert_eq!(Tuner::new("cheap", |item: u64| item).stream(0..ITEMS).count() as u64, ITEMS);
}

/// Rayon's own pool runs, and amorsize knows.
fn beside_a_pool(play: impl FnOnce()) {
    let _: Vec<u64> = Tuner::new("first", |item: u64| item).pool(Pool::Cpu).collect(0..20);
    play();
}

/// The first item computes until more others have been run than are handed over in any other way.
fn busy() {
    let others = Arc::new(AtomicU64::new(0));
    let run = Arc::clone(&others);
    let function = move |item: u64| {
        if item > 0 {
            return run.fetch_add(1, Ordering::Relaxed) < ITEMS;
        }
        let begin = Instant::now();
        while run.load(Ordering::Relaxed) < 20 && begin.elapsed() < HANGS {
            std::hint::spin_loop();
        }
        run.load(Ordering::Relaxed) >= 20
    };
    let results: Vec<bool> = Tuner::new("computing", function).stream(0..ITEMS).collect();
    assert_eq!((results.len(), others.load(Ordering::Relaxed)), (ITEMS as usize, ITEMS - 1));
    println!("{}", if results[0] { "others ran" } else { "alone" });
}

/// The source has its next item once the last one was answered.
fn converse() {
    let answered = Cell::new(0);
    let was_asked_early = Cell::new(false);
    let mut asked = 0;
    let source = std::iter::from_fn(|| {
        was_asked_early.set(was_asked_early.get() || asked > answered.get());
        asked += 1;
        (asked <= ITEMS).then_some(asked)
    });
    let answers = Tuner::new("answer", |item: u64| item).stream(source);
    // The first ones: a trial takes several at a time after that.
    let early = answers.take(2).any(|_| {
        answered.set(answered.get() + 1);
        was_asked_early.get()
    });
    println!("{}", if early { "asked early" } else { "one by one" });
}

/// Each item ends once all have begun, or none has for a while. `most` may wait at the same time.
fn wait_for_each_other(most: usize) {
    let present = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let met = Arc::clone(&present);
    let function = move |item: usize| {
        let (present, changed) = &*met;
        let mut present = present.lock().unwrap();
        present.push(item);
        changed.notify_all();
        let mut most = 0;
        while most < present.len() && present.len() < FEW {
            most = present.len();
            present = changed.wait_timeout_while(present, QUIET, |present| present.len() == most).unwrap().0;
        }
        most = most.max(present.len());
        if most < FEW {
            present.retain(|&other| other != item);
        }
        most
    };
    let together = Tuner::new("waiting", function).max_blocking_threads(most).stream(0..FEW).next();
    println!("{} met", together.unwrap_or(0));
}

type Meeting = Tuner<ByValue<Box<dyn Fn(u64) -> bool + Send + Sync>>>;

/// The first item ends once the second one has begun.
fn meet(collect: impl FnOnce(Meeting) -> Vec<bool>) {
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let function: Box<dyn Fn(u64) -> bool + Send + Sync> = Box::new(move |item| match item {
        0 => receiver.lock().unwrap().recv_timeout(HANGS).is_ok(),
        1 => sender.send(()).is_ok(),
        _ => true,
    });
    let results = collect(Tuner::new("meeting", function));
    assert_eq!(results.len(), ITEMS as usize);
    println!("{}", if results[0] { "met" } else { "alone" });
}

/// All threads of rayon's pool, which runs already, wait for what this one does after it has used a cheap function, the
/// first item of which takes so long.
fn collect_on_a_busy_pool(first: Duration) {
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
    let cheap = |item: u64| {
        let begin = Instant::now();
        while item == 0 && begin.elapsed() < first {}
        item
    };
    assert_eq!(Tuner::new("cheap", cheap).collect::<Vec<_>>(0..ITEMS).len(), ITEMS as usize);
    (0..threads).for_each(|_| _ = sender.send(()));
    let all = (0..threads).all(|_| waited.recv().expect("a reply"));
    println!("{}", if all { "done before" } else { "kept waiting" });
}

/// Items that were taken from the source when there is a result.
fn pulled_before_the_first_result(how: &str) -> usize {
    let pulled = Cell::new(0);
    let source = (0..ITEMS).inspect(|_| {
        pulled.set(pulled.get() + 1);
        if how.ends_with("slow source") {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
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
        "a plain loop before" => recorded(tuner, 1, 1),
        "threads before" => recorded(tuner, 2, 1),
        "threads twice before" => recorded(tuner, 2, 2),
        _ => tuner,
    }
}

fn recorded<F: Fn(u64) -> u64>(tuner: Tuner<ByValue<F>>, threads: usize, times: usize) -> Tuner<ByValue<F>> {
    let outcome = Outcome::new(1_000, Duration::from_micros(100)).threads(threads);
    (0..times).for_each(|_| tuner.record(outcome.clone()).expect("recorded"));
    tuner
}
