#[amorsize::streaming]
fn now() -> u64 {
    0
}

fn main() {}
