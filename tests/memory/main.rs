//! Bounded memory, as a user sees it: more megabytes of results than there is memory go through. Each run is a child
//! process under a limit, where an allocation too many ends it.
#![cfg(target_os = "linux")]

use std::env;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use amorsize::Tuner;

const MB: usize = 1 << 20;
/// The limit of a child, in units of 1024 bytes as `ulimit` has it.
const LIMIT: usize = 200 * 1024;
/// For how long the consumer has a result: far longer than it takes to make one.
const CONSUMER: Duration = Duration::from_micros(200);
/// Tells a test in the child process how many results it is to make.
const RESULTS: &str = "AMORSIZE_TEST_RESULTS";

/// Limits of a process.
const ADDRESSES: &str = "-v";
const DATA: &str = "-d";

/// Runs a test of this file as a child process under a limit.
fn run_limited(limit: &str, test: &str, results: u64) -> Output {
    let limited = format!("ulimit {limit} {LIMIT} && exec \"$0\" \"$@\"");
    let mut child = Command::new("sh");
    child.args(["-c", &limited]).arg(env::current_exe().unwrap()).args([test, "--exact", "--nocapture"]);
    child.env(RESULTS, results.to_string()).output().unwrap()
}

fn assert_survives(limit: &str, test: &str, results: u64) {
    let output = run_limited(limit, test, results);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{:?}\n{text}", output.status);
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

/// A result whose size the library cannot find out.
struct Opaque(#[expect(dead_code, reason = "it only takes memory")] Vec<u8>);

/// Results that the consumer keeps before it lets go of all: most of the limit, and with one chunk more than it.
const KEPT: u64 = 172;

#[test]
fn child_keeps_most_of_the_memory_for_a_while() {
    let Some(results) = results_in_child() else { return };
    let opaque = Tuner::new("opaque", |n| Opaque(vec![n as u8; MB]));
    let mut stream = opaque.threads(2).chunk_size(8).stream(0..results);
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
        assert!(!run_limited(limit, "child_keeps_everything", 400).status.success());
    }
}

#[test]
fn twenty_thousand_results_of_a_megabyte_go_through_200_megabytes() {
    assert_survives(ADDRESSES, "child_consumes_slowly", 20_000);
}

#[test]
fn the_window_counts_bytes() {
    for limit in [ADDRESSES, DATA] {
        assert_survives(limit, "child_consumes_slowly_from_four_threads", 1_000);
    }
}

#[test]
fn the_source_pauses_while_memory_is_short() {
    assert_survives(DATA, "child_keeps_most_of_the_memory_for_a_while", 600);
}
