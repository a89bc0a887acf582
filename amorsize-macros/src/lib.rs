//! The `#[streaming]` attribute of `amorsize`.

mod args;
mod calls;
mod expand;
mod fingerprint;
mod function;
mod generics;
mod lifetimes;
mod mistakes;
mod taken;
mod tokens;

use proc_macro::TokenStream;

/// Runs a function over iterators the fastest safe way.
#[proc_macro_attribute]
pub fn streaming(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(args.into(), item.into()).into()
}
