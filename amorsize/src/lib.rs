//! Annotate a per-item function; its map over any iterator runs the fastest safe way.
#![forbid(unsafe_code)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod bytes;
mod constants;
mod decide;
mod engine;
mod environment;
mod error;
mod fingerprint;
mod learn;
mod machine;
mod options;
mod plan;
pub mod pool;
mod prediction;
mod report;
mod sim;
mod stream;
mod tuner;
mod work;

pub use amorsize_macros::streaming;
pub use error::Error;
pub use learn::by_hand::{cache_dir, flush};
pub use learn::calibrated::current as calibration;
pub use learn::calibration::Calibration;
pub use learn::exchange::{export, import};
pub use learn::history::{History, Run};
pub use learn::outcome::Outcome;
pub use machine::{Machine, machine};
pub use options::{Adaptation, Order};
pub use plan::{Origin, Plan, Pool};
pub use prediction::Prediction;
pub use report::Report;
pub use stream::{Indexed, Stream};
pub use tuner::{Collect, Tuner};
pub use work::{ByRef, ByValue, Call, Work};

/// The pure decisions in virtual time, for `benches/`. No part of the interface.
#[doc(hidden)]
pub mod __sim {
    pub use crate::sim::{Regret, Regrets, Reliability, reliability, study};
}
