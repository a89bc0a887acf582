#[amorsize::streaming(threads = 2)]
#[amorsize::streaming(ordered = false)]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {
    square::run(0..3);
}
