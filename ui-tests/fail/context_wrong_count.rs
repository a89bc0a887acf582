#[amorsize::streaming]
fn scale(n: u64, factor: &u64, offset: u64) -> u64 {
    n * factor + offset
}

fn main() {
    scale::with(&2);
    scale::with(&2, 3, 4);
    scale::with("2", 3);
}
