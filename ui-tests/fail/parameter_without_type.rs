//! The compiler says it, and once is enough.

#[amorsize::streaming]
fn square(n) -> u64 {
    n * n
}

#[amorsize::streaming]
fn scaled(n: u64, by: ) -> u64 {
    n * by
}

fn main() {}
