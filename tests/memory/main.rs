//! Bounded memory, as a user sees it: more megabytes of results than there is memory go through. Each run is a child
//! process under a limit, where an allocation too many ends it.
#![cfg(target_os = "linux")]

use std::env;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use amorsize::{Pool, Tuner};

const MB: usize = 1 << 20;
/// The limit of a child, in units of 1024 bytes as `ulimit` has it.
const LIMIT: usize = 200 * 1024;
/// For how long the consumer has a result: far longer than it takes to make one.
const CONSUMER: Duration = Duration::from_micros(200);
/// Tells a test in the child process how many results it is to make.
const RESULTS: &str = "AMORSIZE_TEST_RESULTS";

/// A child that takes longer hangs; the longest takes 6 s on an idle machine.
const LONGEST: Duration = Duration::from_secs(100);

/// Limits of a process.
const ADDRESSES: &str = "-v";
const DATA: &str = "-d";

/// What became of a child.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    /// It was stopped because it took too long. (Out of memory, a process may hang instead of ending.)
    Hung,
}

/// Has glibc map each result for itself and give it back once it is freed. Otherwise it may keep all that was freed, if
/// a small block was made behind it: how much depends on which thread had made what by then.
const GIVES_BACK: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");

/// Runs a test of this file as a child process under a limit. Its complaints go where this test's go.
fn run_limited(limit: &str, test: &str, results: u64) -> End {
    run_limited_with(&[], limit, test, results)
}

/// [`run_limited`] with variables of the environment.
fn run_limited_with(settings: &[(&str, &str)], limit: &str, test: &str, results: u64) -> End {
    let limited = format!("ulimit {limit} {LIMIT} && exec \"$0\" \"$@\"");
    let mut child = Command::new("sh");
    child.args(["-c", &limited]).arg(env::current_exe().unwrap()).args([test, "--exact"]);
    child.env(RESULTS, results.to_string()).env("RUST_BACKTRACE", "0").stdout(Stdio::piped());
    child.envs(settings.iter().copied());
    let mut child = child.spawn().unwrap();
    let deadline = Instant::now() + LONGEST;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            // A test of another name is no test at all, and that is a success too.
            let printed = io::read_to_string(child.stdout.take().unwrap()).unwrap();
            return if status.success() && printed.contains("1 passed") { End::Passed } else { End::Failed };
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            return End::Hung;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// How many results this process is to make; `None` if it is not such a child.
fn results_in_child() -> Option<u64> {
    env::var(RESULTS).ok()?.parse().ok()
}

/// Made in a few microseconds, so that a window that knew nothing of bytes would hold hundreds.
fn megabyte(n: u64) -> Vec<u8> {
    let mut bytes = vec![0; MB];
    (bytes[0], bytes[MB - 1]) = (n as u8, n as u8);
    bytes
}

/// Sees each result, takes its time, and lets go of it.
fn consume(results: impl Iterator<Item = Vec<u8>>) -> u64 {
    results.fold(0, |seen, result| {
        assert_eq!((result.len(), result[0], result[MB - 1]), (MB, seen as u8, seen as u8));
        thread::sleep(CONSUMER);
        seen + 1
    })
}

#[test]
fn child_consumes_slowly() {
    let Some(results) = results_in_child() else { return };
    assert_eq!(consume(Tuner::new("megabyte", megabyte).stream(0..results)), results);
}

#[test]
fn child_consumes_slowly_from_four_threads() {
    let Some(results) = results_in_child() else { return };
    let tuner = Tuner::new("megabyte", megabyte).threads(4);
    assert_eq!(consume(tuner.stream(0..results)), results);
}

/// Bytes of a result that comes from the heap of whoever makes it, which glibc would give back to the system.
const HEAPED: usize = 64 << 10;
const PAGE: usize = 4096;

/// Pages that the process had to ask for so far.
fn page_faults() -> usize {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = status.rsplit_once(')').unwrap();
    fields.split_ascii_whitespace().nth(7).unwrap().parse().unwrap()
}

#[test]
fn child_asks_for_pages() {
    let Some(results) = results_in_child() else { return };
    let tuner = Tuner::new("heaped", |n: u64| vec![n as u8; HEAPED]).pool(Pool::Cpu).threads(2).chunk_size(4);
    let before = page_faults();
    assert_eq!(tuner.stream(0..results).count() as u64, results);
    let asked_for = page_faults() - before;
    assert!(asked_for < results as usize * HEAPED / PAGE / 8, "{asked_for} pages");
}

/// A result whose size the library cannot find out.
struct Opaque(#[expect(dead_code, reason = "it only takes memory")] Vec<u8>);

/// Results that the consumer keeps before it lets go of all. The process itself takes some 10 MB, and about 28 results
/// are in flight unless the source pauses: that is more than the limit. If it pauses at 80 %, what is in flight still
/// comes.
const KEPT: u64 = 175;

#[test]
fn child_keeps_most_of_the_memory_for_a_while() {
    let Some(results) = results_in_child() else { return };
    let opaque = Tuner::new("opaque", |n| Opaque(vec![n as u8; MB]));
    let mut stream = opaque.threads(2).chunk_size(4).stream(0..results);
    let (mut kept, mut seen, mut most_afterwards) = (Vec::new(), 0, 0);
    while let Some(result) = stream.next() {
        seen += 1;
        thread::sleep(CONSUMER);
        let in_flight = stream.report().in_flight();
        if seen < KEPT {
            kept.push(result);
        } else if seen == KEPT {
            assert!(in_flight <= 1, "the source pauses");
            kept = Vec::new();
        } else {
            most_afterwards = in_flight.max(most_afterwards);
        }
    }
    assert_eq!(seen, results);
    assert!(most_afterwards > 1, "the source goes on");
    assert!(kept.is_empty());
}

#[test]
fn child_keeps_everything() {
    let Some(results) = results_in_child() else { return };
    assert_eq!(Tuner::new("megabyte", megabyte).collect::<Vec<_>>(0..results).len() as u64, results);
}

/// Without this the other tests prove nothing.
#[test]
fn the_limits_end_a_process_that_keeps_everything() {
    for limit in [ADDRESSES, DATA] {
        assert_eq!(run_limited(limit, "child_keeps_everything", 400), End::Failed);
    }
}

#[test]
fn twenty_thousand_results_of_a_megabyte_go_through_200_megabytes() {
    assert_eq!(run_limited(ADDRESSES, "child_consumes_slowly", 20_000), End::Passed);
}

#[test]
fn the_window_counts_bytes() {
    for limit in [ADDRESSES, DATA] {
        assert_eq!(run_limited(limit, "child_consumes_slowly_from_four_threads", 1_000), End::Passed);
    }
}

#[cfg(target_env = "gnu")]
#[test]
fn memory_that_comes_and_goes_stays_with_the_process() {
    assert_eq!(run_limited(DATA, "child_asks_for_pages", 5_000), End::Passed);
}

#[test]
fn the_source_pauses_while_memory_is_short() {
    let end = run_limited_with(&[GIVES_BACK], DATA, "child_keeps_most_of_the_memory_for_a_while", 600);
    assert_eq!(end, End::Passed);
}
