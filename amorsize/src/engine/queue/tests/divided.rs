//! Chunks of which a part is given away, or handed in.

use super::*;

#[test]
fn the_consumers_own_long_chunk_is_divided_when_a_thread_has_nothing_to_do() {
    let queue = slow();
    queue.configure(2, true, false);
    assert!(queue.push(expected(8 * LONG, 0..8), 1), "a ticket for the chunk");
    let (own, runner) = queue.take_chunk(HELPS, usize::MAX).unwrap();
    assert_eq!(runner, Runner::Consumer);
    // The ticket comes too late, finds nothing, and asks.
    queue.run_ticket(queue.epoch());
    let mut launched = 0;
    let batch = queue.run_here(own, Runner::Consumer, &mut Delays::now_and_then(), &mut || launched += 1);
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
    assert_eq!(next.how.clocks, Clocks::All, "it may wait");
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
        queue
            .run_here(own, Runner::Consumer, &mut Delays::now_and_then(), &mut || panic!("nobody waits"))
            .results
            .len(),
        4
    );
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
