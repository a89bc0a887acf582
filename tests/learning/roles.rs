//! What children do. Each gets one argument, and says what came of it on its standard output.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use amorsize::__private::end_of_run;
use amorsize::{ByValue, Outcome, Pool, Tuner};
use tracing_subscriber::filter::LevelFilter;

/// Names the role of a child.
pub(crate) const ROLE: &str = "LEARNING_ROLE";
/// Its argument.
pub(crate) const ARGUMENT: &str = "LEARNING_ARGUMENT";

/// Too short to be written at once.
const SHORT: Duration = Duration::from_nanos(200);
/// Long enough to be written at once, however busy the machine is.
const LONG: Duration = Duration::from_secs(3600);

/// The longest that a child may take that could hang.
const HANGS: Duration = Duration::from_secs(20);

type Square = Tuner<ByValue<fn(u64) -> u64>>;

/// Always the same function, wherever it is asked for.
fn square() -> Square {
    Tuner::new("square", (|n| n * n) as fn(u64) -> u64)
}

fn outcome() -> Outcome {
    Outcome::new(1_000, Duration::from_micros(100)).threads(2).chunk_size(8).speedup(1.9)
}

pub(crate) fn play(role: &str) {
    let level = if role == "tell" { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let asks = role.ends_with("ask back");
    let out = move || {
        if asks {
            ask();
        }
        std::io::stderr()
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(out).with_ansi(false).init();
    let argument = std::env::var(ARGUMENT).unwrap_or_default();
    match role {
        "count" => println!("{}", square().history().expect("a history").len()),
        "record" => (0..number(&argument)).for_each(|_| square().record(outcome()).expect("recorded")),
        "stream" => (0..number(&argument)).for_each(stream),
        "look" => assert_eq!(square().stream(0..100).sum::<u64>(), 328_350),
        "loop alone" => loop_alone(number(&argument)),
        "allocate alone" => allocate_alone(number(&argument)),
        "run and return" => runs(SHORT),
        "run and exit" => {
            runs(SHORT);
            std::process::exit(7);
        }
        "run and panic" => {
            runs(SHORT);
            panic!("as an ordinary program would");
        }
        "run on threads" => threads(),
        "interrupt" => interrupt(),
        "run long and abort" => {
            runs(LONG);
            std::process::abort();
        }
        "run and wait" => {
            runs(SHORT);
            wait_for_ever();
        }
        "flush for ever" => flush_for_ever(),
        "use" => use_it(),
        "ask back" => {
            end_after(HANGS);
            use_it();
        }
        "import and ask back" => {
            end_after(HANGS);
            println!("{}", amorsize::import(&argument).expect("imported"));
        }
        "begin" => begin(&argument),
        "extremes" => crate::extremes::play(&argument),
        "predict" => crate::predictions::play(),
        "tell" => crate::events::play(),
        "ahead" => crate::ahead::play(&argument),
        "head start" => crate::head_start::play(&argument),
        "export" => println!("{}", amorsize::export(&argument).expect("exported")),
        "import" => match amorsize::import(&argument) {
            Ok(new) => println!("{new}"),
            Err(error) => println!("{error}"),
        },
        other => panic!("no such role: {other}"),
    }
}

fn number(argument: &str) -> usize {
    argument.parse().expect("a number")
}

/// One of many streams: some end while their first items are timed, some as a plan is made, some have one from the
/// first item on.
fn stream(number: usize) {
    const LENGTHS: [u64; 6] = [1, 5, 100, 1_000, 2_000, 10_000];
    let len = LENGTHS[number % LENGTHS.len()];
    let tuner = if number.is_multiple_of(7) { square().pool(Pool::Serial) } else { square() };
    assert_eq!(tuner.stream(0..len).count() as u64, len);
}

/// Threads of this process.
fn thread_count() -> usize {
    std::fs::read_dir("/proc/self/task").expect("Linux has it").count()
}

/// Plain loops that are asked for, in a process of one thread.
fn loop_alone(runs: usize) {
    let before = thread_count();
    (0..runs).for_each(|_| assert_eq!(square().pool(Pool::Serial).stream(0..100).count(), 100));
    assert_eq!(thread_count(), before);
}

/// Results of many small blocks, in a process of one thread: of a function that is new, and of one that is known.
fn allocate_alone(runs: usize) {
    let before = thread_count();
    let tuner = Tuner::new("parts", |item: u64| (0..8).map(|part| Box::new(item + part)).collect::<Vec<_>>());
    (0..runs).for_each(|_| assert_eq!(tuner.stream(0..2_000).count(), 2_000));
    assert!(thread_count() == before || !cfg!(target_env = "gnu"));
    println!("{}", tuner.history().expect("a history"));
}

/// Runs whose function panics, one item after the other and in one go; then one that does not.
fn interrupt() {
    let tuner = || {
        let square = |n: u64| if n < 500 { n * n } else { resume_unwind(Box::new(n)) };
        Tuner::new("square", square).pool(Pool::Serial)
    };
    let interrupted = || tuner().stream(0..1_000);
    assert!(catch_unwind(|| interrupted().for_each(drop)).is_err());
    let mut stream = interrupted();
    assert_eq!(stream.by_ref().take(500).count(), 500);
    assert!(catch_unwind(AssertUnwindSafe(|| stream.next())).is_err());
    let report = stream.report();
    assert_eq!((report.items_out(), stream.next()), (500, None));
    drop(stream);
    assert_eq!(interrupted().take(100).count(), 100);
    println!("{}", tuner().history().expect("a history"));
}

/// Ten runs, as streams record them.
fn runs(time: Duration) {
    (0..10).for_each(|_| end_of_run(&square(), &outcome(), time).expect("a possible outcome"));
}

/// What a run begins with, where two threads were slower than the plain loop a few times.
fn begin(how: &str) {
    let outcome = |threads, speedup| Outcome::new(10_000, Duration::from_micros(5)).threads(threads).speedup(speedup);
    let record = |outcome| square().record(outcome).expect("recorded");
    let tuner = match how {
        "give up" => {
            (0..3).for_each(|_| record(outcome(2, 0.2)));
            (0..3).for_each(|_| record(outcome(1, 1.0)));
            square()
        }
        "as usual" => {
            // Two seconds of the plain loop.
            (0..40).for_each(|_| record(outcome(1, 1.0)));
            square()
        }
        "without learning" => square().online_learning(false),
        "with confidence" => square().confidence_threshold(0.1),
        other => panic!("no such way: {other}"),
    };
    println!("{:?}", tuner.stream(0..10_000).plan());
}

/// Two threads that somebody joins.
fn threads() {
    let threads = [(); 2].map(|()| std::thread::spawn(|| runs(SHORT)));
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("someone who listens");
}

fn wait_for_ever() {
    say("ready");
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// Says "." whenever another record is known to be on disk.
fn flush_for_ever() {
    loop {
        end_of_run(&square(), &outcome(), SHORT).expect("a possible outcome");
        amorsize::flush().expect("flushed");
        say(".");
    }
}

/// What somebody may do who has just heard of something.
fn ask() {
    let _ = (square().history(), square().predict(10), amorsize::pool::stats(), amorsize::flush());
    assert_eq!(square().online_learning(false).stream(0..10).sum::<u64>(), 285);
}

/// Ends the process if it takes longer.
fn end_after(time: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(time);
        std::process::exit(9);
    });
}

/// All that a program does with a function, whatever the state of its history: results must be right.
fn use_it() {
    let squares: Vec<u64> = square().online_learning(false).collect(0..1_000);
    assert!(squares.iter().enumerate().all(|(index, &square)| square == (index * index) as u64));
    runs(LONG);
    let history = square().history().map_or_else(|error| error.to_string(), |history| history.len().to_string());
    let flushed = amorsize::flush().map_or_else(|error| error.to_string(), |()| "flushed".to_owned());
    say(&format!("{history}\n{flushed}"));
}
