//! What earlier runs have taught: kept in memory and on disk, shared by all processes of a user.
//!
//! Values and pure code:
//! - [`predict`]: a plan without a dry run
//! - [`calibration`]: whether confidence has been deserved
//! - [`sample`]: one recorded stretch of a run
//! - [`check`]: what can be true of one
//! - [`codec`], [`frame`], [`header`], [`contents`]: as bytes, from the inside out
//! - [`mod@prune`]: which to keep when there are too many
//! - [`pace`]: what is written when
//! - [`outcome`], [`history`]: as users write and see them
//!
//! The disk:
//! - [`directory`]: where, who may, and the lock
//! - [`mod@file`]: one history; [`fresh`]: written anew
//! - [`store`]: all of them; [`listing`]: which there are; [`tidy`] keeps them few
//! - [`exchange`]: export and import
//!
//! The process:
//! - [`machines`]: where it runs
//! - [`learned`]: a function's history in memory
//! - [`function`]: that and its way to disk; [`mod@disk`]: who uses the file
//! - [`registry`]: all functions
//! - [`writer`]: the thread that writes, and what happens when threads end
//! - [`calibrated`]: how predictions have done
//! - [`experience`]: what one run asks, and what it leaves
//! - [`by_hand`]: what a program can ask and say

pub(crate) mod by_hand;
pub(crate) mod calibrated;
pub(crate) mod calibration;
mod check;
mod codec;
mod contents;
mod directory;
mod disk;
pub(crate) mod exchange;
pub(crate) mod experience;
mod file;
mod frame;
mod fresh;
pub(crate) mod function;
mod header;
pub(crate) mod history;
pub(crate) mod learned;
mod listing;
pub(crate) mod machines;
pub(crate) mod outcome;
mod pace;
pub(crate) mod predict;
mod prune;
mod registry;
pub(crate) mod sample;
mod store;
#[cfg(test)]
mod tests;
mod tidy;
mod writer;
