#[amorsize::streaming(ordered, threads(4), pool =, = 4, "fast", chunk_size: 4)]
fn square(n: u64) -> u64 {
    n * n
}

#[amorsize::streaming(threads == 4, pool => cpu)]
fn cube(n: u64) -> u64 {
    n * n * n
}

fn main() {}
