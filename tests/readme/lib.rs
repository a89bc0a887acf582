//! Nothing but the README, so that its example is a documentation test.
#![doc = include_str!("../../README.md")]
