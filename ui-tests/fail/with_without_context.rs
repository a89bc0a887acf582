#[amorsize::streaming]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {
    square::with(4).stream(0..3);
}
