const THREADS: usize = 4;

#[amorsize::streaming(threads = THREADS, chunk_size = 2 * 32, buffer_size = auto)]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {}
