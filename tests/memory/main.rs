//! Bounded memory, as a user sees it: results far larger than the memory there is go through a slow consumer. Each run is
//! a child process under a limit on its address space, where an allocation too many ends it.
#![cfg(target_os = "linux")]

use std::env;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use amorsize::Tuner;

const MB: usize = 1 << 20;
/// The limit of a child.
const LIMIT: usize = 200 * MB;
/// For how long the consumer has a result: far longer than it takes to make one.
const CONSUMER: Duration = Duration::from_micros(200);
/// Tells a test in the child process how many results it is to make.
const RESULTS: &str = "AMORSIZE_TEST_RESULTS";

/// A result whose size the library cannot find out.
struct Opaque(Vec<u8>);

/// Made in a few microseconds, so that a window that knows nothing of bytes would hold thousands.
fn megabyte(n: u64) -> Vec<u8> {
    let mut bytes = vec![0; MB];
    (bytes[0], bytes[MB - 1]) = (n as u8, n as u8);
    bytes
}

/// Runs a test of this file as a child process under the limit.
fn run_limited(test: &str, results: u64) -> Output {
    let limited = format!("ulimit -v {} && exec \"$0\" \"$@\"", LIMIT / 1024);
    let this = env::current_exe().unwrap();
    let mut child = Command::new("sh");
    child.args(["-c", &limited]).arg(this).args([test, "--exact", "--nocapture", "--test-threads=1"]);
    child.env(RESULTS, results.to_string()).output().unwrap()
}

fn assert_survives(test: &str, results: u64) {
    let output = run_limited(test, results);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{:?}\n{text}", output.status);
}

/// How many results this process is to make; `None` if it is not such a child.
fn results_in_child() -> Option<u64> {
    env::var(RESULTS).ok()?.parse().ok()
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
fn child_streams() {
    let Some(results) = results_in_child() else { return };
    assert_eq!(consume(Tuner::new("megabyte", megabyte).stream(0..results)), results);
}

#[test]
fn child_streams_on_many_threads() {
    let Some(results) = results_in_child() else { return };
    let tuner = Tuner::new("megabyte", megabyte).threads(4);
    assert_eq!(consume(tuner.stream(0..results)), results);
}

#[test]
fn child_streams_what_it_cannot_measure() {
    let Some(results) = results_in_child() else { return };
    // Every page is written, which takes a while: no reading of memory is quicker than a thousand empty promises.
    let opaque = Tuner::new("opaque", |n| Opaque(vec![n as u8; MB])).threads(2).buffer_size(2_000);
    assert_eq!(consume(opaque.stream(0..results).map(|result| result.0)), results);
}

#[test]
fn child_holds_everything() {
    let Some(results) = results_in_child() else { return };
    assert_eq!(Tuner::new("megabyte", megabyte).collect::<Vec<_>>(0..results).len() as u64, results);
}

/// Without this the other tests prove nothing.
#[test]
fn the_limit_ends_a_process_that_holds_everything() {
    assert!(!run_limited("child_holds_everything", 400).status.success());
}

#[test]
fn a_thousand_results_of_a_megabyte_go_through_200_megabytes() {
    assert_survives("child_streams", 1_000);
}

#[test]
fn twenty_thousand_results_of_a_megabyte_go_through_200_megabytes() {
    assert_survives("child_streams", 20_000);
}

#[test]
fn more_threads_do_not_need_more_memory_than_there_is() {
    assert_survives("child_streams_on_many_threads", 1_000);
}

#[test]
fn results_of_unknown_size_pause_the_source_before_memory_is_full() {
    assert_survives("child_streams_what_it_cannot_measure", 1_000);
}
