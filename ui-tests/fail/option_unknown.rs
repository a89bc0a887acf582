#[amorsize::streaming(thread = 4, buffer = 100, workers = 4)]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {
    square::run(0..3);
}
