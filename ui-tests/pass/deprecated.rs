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

#[deprecated]
pub struct Old(pub u64);

#[allow(deprecated)]
#[amorsize::streaming]
pub fn allowed(old: Old) -> u64 {
    old.0
}

#[amorsize::streaming]
#[expect(deprecated, reason = "it is still in use")]
pub fn expected(n: u64, old: &Old) -> Option<Old> {
    Some(Old(n + old.0))
}

fn main() {
    #[allow(deprecated)]
    let sum = before::stream(0..3).sum::<u64>() + after::with(2).stream(0..3).sum::<u64>();
    assert_eq!(sum, 9);
    #[allow(deprecated)]
    let (sum, last) = (allowed::stream([Old(1), Old(2)]).sum::<u64>(), expected::with(Old(1)).collect::<Vec<_>>([2]));
    assert_eq!((sum, last.len()), (3, 1));
}
