//! What is learned of a function can be asked for without its context.

#[amorsize::streaming]
fn plain(n: u64) -> u64 {
    n
}

#[amorsize::streaming]
pub(crate) fn bound(n: u64, by: &u64) -> u64 {
    n * by
}

#[amorsize::streaming]
fn generic<T>(item: T, _more: &T) -> T {
    item
}

fn asked(
    forget: fn() -> Result<(), amorsize::Error>,
    predict: fn(usize) -> Option<amorsize::Prediction>,
    history: fn() -> Result<amorsize::History, amorsize::Error>,
    record: fn(amorsize::Outcome) -> Result<(), amorsize::Error>,
) -> Result<(), amorsize::Error> {
    forget()?;
    assert!(predict(1_000).is_none());
    record(amorsize::Outcome::new(1_000, std::time::Duration::from_micros(5)))?;
    assert_ne!(format!("{:?}", history()?), "");
    forget()
}

fn main() -> Result<(), amorsize::Error> {
    asked(plain::forget, plain::predict, plain::history, plain::record)?;
    asked(bound::forget, bound::predict, bound::history, bound::record)?;
    asked(generic::<u8>::forget, generic::<u8>::predict, generic::<u8>::history, generic::<u8>::record)?;
    assert_eq!(plain::stream([1]).chain(bound::with(2).stream([1])).chain(generic::with(1).stream([1])).count(), 3);
    Ok(())
}
