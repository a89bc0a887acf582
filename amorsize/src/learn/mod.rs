//! What earlier runs have taught.
//!
//! - [`calibration`]: whether confidence has been deserved
//! - [`predict`]: a plan without a dry run
//! - [`sample`]: one recorded stretch of a run

pub(crate) mod calibration;
pub(crate) mod predict;
pub(crate) mod sample;
