//! How often the process allocates while a stream runs: never for an item, a few times for a chunk. One test, because
//! the count is the whole process's.

use std::alloc::System;

use amorsize::{ByValue, Pool, Tuner};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Most allocations for a chunk: its items, its results, and the job that may have to be started for it.
const A_CHUNK: usize = 3;
/// Allocations of a whole stream that do not depend on its length.
const A_STREAM: usize = 60;

/// The least of a few counts: threads that are still starting or ending only add.
fn allocations(mut run: impl FnMut()) -> usize {
    let mut count = || {
        let region = Region::new(ALLOCATOR);
        run();
        let change = region.change();
        change.allocations + change.reallocations
    };
    (0..4).map(|_| count()).min().expect("four of them")
}

fn adding() -> Tuner<ByValue<impl Fn(u64) -> u64 + Send + Sync + 'static>> {
    Tuner::new("adding", |item: u64| item + 1).online_learning(false).ml_prediction(false)
}

fn computing() -> Tuner<ByValue<impl Fn(u64) -> u64 + Send + Sync + 'static>> {
    let function = |item: u64| (0..50).fold(item, |sum, step| std::hint::black_box(sum ^ step));
    Tuner::new("computing", function).online_learning(false).ml_prediction(false)
}

#[test]
fn of_items_and_chunks() {
    warm_up();
    serial_streams_allocate_nothing_for_an_item();
    planned_loops_allocate_nothing_for_an_item();
    parallel_streams_allocate_for_chunks_only();
}

/// What is allocated once in a process: pools, thread locals, what was found out about the machine.
fn warm_up() {
    assert_eq!(computing().threads(2).stream(0..10_000).count(), 10_000);
    assert_eq!(computing().threads(2).collect::<Vec<_>>(0..10_000).len(), 10_000);
    assert_eq!(adding().threads(1).run(0..10).items_out(), 10);
}

fn serial_streams_allocate_nothing_for_an_item() {
    for tuner in [adding().threads(1), adding().pool(Pool::Serial)] {
        let mut stream = tuner.stream(0_u64..);
        assert!(stream.next().is_some());
        assert_eq!(allocations(|| assert_eq!(stream.by_ref().take(100_000).count(), 100_000)), 0);
        let of = |items: u64| {
            let streamed = allocations(|| assert_eq!(tuner.stream(0..items).count() as u64, items));
            let run = allocations(|| assert_eq!(tuner.run(0..items).items_out(), items));
            let mut seen = 0;
            let each = allocations(|| tuner.for_each(0..items, |_| seen += 1));
            (streamed, run, each)
        };
        assert_eq!(of(100_000), of(10));
    }
}

fn planned_loops_allocate_nothing_for_an_item() {
    let tuner = adding();
    let count = allocations(|| assert_eq!(tuner.stream(0..1_000_000).count(), 1_000_000));
    assert!(count < A_STREAM + 1_000_000 / 100, "{count} allocations for a million items");
}

fn parallel_streams_allocate_for_chunks_only() {
    for ordered in [true, false] {
        for chunk_size in [1, 10, 100] {
            let chunks = 300;
            let items = chunks * chunk_size as u64;
            let tuner = computing().threads(2).ordered(ordered).chunk_size(chunk_size).buffer_size(16 * chunk_size);
            let streamed = allocations(|| assert_eq!(tuner.stream(0..items).count() as u64, items));
            let borrowed = allocations(|| assert_eq!(tuner.run(0..items).items_out(), items));
            for count in [streamed, borrowed] {
                let most = A_STREAM + A_CHUNK * chunks as usize;
                assert!(count <= most, "{count} allocations for {chunks} chunks of {chunk_size}, ordered: {ordered}");
            }
        }
    }
}
