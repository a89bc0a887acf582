//! What must hold, whatever the library decides: written as a user of the crate, one module for each promise.
//!
//! - [`once`]: each item is given to the function once; ordered results are those of `map`
//! - [`window`]: never more items out than the plan says
//! - [`sources`]: what a source may be and when it is used
//! - [`panics`]: where a panic comes out, and what is left
//! - [`cancel`]: what a dropped stream stops
//! - [`nesting`]: streams within pools, within streams, across threads
//! - [`borrowed`]: items that borrow
//! - [`drops`]: every value is dropped once
//! - [`stall`]: a stream that waits holds nothing
//! - [`hostile`]: functions, sources and values that call back into the library
//! - [`random`]: all of it at once, over random options and inputs

mod borrowed;
mod cancel;
mod drops;
mod hostile;
mod nesting;
mod once;
mod panics;
mod random;
mod sources;
mod stall;
mod support;
mod window;
