//! Who takes, divides and waits for chunks: with threads only where they are what is tested.

use std::panic::panic_any;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;
use crate::decide::early::Pinned;
use crate::decide::observed::{Clocks, Runner};
use crate::engine::clock::Delays;
use crate::work::{ByValue, Work};

const LONG: Duration = Duration::from_millis(20);
const HELPS: Waiting = Waiting { helps: true, is_short: false, patience: Duration::ZERO };
const LEAVES_IT: Waiting = Waiting { helps: false, is_short: false, patience: Duration::MAX };
/// Waits for results alone, whatever else may come.
const PASSIVE: Sleeper = Sleeper { next: 0, waiting: LEAVES_IT, most_tickets: 0, few_chunks: 0, until: None };

fn chunk<R>(items: impl Iterator<Item = u64>) -> Chunk<u64, R> {
    Chunk {
        start: 0,
        items: items.collect(),
        results: Vec::new(),
        clocks: Clocks::Wall,
        stride: 1,
        expected: Duration::ZERO,
        has_pinned_size: false,
    }
}

/// What the consumer makes of a chunk of its own, beside others.
fn run_own<W: Work<u64, Output = R>, R>(queue: &Queue<W, u64, R>, own: Chunk<u64, R>) -> Batch<R> {
    queue.run_here(own, Runner::Consumer, &mut Delays::now_and_then(), || ())
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
            .deposit(queue.run_here(chunk, runner, &mut Delays::now_and_then(), || ()), start)
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
    let turns = || queue.take_turn(queue.epoch(), |_| ());
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
    queue.push(Chunk { expected: Duration::MAX, ..chunk(0..1) }, 1);
    queue.push(Chunk { start: 1, ..chunk(1..2) }, 1);
    let (own, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert!(!queue.take_turn(queue.epoch(), |_| ()), "there is nothing more");
    let batch = run_own(&queue, own);
    assert_eq!(queue.deposit(batch, 0).expect("what comes next").0.results, [0]);
}

#[test]
fn the_consumers_own_long_chunk_is_divided_when_a_thread_has_nothing_to_do() {
    let queue = slow();
    queue.configure(2, true, false);
    assert!(queue.push(Chunk { expected: 8 * LONG, ..chunk(0..8) }, 1), "a ticket for the chunk");
    let (own, runner) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert_eq!(runner, Runner::Consumer);
    // The ticket comes too late, finds nothing, and asks.
    queue.run_ticket(queue.epoch());
    let mut launched = 0;
    let batch = queue.run_here(own, Runner::Consumer, &mut Delays::now_and_then(), || launched += 1);
    assert_eq!((launched, batch.results), (1, vec![0, 1]), "one done, and one of the other seven kept, which are dear");
    let (back, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert_eq!((back.start, back.items), (2, vec![2, 3, 4, 5, 6, 7]));
}

#[test]
fn what_there_is_of_a_chunk_that_takes_far_longer_than_thought_is_handed_in_and_the_rest_is_next() {
    let queue = slow();
    queue.configure(1, true, false);
    queue.push(chunk(0..100), 1);
    queue.push(Chunk { start: 100, ..chunk(100..101) }, 1);
    let (own, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    let (batch, _) = queue.deposit(run_own(&queue, own), 0).expect("what comes next");
    assert_eq!(batch.results, [0]);
    let (next, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert_eq!(next.clocks, Clocks::All, "it may wait");
    assert_eq!((next.start, next.items), (1, (1..100).collect::<Vec<_>>()));
    assert_eq!(queue.run_whole(chunk(0..3)).results, [0, 1, 2], "who runs a trial waits for all of it");
}

#[test]
fn a_trial_is_not_divided_by_a_wish_from_before() {
    let queue = slow();
    queue.configure(2, true, false);
    assert!(queue.push(chunk(0..2), 1));
    let (first, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    queue.run_ticket(queue.epoch());
    let first = queue.run_whole(first);
    assert_eq!(queue.run_whole(chunk(2..6)).results, [2, 3, 4, 5], "asked for during {:?}", first.results);
    assert_eq!(queue.poll(0, 0, usize::MAX, &mut Vec::new()).queued, 0);
}

#[test]
fn a_chunk_that_is_pushed_answers_who_asked() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| item)));
    queue.configure(2, true, false);
    queue.push(chunk(0..4), 1);
    let (own, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    queue.run_ticket(queue.epoch());
    queue.push(chunk(4..8), 1);
    assert_eq!(
        queue.run_here(own, Runner::Consumer, &mut Delays::now_and_then(), || panic!("nobody waits")).results.len(),
        4
    );
}

/// A pool may have fewer threads than the plan: those that run are all there will be.
#[test]
fn a_consumer_that_launched_all_its_tickets_sleeps_while_some_of_them_wait_for_a_thread() {
    let mut state = State::<u64, u64>::new();
    state.limit = 4;
    state.queued.extend((0..4).map(|start| Chunk { start, ..chunk(start..start + 1) }));
    assert!((0..3).all(|_| state.claim_ticket(3)), "one each");
    let running = state.take_chunk(4).is_some();
    let sleeper = Sleeper { most_tickets: 3, ..PASSIVE };
    assert!(running && !state.may_wake(sleeper), "2 more chunks than threads to come, and no ticket to launch");
    assert!(state.may_wake(Sleeper { most_tickets: 4, ..sleeper }), "to launch another one");
    assert!(state.may_wake(Sleeper { few_chunks: 4, ..sleeper }), "to pull");
    assert!(!state.may_wake(Sleeper { few_chunks: 3, ..sleeper }));
    assert!(state.may_wake(Sleeper { waiting: HELPS, ..sleeper }), "to run one");
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

/// The consumer is with the first item, and ten others were pulled ahead.
fn with_ten_ahead<W>(queue: &Queue<W, u64, u64>, tickets: usize) -> usize {
    let terms = Terms { cores: 64, items: 11, most: 256, pinned: Pinned::default(), bytes: 100, tickets };
    queue.configure(2, true, false);
    queue.open_ahead(1, (1..=10).collect(), terms)
}

#[test]
fn threads_take_what_was_pulled_ahead_one_by_one_and_the_consumer_gets_the_rest() {
    let queue = Queue::new(Arc::new(ByValue(|item: u64| item)));
    assert_eq!(with_ten_ahead(&queue, 1), 1);
    let asked = std::cell::Cell::new(0);
    assert!(!queue.take_turn(queue.epoch(), |cores| asked.set(asked.get() + cores)));
    assert_eq!(asked.get(), 64, "the first one has somebody look in, with as many cores as there are");
    let left = queue.close_ahead().unwrap();
    assert_eq!((left.taken, left.items.len(), left.waiting.is_none()), (10, 0, true));
    let starts: Vec<_> =
        (1..=10).map(|next| queue.poll(next, 0, usize::MAX, &mut Vec::new()).batch.unwrap().results[0]).collect();
    assert_eq!(starts, (1..=10).collect::<Vec<_>>());
}

#[test]
fn the_first_item_is_whoever_comes_firsts_and_the_consumer_runs_the_next_unless_the_function_waits() {
    type Identity = Queue<ByValue<fn(u64) -> u64>, u64, u64>;
    let offered = |comes: &dyn Fn(&Identity)| {
        let queue: Identity = Queue::new(Arc::new(ByValue(|item| item)));
        let terms = Terms { cores: 2, items: 9, most: 256, pinned: Pinned::default(), bytes: 100, tickets: 1 };
        queue.configure(2, true, false);
        assert_eq!(queue.offer_ahead(0, [0].into(), terms), 1);
        comes(&queue);
        let added = queue.add_ahead([1, 2]);
        let first = queue.take_first();
        let batch = first.map(|(start, _)| run_own(&queue, chunk(start..start + 1)));
        let has_next = batch.is_some_and(|batch| queue.deposit(batch, 0).is_some());
        let left = queue.close_ahead().expect("it was offered");
        assert!(!queue.is_running());
        (added, first, has_next, left.taken, left.items)
    };
    let run = |queue: &Identity| queue.run_ticket(queue.epoch());
    let waits = |queue: &Identity| assert!(queue.claim_waiting(4, 0.9).is_some());
    assert_eq!(offered(&|_| ()), (Added::Alone, Some((0, 0)), true, 0, [1, 2].into()));
    assert_eq!(offered(&run), (Added::WithTicket, Some((1, 1)), true, 1, [2].into()));
    assert_eq!(offered(&waits), (Added::WhereTheyWait, Some((0, 0)), true, 0, [1, 2].into()));
    let run_and_wait = |queue: &Identity| {
        run(queue);
        waits(queue);
    };
    assert_eq!(offered(&run_and_wait), (Added::WhereTheyWait, None, false, 1, [1, 2].into()));
}

#[test]
fn nobody_goes_on_ahead_of_a_panic_or_of_too_many_bytes() {
    let taken = |work: fn(u64) -> u64, bytes| {
        let queue = Queue::new(Arc::new(ByValue(work)));
        let terms = Terms { cores: 2, items: 11, most: 256, pinned: Pinned::default(), bytes, tickets: 1 };
        queue.configure(2, true, false);
        queue.open_ahead(1, (1..=10).collect(), terms);
        queue.run_ticket(queue.epoch());
        assert!(queue.find_ahead().is_none(), "nothing more to do");
        queue.close_ahead().unwrap().taken
    };
    assert_eq!(taken(|item| item, 24), 3);
    assert_eq!(taken(|item| if item < 4 { item } else { std::panic::resume_unwind(Box::new(())) }, 1_000), 4);
}

#[test]
fn more_threads_are_had_within_what_is_left_and_waiting_ones_only_where_they_are_more() {
    let queue: Queue<_, _, u64> = Queue::new(Arc::new(ByValue(|item: u64| item)));
    assert_eq!(with_ten_ahead(&queue, 1), 1);
    assert_eq!(
        [4, 4, 64].map(|threads| queue.claim_ahead(threads).tickets),
        [2, 0, 10],
        "no more than there are items"
    );
    assert!(queue.claim_waiting(1, 1.0).is_none(), "the consumer is one");
    let epoch = queue.epoch();
    let claimed = queue.claim_waiting(4, 0.9).unwrap();
    assert_eq!((claimed.tickets, claimed.epoch), (3, epoch + 1));
    assert!(queue.find_ahead().is_none(), "somebody has found that out");
    queue.run_ticket(epoch);
    assert_eq!(queue.return_ticket(epoch), 3, "one of before");
    assert_eq!(queue.return_ticket(claimed.epoch), 2);
    let left = queue.close_ahead().unwrap();
    let waiting = left.waiting.unwrap();
    assert_eq!((left.items.len(), waiting.threads, waiting.epoch, waiting.share), (10, 4, claimed.epoch, 0.9));
    assert_eq!(queue.claim_ahead(8).tickets, 0, "the consumer is back");
}

#[test]
fn what_was_pulled_ahead_is_dropped_with_the_stream() {
    let queue: Queue<_, _, u64> = Queue::new(Arc::new(ByValue(|item: u64| item)));
    with_ten_ahead(&queue, 0);
    queue.cancel();
    assert!(queue.close_ahead().is_none());
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

#[test]
fn of_a_chunk_whose_results_turn_out_large_a_handful_is_handed_in() {
    const LARGE: usize = 1 << 20;
    let queue = Queue::new(Arc::new(ByValue(|_: u64| vec![0u8; LARGE])));
    queue.configure(1, true, false);
    queue.push(chunk(0..20), 0);
    queue.poll(0, 0, 4 * LARGE, &mut Vec::new());
    let (own, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    let (batch, _) = queue.deposit(run_own(&queue, own), 0).expect("what comes next");
    assert!((1..=9).contains(&batch.results.len()), "{}", batch.results.len());
    let (rest, _) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert_eq!((rest.start, rest.items.len()), (batch.results.len() as u64, 20 - batch.results.len()));
}
