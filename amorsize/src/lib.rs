//! Annotate a per-item function; its map over any iterator runs the fastest safe way.
#![forbid(unsafe_code)]

mod constants;
mod options;
mod plan;

pub use options::{Adaptation, Order};
pub use plan::{Origin, Plan, Pool};
