//! Gets records to disk without anyone waiting: at once, by a thread of its own, or at the end of a thread. [`pace`]
//! decides which; here it is done.
//!
//! The writer thread starts with the first record that is put off, sleeps until there are more, and ends after a while
//! without. It collects for some milliseconds before it writes, so that many short runs cost one write; and as long as
//! it finds something each time, nobody has to wake it, which would cost a short run more than all the rest.

use std::cell::Cell;
use std::panic::catch_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::learn::function::Function;
use crate::learn::pace::{self, Appending};
use crate::learn::registry::registry;

/// How long records are collected before they are written: at first, and at most while more keep coming.
const COLLECTING: Duration = Duration::from_millis(5);
const COLLECTING_MORE: Duration = Duration::from_millis(40);
/// The thread ends after this time without work.
const IDLE: Duration = Duration::from_secs(10);
/// Where a thread that runs `main`, or calls `exit`, drops its thread-local values before the program ends.
const MAIN_IS_TOLD: bool = cfg!(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple", windows));

static APPENDING: Appending = Appending::new();
static WRITER: Writer =
    Writer { state: Mutex::new(State { running: false, awake: false, due: Vec::new() }), changed: Condvar::new() };

struct Writer {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    running: bool,
    /// The thread looks for work by itself soon.
    awake: bool,
    /// Functions with records to be written.
    due: Vec<Arc<Function>>,
}

/// Writes what is left when its thread ends.
struct AtEnd {
    is_main: Cell<Option<bool>>,
}

impl Drop for AtEnd {
    /// A panic here would abort the program.
    fn drop(&mut self) {
        drop(catch_unwind(|| registry().drain_at_end()));
    }
}

thread_local! {
    static AT_END: AtEnd = const { AtEnd { is_main: Cell::new(None) } };
}

/// Sees to it that this thread writes what is left when it ends; whether it is sure to.
pub(crate) fn will_be_told() -> bool {
    let is_main = || thread::current().name() == Some("main");
    let asked = AT_END.try_with(|end| {
        let known = end.is_main.get().unwrap_or_else(is_main);
        end.is_main.set(Some(known));
        known
    });
    MAIN_IS_TOLD && asked.unwrap_or(false)
}

/// Whether this thread drops its thread-local values, among them those that whoever listens to `tracing` may need.
pub(crate) fn is_ending() -> bool {
    AT_END.try_with(|_| ()).is_err()
}

/// Writes what a run has just recorded, or has it written.
pub(crate) fn settle(function: &Arc<Function>, run: Duration) {
    let told = will_be_told();
    let factor = if function.is_stored() { 1 } else { pace::CREATING };
    if !pace::at_once(run, factor * APPENDING.expected(), told) {
        return ask(function);
    }
    match timed(function, || function.try_drain()) {
        Ok(true) => {}
        Ok(false) => ask(function),
        Err(error) => function.warn(&error),
    }
}

/// Has written, soon or at the end of this thread, what is not ready to be, or may wait.
pub(crate) fn settle_later(function: &Arc<Function>) {
    will_be_told();
    ask(function);
}

fn timed<T>(function: &Function, write: impl FnOnce() -> T) -> T {
    let appends = function.is_stored();
    let start = Instant::now();
    let result = write();
    if appends {
        APPENDING.observe(start.elapsed());
    }
    result
}

/// Tells the writer what is due; wakes or starts it where it would not look by itself.
fn ask(function: &Arc<Function>) {
    if function.became_due() {
        WRITER.tell(Arc::clone(function));
    }
}

impl Writer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, function: Arc<Function>) {
        let mut state = self.state();
        state.due.push(function);
        if std::mem::replace(&mut state.awake, true) {
            return;
        }
        if state.running {
            drop(state);
            self.changed.notify_one();
        } else {
            state.running = thread::Builder::new().name("amorsize-writer".to_owned()).spawn(|| WRITER.run()).is_ok();
            state.awake = state.running;
            if !state.running {
                // Records wait for the next attempt or for the end of this thread.
                state.due.drain(..).for_each(|function| function.is_no_longer_due());
            }
        }
    }

    fn run(&self) {
        while self.wait() {
            let mut collecting = COLLECTING;
            while self.write_after(collecting) {
                collecting = (2 * collecting).min(COLLECTING_MORE);
            }
        }
    }

    /// Writes what was collected meanwhile; false if there was nothing.
    fn write_after(&self, collecting: Duration) -> bool {
        thread::sleep(collecting);
        let due = {
            let mut state = self.state();
            state.awake = !state.due.is_empty();
            std::mem::take(&mut state.due)
        };
        for function in &due {
            function.is_no_longer_due();
            let written = timed(function, || function.drain());
            written.unwrap_or_else(|error| function.warn(&error));
        }
        !due.is_empty()
    }

    /// Waits for work; false when there is none for long.
    fn wait(&self) -> bool {
        let idle = |state: &mut State| !state.awake;
        let waited = self.changed.wait_timeout_while(self.state(), IDLE, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.running = state.awake;
        state.running
    }
}
