#[amorsize::streaming(
    threads = 0,
    chunk_size = 0,
    buffer_size = 99999999999999999999,
    max_blocking_threads = -4,
    pool = gpu,
    sample_size = 20_000,
    confidence_threshold = 1.5,
    adaptive_chunking = -0.1,
    memory_threshold = 80
)]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {}
