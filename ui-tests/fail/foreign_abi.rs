#[amorsize::streaming]
extern "C" fn square(n: u64) -> u64 {
    n * n
}

fn main() {}
