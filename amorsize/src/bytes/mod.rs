//! Bytes of a result: its own, and those that the standard library's owned types in it own. Found without asking the
//! user, in some ten nanoseconds: of a long collection only three elements are looked at.
//!
//! What a user's own type owns cannot be found; it counts with its shallow size. (`result_bytes` is the option for
//! those.) What is shared, behind an `Arc` say, counts as owned.
//!
//! - [`owned`]: what each of the standard library's types owns
//! - [`guess`]: for a type known only as a parameter: finds out whether it is one of a closed list
//! - [`blocks`]: how many blocks a value owns, as the name of its type tells
//! - [`probe`]: for a type that is spelled out: the attribute's generated code asks through it

mod blocks;
pub(crate) mod guess;
pub(crate) mod owned;
pub mod probe;

/// Bytes of a value of any type with what it owns, as far as that can be told.
#[inline]
pub(crate) fn shallow_and_owned<R>(result: &R) -> usize {
    size_of::<R>().saturating_add(guess::owned_bytes(result))
}
