//! What a person would write by hand: chunks over crossbeam-channel, put back in order by their number.

use std::collections::BTreeMap;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

/// Chunks in flight for each worker.
const CHUNKS_A_WORKER: usize = 4;

/// Maps `source` on `workers` threads and reads the results in order; returns the sum of what was read.
pub(crate) fn ordered<I, R>(
    mut source: impl Iterator<Item = I>,
    work: &(impl Fn(I) -> R + Sync),
    read: impl Fn(R) -> u64,
    chunk: usize,
    workers: usize,
) -> u64
where
    I: Send,
    R: Send,
{
    let window = CHUNKS_A_WORKER * workers;
    let (to, tasks) = bounded::<(usize, Vec<I>)>(window);
    let (back, done) = bounded(window);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (tasks, back) = (tasks.clone(), back.clone());
            scope.spawn(move || serve(&tasks, &back, work));
        }
        let mut next_chunk = move || {
            let items: Vec<I> = source.by_ref().take(chunk).collect();
            (!items.is_empty()).then_some(items)
        };
        let (mut sent, mut read_chunks, mut sum) = (0, 0, 0u64);
        let mut waiting = BTreeMap::new();
        loop {
            while sent - read_chunks < window
                && let Some(items) = next_chunk()
            {
                to.send((sent, items)).expect("the workers outlive the channel");
                sent += 1;
            }
            if read_chunks == sent {
                drop(to);
                return sum;
            }
            sum = receive(&done, &mut waiting, read_chunks).into_iter().map(&read).fold(sum, u64::wrapping_add);
            read_chunks += 1;
        }
    })
}

fn serve<I, R>(tasks: &Receiver<(usize, Vec<I>)>, back: &Sender<(usize, Vec<R>)>, work: &impl Fn(I) -> R) {
    for (number, items) in tasks {
        let results = items.into_iter().map(work).collect();
        if back.send((number, results)).is_err() {
            return;
        }
    }
}

/// Waits for the results of chunk `number`.
fn receive<R>(done: &Receiver<(usize, Vec<R>)>, waiting: &mut BTreeMap<usize, Vec<R>>, number: usize) -> Vec<R> {
    loop {
        if let Some(results) = waiting.remove(&number) {
            return results;
        }
        let (number, results) = done.recv().expect("the workers outlive the channel");
        waiting.insert(number, results);
    }
}
