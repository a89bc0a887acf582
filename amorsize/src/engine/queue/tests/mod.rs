//! Who takes, divides and waits for chunks: with threads only where they are what is tested.
//!
//! - here: who takes them, and who sleeps
//! - [`ahead`]: what was pulled ahead of the first item
//! - [`divided`]: what is given away of a chunk, or handed in

mod ahead;
mod divided;

use std::panic::panic_any;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;
use crate::decide::observed::{Clocks, Runner};
use crate::engine::chunk::How;
use crate::engine::clock::Delays;
use crate::work::{ByValue, Work};

const LONG: Duration = Duration::from_millis(20);
const HELPS: Waiting = Waiting { helps: true, is_short: false, patience: Duration::ZERO };
const LEAVES_IT: Waiting = Waiting { helps: false, is_short: false, patience: Duration::MAX };
/// Waits for results alone, whatever else may come.
const PASSIVE: Sleeper = Sleeper { next: 0, waiting: LEAVES_IT, most_tickets: 0, few_chunks: 0, until: None };

fn chunk<R>(items: impl Iterator<Item = u64>) -> Chunk<u64, R> {
    Chunk { start: 0, items: items.collect(), results: Vec::new(), how: How::unknown(Clocks::Wall, false) }
}

/// A chunk that is thought to take so long.
fn expected(expected: Duration, items: impl Iterator<Item = u64>) -> Chunk<u64, u64> {
    let chunk = chunk(items);
    Chunk { how: How { expected, ..chunk.how }, ..chunk }
}

/// What the consumer makes of a chunk of its own, beside others.
fn run_own<W: Work<u64, Output = R>, R>(queue: &Queue<W, u64, R>, own: Chunk<u64, R>) -> Batch<R> {
    queue.run_here(own, Runner::Consumer, &mut Delays::now_and_then(), &mut || ())
}

/// Of a function that takes long.
fn slow() -> Queue<ByValue<impl Fn(u64) -> u64>, u64, u64> {
    let work = |item: u64| {
        thread::sleep(LONG);
        item
    };
    Queue::new(Arc::new(ByValue(work)))
}

#[test]
fn what_is_run_alone_is_short_and_the_rest_stays_where_it_was() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| item)));
    queue.configure(0, true, false);
    queue.push(chunk(0..5), 0);
    queue.push(Chunk { start: 5, ..chunk(5..9) }, 0);
    let mut taken = Vec::new();
    while let Some((chunk, runner)) = queue.take_chunk(HELPS, 3) {
        assert_eq!(runner, Runner::Alone);
        let start = chunk.start;
        let (batch, _) = queue
            .deposit(queue.run_here(chunk, runner, &mut Delays::now_and_then(), &mut || ()), start)
            .expect("what comes next");
        taken.push((start, batch.results));
    }
    assert_eq!(taken, [(0, vec![0, 1, 2]), (3, vec![3, 4]), (5, vec![5, 6, 7]), (8, vec![8])]);
}

#[test]
fn the_vectors_of_a_chunk_come_back_to_the_consumer_who_made_them() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| item)));
    queue.configure(1, true, false);
    let given = Chunk { results: Vec::with_capacity(4), ..chunk(0..4) };
    let (items, results) = (given.items.as_ptr(), given.results.as_ptr());
    assert!(queue.push(given, 1));
    queue.run_ticket(queue.epoch());
    let mut spent = Vec::new();
    let batch = queue.poll(0, 0, usize::MAX, &mut spent).batch.expect("all of it was run");
    assert_eq!(batch.results, [0, 1, 2, 3]);
    assert_eq!((spent.len(), spent[0].as_ptr(), batch.results.as_ptr()), (1, items, results));
    assert!(spent[0].is_empty());
}

