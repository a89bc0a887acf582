//! Whether another thread sleeps, and how long it has had a processor. Linux tells; elsewhere nobody does.

use std::time::{Duration, Instant};

#[cfg(any(target_os = "linux", target_os = "android"))]
use super::clock::parse_schedstat;
use super::clock::thread_cpu_time;
use crate::decide::early::Seen;

/// A thread of this process since it began with something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    thread: Thread,
    since: Instant,
    /// The processor's time that the thread had had by then.
    used: Duration,
}

impl Watched {
    /// The calling thread from now on; `None` where others cannot look at it.
    pub(crate) fn here() -> Option<Self> {
        Some(Self { thread: this_thread()?, since: Instant::now(), used: thread_cpu_time()? })
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.thread == other.thread
    }

    /// How the thread is found now.
    pub(crate) fn see(&self) -> Option<Seen> {
        let Found { used, sleeps } = find(self.thread)?;
        Some(Seen {
            since: self.since.elapsed().as_secs_f64(),
            used: used.saturating_sub(self.used).as_secs_f64(),
            sleeps,
        })
    }
}

/// How often a thread of this process was given a processor so far.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn times_on(thread: Thread) -> Option<u64> {
    parse_schedstat(read(thread, "schedstat")?.as_bytes()).map(|counted| counted.times)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn times_on(thread: Thread) -> Option<u64> {
    match thread {}
}

/// Threads of this process besides the caller's that compute now, or want to; of many, among the first.
pub(crate) fn others_running() -> usize {
    running().saturating_sub(1)
}

/// What the system tells of a thread: all of the processor's time that it has had, some milliseconds old where it runs,
/// and whether it sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    used: Duration,
    sleeps: bool,
}

/// A thread of this process.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) type Thread = rustix::thread::Pid;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) type Thread = std::convert::Infallible;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn this_thread() -> Option<Thread> {
    thread_local! {
        /// Asked for once. (In the child of a fork there is no such thread, and nobody finds anything out.)
        static THIS: Thread = rustix::thread::gettid();
    }
    THIS.try_with(|this| *this).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn this_thread() -> Option<Thread> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn find(thread: Thread) -> Option<Found> {
    parse(&read(thread, "stat")?, &read(thread, "schedstat")?)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn read(thread: Thread, what: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/self/task/{}/{what}", thread.as_raw_nonzero())).ok()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn running() -> usize {
    /// Most threads that are looked at, some microseconds each.
    const MOST: usize = 256;
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let stat = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("stat")).ok();
    threads.flatten().take(MOST).filter_map(stat).filter(|stat| state(stat) == Some('R')).count()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn running() -> usize {
    0
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn find(thread: Thread) -> Option<Found> {
    match thread {}
}

/// The state of a thread: it follows the name, which may contain anything.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// What the two files tell of a thread.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn parse(stat: &str, schedstat: &str) -> Option<Found> {
    let sleeps = matches!(state(stat)?, 'S' | 'D');
    let used = parse_schedstat(schedstat.as_bytes())?.used;
    Some(Found { used, sleeps })
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn what_the_system_tells_is_understood() {
        let found = parse("17 (a) b) S 1 2", "1500000000 500000000 7\n");
        assert_eq!(found, Some(Found { used: Duration::from_millis(1500), sleeps: true }));
        assert!(!parse("17 (a) R 1", "0 0 0").unwrap().sleeps);
        assert!(parse("17 (a) D 1", "0 0 0").unwrap().sleeps);
        assert_eq!([parse("", "0 0 0"), parse("1 (a)", "0"), parse("1 (a) S", ""), parse("1 (a) S", "x")], [None; 4]);
    }

    #[test]
    fn a_thread_that_waits_for_a_message_sleeps_and_this_one_does_not() {
        assert!(!Watched::here().unwrap().see().unwrap().sleeps);
        assert!(running() >= 1, "this one");
        let (send, waiting) = mpsc::channel();
        let (stop, stopped) = mpsc::channel::<()>();
        let other = thread::spawn(move || {
            send.send(Watched::here().unwrap()).unwrap();
            stopped.recv().unwrap_err();
        });
        let runner = waiting.recv().unwrap();
        let mut seen = runner.see().unwrap();
        let begin = Instant::now();
        while !seen.sleeps {
            assert!(begin.elapsed() < Duration::from_secs(60), "{seen:?}");
            thread::yield_now();
            seen = runner.see().unwrap();
        }
        assert!(seen.used < seen.since, "{seen:?}");
        drop(stop);
        other.join().unwrap();
    }
}
