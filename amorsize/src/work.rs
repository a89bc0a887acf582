//! How a function takes its item: by value, or by reference from anything that can be borrowed as it.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

/// A per-item function as the engine calls it. Implemented by [`ByValue`] and [`ByRef`]; not meant for other types.
#[diagnostic::on_unimplemented(
    message = "this function does not take items of type `{I}`",
    label = "the items of this source are `{I}`",
    note = "a function of `T` takes items of type `T`; a function of `&T` takes any item that is `Borrow<T>`"
)]
pub trait Work<I> {
    /// What the function returns.
    type Output;

    /// Calls the function.
    fn call(&self, item: I) -> Self::Output;

    /// Bytes of a result with what it owns, as far as can be told.
    fn result_bytes(&self, result: &Self::Output) -> usize {
        size_of_val(result)
    }
}

/// A function that takes its item by value.
#[derive(Clone, Copy)]
pub struct ByValue<F>(pub(crate) F);

impl<I, R, F: Fn(I) -> R> Work<I> for ByValue<F> {
    type Output = R;

    #[inline]
    fn call(&self, item: I) -> R {
        (self.0)(item)
    }
}

/// A function that takes a reference, and so any item that is `Borrow<B>`.
pub struct ByRef<B: ?Sized, F>(pub(crate) F, PhantomData<fn(&B)>);

impl<B: ?Sized, F> ByRef<B, F> {
    pub(crate) fn new(function: F) -> Self {
        Self(function, PhantomData)
    }
}

impl<I: Borrow<B>, B: ?Sized, R, F: Fn(&B) -> R> Work<I> for ByRef<B, F> {
    type Output = R;

    #[inline]
    fn call(&self, item: I) -> R {
        (self.0)(item.borrow())
    }
}

impl<F> fmt::Debug for ByValue<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByValue")
    }
}

impl<B: ?Sized, F> fmt::Debug for ByRef<B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByRef")
    }
}