#[test]
fn vectors_that_nobody_needs_are_not_kept() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| item)));
    queue.configure(1, true, false);
    let spent_of = |chunks: u64, capacity| {
        for start in 0..chunks {
            let mut items = Vec::with_capacity(capacity);
            items.push(start);
            queue.push(Chunk { start, items, ..chunk(0..0) }, 1);
        }
        queue.run_ticket(queue.epoch());
        let mut spent = Vec::new();
        queue.poll(0, 0, usize::MAX, &mut spent);
        spent.len()
    };
    assert_eq!(spent_of(3, 8), 3);
    assert!((4..=64).contains(&spent_of(1_000, 8)), "as many as may be needed soon");
    assert_eq!(spent_of(3, 1 << 20), 0, "large ones are memory that somebody else may need");
}

#[test]
fn nobody_runs_what_is_behind_a_panic_of_the_consumers_own_chunk() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| if item == 1 { panic_any("item 1") } else { item })));
    queue.configure(2, true, false);
    queue.push(chunk(0..4), 0);
    queue.push(Chunk { start: 4, ..chunk(4..8) }, 0);
    let (own, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    let (batch, _) = queue.deposit(run_own(&queue, own), 0).expect("what comes next");
    assert_eq!((batch.results, batch.panic.is_some()), (vec![0], true));
    assert!(queue.take_chunk(HELPS, usize::MAX).is_none());
}

#[test]
fn a_thread_that_has_worked_for_long_comes_back_for_the_rest() {
    let queue = slow();
    queue.configure(1, true, false);
    (0..3).for_each(|start| assert_eq!(queue.push(Chunk { start, ..chunk(start..start + 1) }, 1), start == 0));
    let turns = || queue.take_turn(queue.epoch(), &|_| ());
    assert_eq!([turns(), turns(), turns()], [true, true, false]);
    let next = |next| queue.poll(next, 0, usize::MAX, &mut Vec::new()).batch.is_some();
    assert_eq!([0, 1, 2].map(next), [true; 3]);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_consumer_that_is_woken_again_and_again_in_its_own_chunk_is_left_alone_until_it_is_back() {
    const CHUNKS: u64 = 300;
    let is_over = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&is_over);
    let work = move |item: u64| {
        while item == 0 && !until.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_micros(20));
        }
        thread::sleep(Duration::from_millis(2));
        item
    };
    let queue = Queue::new(Arc::new(ByValue(work)));
    queue.configure(2, true, false);
    (0..CHUNKS).for_each(|start| _ = queue.push(Chunk { start, ..chunk(start..start + 1) }, 1));
    let (own, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    let batch = thread::scope(|scope| {
        scope.spawn(|| {
            queue.run_ticket(queue.epoch());
            is_over.store(true, Ordering::Relaxed);
        });
        run_own(&queue, own)
    });
    queue.deposit(batch, 0).expect("what comes next");
    let polled = queue.poll(1, 1, usize::MAX, &mut Vec::new());
    assert!(polled.queued > 0 && polled.claimed, "the thread had nothing else to end for");
    let (_, runner) = queue.take_chunk(HELPS, usize::MAX).expect("the others are still to be run");
    assert_eq!(runner, Runner::Consumer);
}

#[test]
fn a_chunk_of_the_consumers_that_may_take_for_ever_is_never_overdue() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| item)));
    queue.configure(usize::MAX, true, false);
    queue.push(expected(Duration::MAX, 0..1), 1);
    queue.push(Chunk { start: 1, ..chunk(1..2) }, 1);
    let (own, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert!(!queue.take_turn(queue.epoch(), &|_| ()), "there is nothing more");
    let batch = run_own(&queue, own);
    assert_eq!(queue.deposit(batch, 0).expect("what comes next").0.results, [0]);
}

