#[amorsize::streaming(estimated_item_time = "5 parsecs", target_chunk_duration = "0ms")]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {}
