//! What must not unwind: users' values that are dropped where nobody is left to receive a panic, and whoever listens to
//! events where one would end a thread that others count on.

use std::any::Any;
use std::mem::needs_drop;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `act` returns, or `None` if it panics.
pub(crate) fn quietly<T>(act: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(value) => Some(value),
        Err(payload) => {
            forget_panic(payload);
            None
        }
    }
}

/// The payload is the user's too, and its `Drop` may panic again.
fn forget_panic(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        std::mem::forget(second);
    }
}

/// Drops a user's value.
pub(crate) fn drop_quietly<T>(value: T) {
    if quietly(move || drop(value)).is_none() {
        warn_of_drop();
    }
}

fn warn_of_drop() {
    quietly(|| tracing::warn!(target: "amorsize", "dropping an item or result of a cancelled stream panicked"));
}

/// Drops a user's values one by one: should two of them panic in one go, the process would end.
pub(crate) fn drop_each_quietly<T>(values: impl IntoIterator<Item = T>) {
    if needs_drop::<T>() {
        values.into_iter().for_each(drop_quietly);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{panic_any, resume_unwind};

    use super::*;

    struct Fails;

    impl Drop for Fails {
        fn drop(&mut self) {
            resume_unwind(Box::new("in `Drop`"));
        }
    }

    #[test]
    fn nothing_unwinds_not_even_what_a_panic_carries() {
        assert_eq!(quietly(|| 1), Some(1));
        assert_eq!(quietly(|| panic_any(Fails)), None::<()>);
        drop_each_quietly([Fails, Fails]);
    }
}
