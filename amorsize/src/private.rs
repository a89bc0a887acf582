//! The one door for code that the attribute adds. Not a public interface: it changes with every release.
//!
//! The attribute works in older editions too:
//!
//! ```edition2021
//! #[amorsize::streaming(threads = 2)]
//! fn word(line: &str) -> &str {
//!     line.trim()
//! }
//!
//! #[amorsize::streaming]
//! fn scaled<T: Copy + std::ops::Mul<Output = T>>(n: T, by: &T, gen: u8) -> (T, u8) {
//!     (n * *by, gen)
//! }
//!
//! #[amorsize::streaming]
//! fn gen(n: u64) -> u64 {
//!     n
//! }
//!
//! assert_eq!(gen::stream([1]).next(), Some(1));
//! assert_eq!(word::collect::<Vec<_>>([" a "]), ["a"]);
//! assert_eq!(scaled::with(2, 1).stream([3]).next(), Some((6, 1)));
//! ```
//!
//! ```edition2018
//! #[amorsize::streaming]
//! fn square(n: u64) -> u64 {
//!     n * n
//! }
//!
//! assert_eq!(square::stream(0..3).sum::<u64>(), 5);
//! ```

pub use core;

pub use crate::bytes::probe as bytes;
pub use crate::engine::scope::Scoped;
pub use crate::fingerprint::Site;
pub use crate::learn::by_hand::end_of_run;
pub use crate::work::{Borrowed, Function, Refused};

use std::any::type_name;
use std::sync::Arc;

use crate::fingerprint::Identity;
use crate::tuner::Tuner;
use crate::work::Call;

/// The type that the attribute adds under a function's name.
pub trait Named: Sized {
    /// Which function it is.
    const SITE: Site;

    /// Sets the attribute's options.
    fn configure<W>(tuner: Tuner<W>) -> Tuner<W> {
        tuner
    }
}

/// The tuner of an annotated function.
pub fn tuner<N: Named, C>(context: C) -> Tuner<Call<N, C>> {
    let identity = Identity { site: N::SITE, types: type_name::<N>(), place: None };
    N::configure(Tuner::of(identity, Call::new(context)))
}

/// The name of the package that is compiled; empty where cargo does not do it.
pub const fn package(name: Option<&'static str>) -> &'static str {
    match name {
        Some(name) => name,
        None => "",
    }
}

/// A context that all threads read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the context of a streaming function",
    label = "must be `Send` and `Sync`, because all threads use it",
    note = "`Arc` instead of `Rc`, and `Mutex` or an atomic instead of `RefCell` or `Cell`, can be shared"
)]
pub trait Shared: Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync> Shared for T {}

/// Never implemented: bounds the calls that a function with context does not have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes a context: bind it with `{Self}::with(…)` first",
    label = "write `{Self}::with(…)` before this call"
)]
pub trait WithoutContext<'a> {}

/// An item that can go to another thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the item of a streaming function",
    label = "must be `Send`, because the function may run on another thread",
    note = "`Arc` instead of `Rc`, and `Mutex` instead of `RefCell` behind a reference, can go to another thread"
)]
pub trait Item: Send {}

#[diagnostic::do_not_recommend]
impl<T: Send> Item for T {}

/// A result that can come from another thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a streaming function",
    label = "must be `Send`, because the function may run on another thread",
    note = "`Arc` instead of `Rc`, `Box<dyn Error + Send + Sync>` instead of `Box<dyn Error>`, can come from another thread"
)]
pub trait Output: Send {}

#[diagnostic::do_not_recommend]
impl<T: Send> Output for T {}

/// An item or context that is handed to a generic function's `&T`. `Borrow` would leave `T` open for every type that
/// can be borrowed as several, such as `String`; here only references and smart pointers do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed over as `&{T}`",
    label = "the function takes `&{T}`",
    note = "a function of `&T` takes `T`, `&T`, `Box<T>` and `Arc<T>`"
)]
pub trait Lend<T> {
    /// The reference that the function gets. Every type has this method, so its name is like no other: compilers
    /// suggest similar ones.
    fn amorsize_lend(&self) -> &T;
}

impl<T> Lend<T> for T {
    #[inline]
    fn amorsize_lend(&self) -> &T {
        self
    }
}

impl<T> Lend<T> for &T {
    #[inline]
    fn amorsize_lend(&self) -> &T {
        self
    }
}

impl<T> Lend<T> for Box<T> {
    #[inline]
    fn amorsize_lend(&self) -> &T {
        self
    }
}

impl<T> Lend<T> for Arc<T> {
    #[inline]
    fn amorsize_lend(&self) -> &T {
        self
    }
}

/// A context that every item gets for itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a context that is taken by value",
    label = "must be `Clone`, `Send` and `Sync`, because every item gets a clone",
    note = "`Arc` instead of `Rc` can be shared; a context that is taken by reference need not be `Clone`"
)]
pub trait Cloned: Clone + Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync> Cloned for T {}

/// Compiles when the item can go to another thread.
pub const fn item<T: Item>() {}

/// Compiles when the result can come from another thread.
pub const fn result<T: Output>() {}

/// The clone of a context for one item.
#[inline]
pub fn cloned<T: Cloned>(context: &T) -> T {
    context.clone()
}
