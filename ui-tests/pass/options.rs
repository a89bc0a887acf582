//! Every option, with every kind of value.

#[amorsize::streaming(
    ordered = false,
    threads = 2,
    chunk_size = 4usize,
    buffer_size = 0x40,
    pool = cpu,
    max_blocking_threads = 8,
    sample_size = 10_000,
    estimated_item_time = "1.5 ms",
    target_chunk_duration = "200µs",
    result_bytes = 0,
    ml_prediction = false,
    online_learning = true,
    confidence_threshold = 1,
    adaptive_chunking = 0.25,
    memory_threshold = 0.5,
    crate = amorsize,
)]
fn all(n: u64) -> u64 {
    n
}

#[amorsize::streaming(ordered = auto, pool = blocking, adaptive_chunking = true, memory_threshold = off)]
fn some(n: u64) -> u64 {
    n
}

#[amorsize::streaming()]
fn none(n: u64) -> u64 {
    n
}

fn main() {
    assert_eq!(all::stream(0..3).sum::<u64>(), 3);
    let debug = format!("{:?}", all::tuner());
    for part in ["Any", "Some(2)", "Some(4)", "Some(64)", "Some(Cpu)", "10000", "1.5ms", "200µs", "0.25", "Some(0.5)"] {
        assert!(debug.contains(part), "{part} in {debug}");
    }
    let debug = format!("{:?}", some::tuner().pool(None).threads(3));
    for part in ["Auto", "pool: None", "Some(3)", "memory_threshold: None"] {
        assert!(debug.contains(part), "{part} in {debug}");
    }
    assert_eq!(none::stream(0..3).sum::<u64>(), 3);
}
