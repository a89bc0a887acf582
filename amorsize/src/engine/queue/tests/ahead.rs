//! Items that were pulled ahead of the first one.

use super::*;
use crate::decide::early::Pinned;

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
    assert!(!queue.take_turn(queue.epoch(), &|cores| asked.set(asked.get() + cores)));
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
