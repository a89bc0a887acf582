//! What the contract tests share: a watchdog, a source that measures how far ahead it is pulled, work of a given
//! cost, values that count their drops, and a panic that prints nothing.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use amorsize::{Pool, Tuner};

/// A test that takes longer than this hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Runs a test on a thread of its own, so that a deadlock is a failure and not a suite that never ends.
pub(crate) fn watched<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let runner = thread::spawn(move || {
        let result = test();
        let _ = sender.send(());
        result
    });
    match receiver.recv_timeout(HANGS) {
        Err(RecvTimeoutError::Timeout) => panic!("deadlock: not finished after {HANGS:?}"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => runner.join().unwrap_or_else(|payload| fail(payload)),
    }
}

/// The test's own panic goes on; a payload that may panic when it is dropped must not reach the harness.
fn fail(payload: Box<dyn Any + Send>) -> ! {
    if payload.is::<String>() || payload.is::<&str>() {
        resume_unwind(payload);
    }
    std::mem::forget(payload);
    panic!("a panic of the function or source came out where none was expected");
}

/// Waits for an event as long as a test may take.
pub(crate) fn wait_for<T>(receiver: &mpsc::Receiver<T>) -> T {
    receiver.recv_timeout(HANGS).expect("the event never came")
}

/// Waits until every sender is gone: until nobody holds the closure that owned it.
pub(crate) fn wait_for_release<T>(receiver: &mpsc::Receiver<T>) {
    loop {
        match receiver.recv_timeout(HANGS) {
            Ok(_) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => panic!("the function is still held somewhere"),
        }
    }
}

/// Computes for about `micros` microseconds.
pub(crate) fn compute(micros: u64) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_micros(micros) {
        std::hint::spin_loop();
    }
}

/// Items taken from a source and given back as results. Not `Send`, like many sources.
#[derive(Default)]
pub(crate) struct Meter {
    taken: Cell<usize>,
    yielded: Cell<usize>,
    most: Cell<usize>,
}

impl Meter {
    pub(crate) fn source<S: Iterator>(self: &Rc<Self>, source: S) -> Metered<S> {
        Metered { source, meter: Rc::clone(self) }
    }

    /// A result has arrived.
    pub(crate) fn count(&self) {
        self.yielded.set(self.yielded.get() + 1);
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.get()
    }

    /// Items that are out.
    pub(crate) fn out(&self) -> usize {
        self.taken.get() - self.yielded.get()
    }

    /// Most items that were out at any pull.
    pub(crate) fn most(&self) -> usize {
        self.most.get()
    }
}

pub(crate) struct Metered<S> {
    source: S,
    meter: Rc<Meter>,
}

impl<S: Iterator> Iterator for Metered<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        let item = self.source.next()?;
        let meter = &self.meter;
        meter.taken.set(meter.taken.get() + 1);
        meter.most.set(meter.most.get().max(meter.out()));
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}

/// What [`boom`] throws.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Boom(pub(crate) u64);

/// Panics without the message that would clutter the output of a passing test.
pub(crate) fn boom(at: u64) -> ! {
    resume_unwind(Box::new(Boom(at)))
}

/// Runs `action`, which must panic with [`Boom`]; returns where.
pub(crate) fn caught<T>(action: impl FnOnce() -> T) -> u64 {
    let Err(payload) = catch_unwind(AssertUnwindSafe(action)) else { panic!("nothing panicked") };
    match payload.downcast::<Boom>() {
        Ok(boom) => boom.0,
        Err(other) => resume_unwind(other),
    }
}

/// How many values of a kind live, and how many ever did.
#[derive(Clone, Default)]
pub(crate) struct Census(Arc<(AtomicUsize, AtomicUsize)>);

impl Census {
    pub(crate) fn born(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    pub(crate) fn died(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }

    pub(crate) fn value(&self, number: u64) -> Counted {
        self.0.0.fetch_add(1, Ordering::SeqCst);
        Counted { number, census: self.clone() }
    }
}

/// A value whose life is counted.
pub(crate) struct Counted {
    pub(crate) number: u64,
    census: Census,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.census.0.1.fetch_add(1, Ordering::SeqCst);
    }
}

/// The ways of running that every promise is tested in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Planned,
    Serial,
    Ordered,
    Unordered,
    /// Many threads, of which most find no core.
    Crowd,
    /// Many threads that may finish in any order.
    UnorderedCrowd,
    /// One thread and the consumer.
    Single,
}

pub(crate) const WAYS: [Way; 7] =
    [Way::Planned, Way::Serial, Way::Ordered, Way::Unordered, Way::Crowd, Way::UnorderedCrowd, Way::Single];

impl Way {
    pub(crate) fn is_ordered(self) -> bool {
        !matches!(self, Way::Unordered | Way::UnorderedCrowd)
    }

    /// Sets the options of this way, and none that would learn from or teach other runs.
    pub(crate) fn of<W>(self, tuner: Tuner<W>) -> Tuner<W> {
        let tuner = tuner.online_learning(false).ml_prediction(false).ordered(self.is_ordered());
        match self {
            Way::Planned => tuner,
            Way::Serial => tuner.pool(Pool::Serial),
            Way::Ordered | Way::Unordered => tuner.threads(2),
            Way::Crowd | Way::UnorderedCrowd => tuner.threads(8),
            Way::Single => tuner.pool(Pool::Cpu).threads(1),
        }
    }
}

/// Sorted if the way keeps no order.
pub(crate) fn in_order<T: Ord>(way: Way, mut results: Vec<T>) -> Vec<T> {
    if !way.is_ordered() {
        results.sort_unstable();
    }
    results
}
