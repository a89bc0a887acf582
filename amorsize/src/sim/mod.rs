//! The pure decisions replayed against machines and functions that do not exist: how much is lost against the best
//! fixed plan, cold and with experience. Deterministic; reads no clock and starts no thread.
//!
//! - [`chance`]: numbers that look random and are the same every time
//! - [`world`]: what items really cost, on which machine
//! - [`engine`]: one run of the pilot in virtual time
//! - [`study`]: many runs, with and without history, against an exhaustive search
//! - [`year`]: whether confidence is what it claims to be

mod chance;
mod engine;
mod study;
#[cfg(test)]
mod tests;
mod world;
mod year;

pub use study::{Regret, Regrets, study};
pub use year::{Reliability, reliability};
