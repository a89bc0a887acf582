//! Gets records to disk without anyone waiting: at once, by [a thread apart](crate::alarm), or at the end of a thread.
//! [`pace`] decides which; here it is done.
//!
//! What is put off is collected for some milliseconds before it is written, so that many short runs cost one write; and
//! as long as there is something each time, nobody has to ask for that again. While streams run, the files of a hundred
//! new functions are not made in one go: that would take a processor from them for as long.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::alarm;
use crate::consumers;
use crate::learn::function::Function;
use crate::learn::pace::{self, Appending};
use crate::learn::registry::registry;
use crate::quiet::quietly;
use crate::sync::lock;

/// How long records are collected before they are written: at first, and at most while more keep coming.
const COLLECTING: Duration = Duration::from_millis(5);
const COLLECTING_MORE: Duration = Duration::from_millis(40);
/// Whether a thread that runs `main`, or calls `exit`, drops its thread-local values before the program ends.
const MAIN_IS_TOLD: bool = cfg!(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple", windows));

static APPENDING: Appending = Appending::new();
static PUT_OFF: Mutex<PutOff> = Mutex::new(PutOff { is_called: false, due: VecDeque::new() });

struct PutOff {
    /// Whether somebody looks here soon.
    is_called: bool,
    /// Functions with records to be written.
    due: VecDeque<Arc<Function>>,
}

/// Writes what is left when its thread ends.
struct AtEnd {
    is_main: Cell<Option<bool>>,
}

impl Drop for AtEnd {
    /// A panic here would abort the program.
    fn drop(&mut self) {
        quietly(|| registry().drain_at_end());
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

/// Whether writing what a run has recorded takes next to nothing of it.
pub(crate) fn is_quick(function: &Function, run: Duration) -> bool {
    let told = will_be_told();
    let factor = if function.is_stored() { 1 } else { pace::CREATING };
    pace::at_once(run, factor * APPENDING.expected(), told)
}

/// Writes what a run has just recorded, or has it written.
pub(crate) fn settle(function: &Arc<Function>, run: Duration) {
    if !is_quick(function, run) {
        return ask(function);
    }
    match timed(function, || function.try_drain()) {
        Ok(true) => {}
        Ok(false) => ask(function),
        Err(error) => function.warn(&error),
    }
}

/// Writes what is recorded so far, on this thread; what somebody else keeps from that is left for another time.
pub(crate) fn settle_here(function: &Arc<Function>) {
    match timed(function, || function.try_drain()) {
        Ok(true) => {}
        Ok(false) => function.lighten(),
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

/// Has what is due written soon. Where no thread can be had for that, nobody else keeps memory within its bounds.
fn ask(function: &Arc<Function>) {
    if !function.became_due() {
        return;
    }
    let mut put_off = put_off();
    put_off.due.push_back(Arc::clone(function));
    if std::mem::replace(&mut put_off.is_called, true) {
        return;
    }
    // Not under the lock: starting a thread takes its time.
    drop(put_off);
    let mut collecting = COLLECTING;
    let write = move || {
        let pause = match write_due() {
            Due::Nothing => return None,
            Due::NothingMore => {
                collecting = (2 * collecting).min(COLLECTING_MORE);
                collecting
            }
            Due::After(pause) => pause,
        };
        Some(Instant::now() + pause)
    };
    if !alarm::call(Instant::now() + COLLECTING, Box::new(write)) {
        give_up();
        function.lighten();
    }
}

fn put_off() -> MutexGuard<'static, PutOff> {
    lock(&PUT_OFF)
}

/// What there was to be written, or is.
#[derive(Debug, PartialEq)]
enum Due {
    Nothing,
    NothingMore,
    /// More, after a pause.
    After(Duration),
}

/// Writes what was collected meanwhile.
fn write_due() -> Due {
    let mut due = {
        let mut put_off = put_off();
        put_off.is_called = !put_off.due.is_empty();
        std::mem::take(&mut put_off.due)
    };
    let left = work_off(&mut due, |function| write(&function), || consumers::others(Instant::now()) > 0);
    if !due.is_empty() {
        let mut put_off = put_off();
        due.append(&mut put_off.due);
        put_off.due = due;
    }
    left
}

/// Writes what is due, one after the other, and leaves the rest for later while somebody needs the processors.
fn work_off<T>(due: &mut VecDeque<T>, mut write: impl FnMut(T), is_needed: impl Fn() -> bool) -> Due {
    if due.is_empty() {
        return Due::Nothing;
    }
    while let Some(first) = due.pop_front() {
        let begin = Instant::now();
        write(first);
        if !due.is_empty() && is_needed() {
            return Due::After(pace::give_way(begin.elapsed()));
        }
    }
    Due::NothingMore
}

fn write(function: &Arc<Function>) {
    function.clear_due();
    // Whoever listens to the warning may panic, and others' records are still to be written.
    quietly(|| {
        let written = timed(function, || function.drain());
        written.unwrap_or_else(|error| function.warn(&error));
        function.foresee();
    });
}

/// Gives up where no thread can be had: records wait for the next attempt or for the end of this thread.
fn give_up() {
    let mut put_off = put_off();
    put_off.is_called = false;
    put_off.due.drain(..).for_each(|function| function.clear_due());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_written_at_once_unless_streams_run() {
        let mut written = Vec::new();
        let mut work_off = |due: &mut VecDeque<_>, is_needed| work_off(due, |item| written.push(item), || is_needed);
        assert_eq!(work_off(&mut VecDeque::new(), true), Due::Nothing);
        assert_eq!(work_off(&mut VecDeque::from([1]), true), Due::NothingMore);
        let mut due = VecDeque::from([2, 3, 4]);
        assert!(matches!(work_off(&mut due, true), Due::After(_)));
        assert_eq!(due, [3, 4]);
        assert_eq!(work_off(&mut due, false), Due::NothingMore);
        assert_eq!(written, [1, 2, 3, 4]);
    }
}
