//! Streams at the same time: threads of one give way to the consumers of others. One test in a process of its own,
//! because all streams of a process count.

use std::collections::HashSet;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use amorsize::{ByValue, Pool, Tuner, machine};

const ITEMS: u64 = 10;
/// For how long each item waits for a second thread that has one: where there should be one, and where there should not.
const SURELY: Duration = Duration::from_secs(20);
const BRIEFLY: Duration = Duration::from_millis(2);

/// Who has run an item so far.
#[derive(Default)]
struct Runners {
    seen: Mutex<HashSet<ThreadId>>,
    more: Condvar,
}

impl Runners {
    /// Adds the calling thread, and waits for a second one; whether there is one.
    fn wait(&self, patience: Duration) -> bool {
        let mut seen = self.seen.lock().expect("nobody panics");
        seen.insert(thread::current().id());
        self.more.notify_all();
        let (seen, _) = self.more.wait_timeout_while(seen, patience, |seen| seen.len() < 2).expect("nobody panics");
        seen.len() > 1
    }

    fn count(&self) -> usize {
        self.seen.lock().expect("nobody panics").len()
    }
}

fn tuner<I, R, F: Fn(I) -> R>(name: &'static str, item_time: Duration, function: F) -> Tuner<ByValue<F>> {
    Tuner::new(name, function).estimated_item_time(item_time).online_learning(false).ml_prediction(false)
}

/// Threads that run a function which is worth two of them, as far as anybody is told.
fn runners(patience: Duration) -> usize {
    let runners = Arc::new(Runners::default());
    let counted = Arc::clone(&runners);
    let function = move |item: u64| {
        let has_company = runners.wait(patience);
        assert!(has_company || patience < SURELY, "no thread came");
        item
    };
    let mut stream = tuner("shared", Duration::from_millis(1), function).stream(0..ITEMS);
    assert_eq!(stream.plan().pool(), Pool::Cpu, "it is planned as if it were alone");
    assert!(stream.eq(0..ITEMS));
    counted.count()
}

/// A consumer that has begun with an item, and ends it when it is told to.
fn at_work() -> (JoinHandle<()>, Sender<()>) {
    let (begins, has_begun) = channel();
    let (end, ends) = channel();
    let ends = Mutex::new(ends);
    let consumer = thread::spawn(move || {
        let function = move |()| {
            begins.send(()).expect("somebody waits");
            ends.lock().expect("one item").recv().expect("it is told");
        };
        tuner("long", Duration::from_secs(10), function).run([()]);
    });
    has_begun.recv().expect("it begins");
    (consumer, end)
}

#[test]
fn threads_give_way_while_every_core_has_a_consumer_at_work() {
    let cores = machine().cores();
    if cores < 2 {
        return;
    }
    assert!(runners(SURELY) > 1, "nobody else is there");
    let others: Vec<_> = (1..cores).map(|_| at_work()).collect();
    assert_eq!(runners(BRIEFLY), 1);
    for (consumer, end) in others {
        end.send(()).expect("it waits");
        consumer.join().expect("it has ended");
    }
    assert!(runners(SURELY) > 1, "they are gone");
}
