#[amorsize::streaming(
    ordered = 1,
    threads = "four",
    chunk_size = 64.0,
    buffer_size = true,
    pool = "cpu",
    sample_size = "5",
    estimated_item_time = 200,
    target_chunk_duration = 2ms,
    result_bytes = -1,
    ml_prediction = yes,
    online_learning = 0,
    confidence_threshold = "high",
    adaptive_chunking = slow,
    memory_threshold = false,
    crate = "amorsize"
)]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {}
