//! However a program ends, what it has recorded is there.

use std::io::{BufRead, BufReader};
use std::thread;
use std::time::{Duration, Instant};

use crate::children::Home;

pub(crate) fn a_program_that_returns_leaves_its_records() {
    let home = Home::new();
    assert!(home.play("run and return", "").ok);
    assert_eq!(home.count(), 10);
}

pub(crate) fn a_program_of_short_streams_leaves_their_records() {
    let home = Home::new();
    assert!(home.play("stream", "20").ok);
    assert!(home.count() >= 20);
}

#[cfg(target_os = "linux")]
pub(crate) fn plain_loops_that_are_asked_for_are_recorded_without_another_thread() {
    let home = Home::new();
    let played = home.play("loop alone", "100");
    assert!(played.ok, "{}", played.stderr);
    assert_eq!(home.count(), 100);
}

/// Where a process has no thread yet, glibc's allocations take no locks. An item during which the machine does something
/// else may seem to be worth a thread, so it is enough if one process of a few has had none.
#[cfg(target_os = "linux")]
pub(crate) fn cheap_results_that_own_memory_are_run_and_recorded_without_another_thread() {
    let alone = || {
        let home = Home::new();
        for records in ["50 records", "100 records"] {
            let played = home.play("allocate alone", "50");
            if !played.ok {
                return Err(played.stderr);
            }
            assert!(played.stdout.contains(records), "{}", played.stdout);
        }
        Ok(())
    };
    let ended = (0..4).fold(alone(), |ended, _| ended.or_else(|_| alone()));
    assert_eq!(ended, Ok(()));
}

pub(crate) fn a_run_whose_function_panics_teaches_nothing() {
    let home = Home::new();
    let played = home.play("interrupt", "");
    assert!(played.ok, "{}", played.stderr);
    let history = played.stdout;
    assert!(history.contains("1 record") && history.contains(" 100 items"), "{history}");
}

pub(crate) fn a_program_that_exits_leaves_its_records() {
    let home = Home::new();
    assert_eq!(home.play("run and exit", "").code, Some(7));
    assert_eq!(home.count(), 10);
}

pub(crate) fn a_program_that_panics_leaves_its_records() {
    let home = Home::new();
    assert_eq!(home.play("run and panic", "").code, Some(101));
    assert_eq!(home.count(), 10);
}

pub(crate) fn threads_that_end_leave_their_records() {
    let home = Home::new();
    assert!(home.play("run on threads", "").ok);
    assert_eq!(home.count(), 20);
}

pub(crate) fn long_runs_are_on_disk_before_the_next_instruction() {
    let home = Home::new();
    assert!(!home.play("run long and abort", "").ok);
    assert_eq!(home.count(), 10);
}

pub(crate) fn short_runs_get_there_while_the_program_goes_on() {
    let home = Home::new();
    let mut child = home.command("run and wait", "").stdin(std::process::Stdio::piped()).spawn().expect("a child");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while home.count() < 10 && Instant::now() < deadline {
        thread::yield_now();
    }
    let written = home.count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(written, 10);
}
