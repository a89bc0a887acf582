//! A process that is killed while it writes.

use std::io::{BufRead, BufReader};

use crate::children::Home;

/// Where the same sequence of moments begins each time.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const KILLS: usize = 20;

pub(crate) fn a_killed_process_loses_nothing_it_was_told_is_written() {
    let home = Home::new();
    let mut random = SEED;
    let mut told = 0;
    for round in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        told += killed_after(&home, random >> 59, random >> 40 & 0xffff);
        let written = home.count();
        assert!((told..=told + round + 1).contains(&written), "told of {told}, found {written}");
        told = written;
    }
}

/// Lets a process write, kills it some steps after it has told of so many records, and counts what it told of.
fn killed_after(home: &Home, records: u64, steps: u64) -> usize {
    let mut child = home.start("flush for ever", "");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = lines.by_ref().take(records as usize + 1).filter(Result::is_ok).count();
    for step in 0..steps {
        std::hint::black_box(step);
    }
    child.kill().unwrap();
    told += lines.map_while(Result::ok).count();
    child.wait().unwrap();
    told
}
