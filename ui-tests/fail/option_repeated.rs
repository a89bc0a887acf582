#[amorsize::streaming(threads = 4, ordered = false, threads = 8)]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {}
