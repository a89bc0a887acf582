#[amorsize::streaming(threads = 4,, ordered = false,)]
fn square(n: u64) -> u64 {
    n * n
}

#[amorsize::streaming(,)]
fn cube(n: u64) -> u64 {
    n * n * n
}

fn main() {}
