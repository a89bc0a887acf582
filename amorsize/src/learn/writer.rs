//! Gets records to disk without anyone waiting: at once, by a thread of its own, or at the end of a thread. [`pace`]
//! decides which; here it is done.
//!
//! The writer thread starts with the first record that is put off, sleeps until there are more, and ends after a while
//! without. It collects for some milliseconds before it writes, so that many short runs cost one write.

use std::cell::Cell;
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::learn::function::Function;
use crate::learn::pace::{self, Appending};
use crate::learn::registry::registry;

/// How long records are collected before they are written.
const COLLECTING: Duration = Duration::from_millis(5);
/// The thread ends after this time without work.
const IDLE: Duration = Duration::from_secs(10);
/// Where a thread that runs `main`, or calls `exit`, drops its thread-local values before the program ends.
const MAIN_IS_TOLD: bool = cfg!(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple", windows));

static APPENDING: Appending = Appending::new();
static WRITER: Writer = Writer { state: Mutex::new(State { running: false, asked: false }), changed: Condvar::new() };

struct Writer {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    running: bool,
    asked: bool,
}

/// Writes what is left when its thread ends.
struct AtEnd {
    is_main: Cell<Option<bool>>,
}

impl Drop for AtEnd {
    /// Says nothing of trouble: whoever listens may be gone by now. A panic here would abort the program.
    fn drop(&mut self) {
        drop(catch_unwind(|| registry().drain()));
    }
}

thread_local! {
    static AT_END: AtEnd = const { AtEnd { is_main: Cell::new(None) } };
}

/// Sees to it that this thread writes what is left when it ends; whether it is sure to.
fn will_be_told() -> bool {
    let is_main = || thread::current().name() == Some("main");
    let asked = AT_END.try_with(|end| {
        let known = end.is_main.get().unwrap_or_else(is_main);
        end.is_main.set(Some(known));
        known
    });
    MAIN_IS_TOLD && asked.unwrap_or(false)
}

/// Writes what a run has just recorded, or has it written.
pub(crate) fn settle(function: &Function, run: Duration) {
    let told = will_be_told();
    if !pace::at_once(run, APPENDING.expected(), told) {
        return ask();
    }
    match timed(|| function.try_drain()) {
        Ok(true) => {}
        Ok(false) => ask(),
        Err(error) => function.warn(&error),
    }
}

fn timed<T>(write: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = write();
    APPENDING.observe(start.elapsed());
    result
}

/// Wakes the writer, or starts it.
fn ask() {
    let mut state = WRITER.state();
    if std::mem::replace(&mut state.asked, true) {
        return;
    }
    if state.running {
        WRITER.changed.notify_one();
    } else {
        // Without a thread, records wait for the next attempt or for the end of this one.
        state.running = thread::Builder::new().name("amorsize-writer".to_owned()).spawn(|| WRITER.run()).is_ok();
        state.asked = state.running;
    }
}

impl Writer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        while self.wait() {
            thread::sleep(COLLECTING);
            self.state().asked = false;
            registry().all().iter().for_each(|function| {
                let written = timed(|| function.drain());
                written.unwrap_or_else(|error| function.warn(&error));
            });
        }
    }

    /// Waits for work; false when there is none for long.
    fn wait(&self) -> bool {
        let idle = |state: &mut State| !state.asked;
        let waited = self.changed.wait_timeout_while(self.state(), IDLE, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.running = state.asked;
        state.running
    }
}
