//! What earlier runs have taught.
//!
//! - [`sample`]: one recorded stretch of a run

pub(crate) mod sample;
