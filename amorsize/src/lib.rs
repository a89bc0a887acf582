//! Annotate a per-item function; its map over any iterator runs the fastest safe way.
#![forbid(unsafe_code)]

mod constants;
mod decide;
mod engine;
mod error;
mod fingerprint;
mod learn;
mod machine;
mod options;
mod plan;
pub mod pool;
mod report;
mod stream;
mod tuner;
mod work;

pub use error::Error;
pub use learn::by_hand::{cache_dir, flush};
pub use learn::exchange::{export, import};
pub use learn::history::{History, Run};
pub use learn::outcome::Outcome;
pub use options::{Adaptation, Order};
pub use plan::{Origin, Plan, Pool};
pub use report::Report;
pub use stream::{Indexed, Stream};
pub use tuner::{Collect, Tuner};
pub use work::{ByRef, ByValue, Work};
