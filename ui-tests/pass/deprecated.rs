//! The added code may call a deprecated function; users are told.

#![deny(warnings)]

#[deprecated(note = "use another")]
#[amorsize::streaming]
pub fn before(n: u64) -> u64 {
    n
}

#[amorsize::streaming]
#[deprecated]
pub fn after(n: u64, factor: u64) -> u64 {
    n * factor
}

fn main() {
    #[allow(deprecated)]
    let sum = before::stream(0..3).sum::<u64>() + after::with(2).stream(0..3).sum::<u64>();
    assert_eq!(sum, 9);
}