/// A pool may have fewer threads than the plan: those that run are all there will be.
#[test]
fn a_consumer_that_launched_all_its_tickets_sleeps_while_some_of_them_wait_for_a_thread() {
    let mut state = State::<u64, u64>::new();
    state.staff.limit = 4;
    state.queued.extend((0..4).map(|start| Chunk { start, ..chunk(start..start + 1) }));
    assert!((0..3).all(|_| state.claim_ticket(3)), "one each");
    let running = state.take_chunk(4).is_some();
    let stock = state.stock();
    let sleeper = Sleeper { most_tickets: 3, ..PASSIVE };
    assert!(
        running && !state.staff.may_wake(stock, sleeper),
        "2 more chunks than threads to come, and no ticket to launch"
    );
    assert!(state.staff.may_wake(stock, Sleeper { most_tickets: 4, ..sleeper }), "to launch another one");
    assert!(state.staff.may_wake(stock, Sleeper { few_chunks: 4, ..sleeper }), "to pull");
    assert!(!state.staff.may_wake(stock, Sleeper { few_chunks: 3, ..sleeper }));
    assert!(state.staff.may_wake(stock, Sleeper { waiting: HELPS, ..sleeper }), "to run one");
}

/// A ticket that could take nothing would end at once and be launched again, for as long as the others run.
#[test]
fn no_ticket_is_launched_while_chunks_of_the_former_pool_run_in_all_places() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| item)));
    queue.configure(2, true, false);
    assert_eq!([0, 1, 2].map(|start| queue.push(Chunk { start, ..chunk(start..start + 1) }, 2)), [true, true, false]);
    let (first, second) = (queue.take_chunk(HELPS, 1).unwrap(), queue.take_chunk(HELPS, 1).unwrap());
    queue.configure(2, true, true);
    assert!(!queue.claim(2));
    queue.deposit(queue.run_whole(first.0), 0);
    assert!(queue.claim(2), "a place is free");
    queue.deposit(queue.run_whole(second.0), 1);
    assert!(!queue.claim(2), "one for the chunk that is left");
}

#[test]
fn a_consumer_leaves_chunks_to_threads_that_are_about_to_begin() {
    let queue: Queue<_, _, u64> = Queue::new(Arc::new(ByValue(|item: u64| item)));
    queue.configure(8, true, false);
    assert!(queue.push(chunk(0..1), 8));
    assert!(queue.take_chunk(LEAVES_IT, usize::MAX).is_none(), "a ticket was launched");
    let patience = Duration::from_millis(1);
    assert!(
        queue.wait(Sleeper { waiting: Waiting { patience, ..LEAVES_IT }, ..PASSIVE }, &mut 0),
        "no longer than that"
    );
    assert!(queue.take_chunk(Waiting { patience, ..LEAVES_IT }, usize::MAX).is_some(), "no thread has come");
}

#[test]
fn a_consumer_whose_tickets_found_no_thread_runs_everything_itself() {
    let queue: Queue<_, _, u64> = Queue::new(Arc::new(ByValue(|item: u64| item)));
    queue.configure(8, true, false);
    assert!(queue.push(chunk(0..1), 1));
    assert_eq!(queue.return_ticket(queue.epoch()), 0);
    assert!(queue.wait(PASSIVE, &mut 0));
    assert!(queue.take_chunk(LEAVES_IT, usize::MAX).is_some());
}

#[test]
fn where_results_take_more_than_there_is_room_for_only_what_comes_next_is_made() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| vec![0u8; 100 * (item as usize + 1)])));
    queue.configure(2, true, false);
    for start in 0..4 {
        queue.push(Chunk { start, ..chunk(start..start + 1) }, 0);
    }
    let expect = |next, most_bytes| queue.poll(next, 2, most_bytes, &mut Vec::new());
    expect(0, 150);
    let (first, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    queue.run_ticket(queue.epoch());
    let claimed = expect(0, 150).claimed;
    assert!(!claimed && queue.take_chunk(HELPS, usize::MAX).is_none(), "the second result is there, and is too much");
    let (batch, _) = queue.deposit(run_own(&queue, first), 0).expect("what comes next");
    assert_eq!(batch.results.len(), 1);
    let polled = expect(1, 150);
    assert!(polled.batch.is_some() && polled.claimed, "it was yielded, so that threads go on");
    let (third, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert_eq!(third.start, 2);
    assert!(queue.deposit(run_own(&queue, third), 3).is_none(), "not asked for, so it waits");
    expect(3, 150);
    let (next, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert_eq!(next.start, 3, "what comes next is made in any case");
}
