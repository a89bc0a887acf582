//! The example programs, run as a person would.
//!
//! - [`digest_tree`]: what the README's first command promises
//! - [`others`]: the rest run on their own, without arguments
//! - [`program`]: where the programs are

mod digest_tree;
mod others;
mod program;
