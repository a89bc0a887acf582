#[amorsize::streaming]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {
    square::steam(0..3);
    sqare::stream(0..3);
    square(1, 2);
}
