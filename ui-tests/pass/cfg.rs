//! What is compiled out takes what was added with it.

#[amorsize::streaming]
#[cfg(not(test))]
fn twice(n: u64) -> u64 {
    n * 2
}

#[amorsize::streaming]
#[cfg(test)]
fn twice(n: u64) -> Missing {
    n
}

#[cfg(test)]
#[amorsize::streaming]
fn twice(n: Missing) -> Missing {
    n
}

fn main() {
    assert_eq!(twice::stream(0..3).sum::<u64>(), 6);
}
