//! What the kernel counted for this process: processor time and voluntary context switches. Linux only.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Ticks a second of the times in `/proc/PID/stat`; fixed in Linux's interface to programs.
const TICKS: u64 = 100;

/// Counters since the process began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// Times that a thread of this process slept of its own will, ended threads not counted.
    pub(crate) sleeps: u64,
}

impl Usage {
    pub(crate) fn now() -> Result<Self> {
        Ok(Self { cpu: cpu()?, sleeps: sleeps()? })
    }
}

/// User and system time of all threads.
fn cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("processor time is read from /proc, which is Linux's")?;
    // The name of the program, in parentheses, may hold anything; the fields behind it are numbers.
    let (_, fields) = stat.rsplit_once(')').context("no program name in /proc/self/stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

fn sleeps() -> Result<u64> {
    let mut total = 0;
    for task in fs::read_dir("/proc/self/task").context("threads are listed in /proc, which is Linux's")? {
        // A thread may end between the listing and the reading.
        let Ok(status) = fs::read_to_string(task?.path().join("status")) else { continue };
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        total += count.context("no context switches in a thread's status")?.trim().parse::<u64>()?;
    }
    Ok(total)
}
