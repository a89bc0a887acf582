//! How a function takes its item: by value, or by reference from anything that can be borrowed as it; and how an
//! annotated function is named as a type.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::bytes;
use sealed::Sealed;

/// A per-item function as the engine calls it. Implemented by [`Call`], [`ByValue`] and [`ByRef`], and by no type of
/// another crate: it may get further methods.
#[diagnostic::on_unimplemented(
    message = "this function does not take items of type `{I}`",
    label = "the items of this source are `{I}`",
    note = "a function of `T` takes items of type `T`: of a borrowed collection write `.iter().cloned()`, or have the \
            function take `&T`, and with it any item that is `Borrow<T>`",
    note = "the type of a tuner is `Tuner<ByValue<F>>` for a closure `F`, and what is generic over it says \
            `Tuner<W> where W: Work<Item, Output = …>`"
)]
pub trait Work<I>: Sealed {
    /// What the function returns.
    type Output;

    /// Calls the function.
    fn call(&self, item: I) -> Self::Output;

    /// Bytes of a result with what it owns, as far as can be told.
    fn result_bytes(&self, result: &Self::Output) -> usize {
        bytes::shallow_and_owned(result)
    }
}

mod sealed {
    pub trait Sealed {}
}

impl<F> Sealed for ByValue<F> {}
impl<B: ?Sized, F> Sealed for ByRef<B, F> {}
impl<W> Sealed for Discard<W> {}
impl<R> Sealed for Refused<R> {}
impl<N, C> Sealed for Call<N, C> {}

/// An item or context that is handed to a function's `&B`: whatever is `Borrow<B>`. (Its own trait only so that the
/// compiler says what to do about what is not.)
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed over as `&{B}`",
    label = "the function takes `&{B}`, and this is, or yields, `{Self}`",
    note = "a function of `&{B}` takes `&{B}` and whatever is `Borrow<{B}>`, but no reference to that",
    note = "for the items of a borrowed collection write `.iter().map(|item| &**item)`, for a context `&*context`, or \
            `&context[..]` of an array; for others `.map(…)` with whatever makes a `&{B}`"
)]
pub trait Borrowed<B: ?Sized> {
    /// The reference that the function gets.
    fn amorsize_borrowed(&self) -> &B;
}

#[diagnostic::do_not_recommend]
impl<T: Borrow<B>, B: ?Sized> Borrowed<B> for T {
    #[inline]
    fn amorsize_borrowed(&self) -> &B {
        self.borrow()
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

impl<I: Borrowed<B>, B: ?Sized, R, F: Fn(&B) -> R> Work<I> for ByRef<B, F> {
    type Output = R;

    #[inline]
    fn call(&self, item: I) -> R {
        (self.0)(item.amorsize_borrowed())
    }
}

/// A function whose results are dropped where they were made: results that own memory are cheaper to drop there than on
/// another thread.
#[derive(Debug)]
pub(crate) struct Discard<W>(pub(crate) Arc<W>);

impl<I, W: Work<I>> Work<I> for Discard<W> {
    type Output = ();

    #[inline]
    fn call(&self, item: I) {
        // Whoever asks for effects wants the function to run, and what is learned of it to be true: without this, one
        // without effects is left out altogether.
        black_box(&self.0.call(item));
    }
}

/// A function that lacks its context, for a call that is refused: whatever is chained to it is no second mistake.
#[doc(hidden)]
pub struct Refused<R>(PhantomData<fn() -> R>, Infallible);

impl<I, R> Work<I> for Refused<R> {
    type Output = R;

    fn call(&self, _: I) -> R {
        match self.1 {}
    }
}

/// An annotated function with its context, as a type without a value at run time: `Call<digest>` names what
/// `digest::stream` runs, so that a stream can be kept in a struct.
///
/// ```
/// #[amorsize::streaming]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// struct Squares {
///     stream: amorsize::Stream<std::ops::Range<u64>, amorsize::Call<square>>,
/// }
///
/// let squares = Squares { stream: square::stream(1..4) };
/// assert_eq!(squares.stream.sum::<u64>(), 14);
/// ```
///
/// `N` is the type that the attribute adds under the function's name, `C` a tuple of what `f::with` was given: it
/// returns a `Tuner<Call<score, (Model,)>>`.
pub struct Call<N, C = ()> {
    context: C,
    name: PhantomData<fn() -> N>,
}

impl<N, C> Call<N, C> {
    pub(crate) fn new(context: C) -> Self {
        Self { context, name: PhantomData }
    }
}

impl<N: Function<C, I>, C, I> Work<I> for Call<N, C> {
    type Output = N::Output;

    #[inline]
    fn call(&self, item: I) -> N::Output {
        N::call(&self.context, item)
    }

    fn result_bytes(&self, result: &N::Output) -> usize {
        N::result_bytes(result)
    }
}

/// What the attribute implements for the type it adds: the function, with its further parameters as a tuple of
/// contexts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take items of type `{I}`",
    label = "the items of this source are `{I}`",
    note = "a function of `T` takes items of type `T`: of a borrowed collection write `.iter().cloned()`, or have the \
            function take `&T`, and with it any item that is `Borrow<T>`"
)]
pub trait Function<C, I> {
    /// What the function returns.
    type Output;

    /// Calls the function.
    fn call(context: &C, item: I) -> Self::Output;

    /// Bytes of a result with everything it owns.
    fn result_bytes(result: &Self::Output) -> usize {
        bytes::shallow_and_owned(result)
    }

    /// Never called: compiles if item and result can go to other threads.
    fn check() {}
}

impl<N, C> fmt::Debug for Call<N, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call<{}>", std::any::type_name::<N>())
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
