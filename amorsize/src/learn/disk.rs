//! What is known of a function's file, for whoever has the right to use it. Does nothing with the file itself.

use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

use crate::error::Error;
use crate::learn::function::Function;
use crate::learn::machines;
use crate::learn::store::Aftermath;
use crate::quiet::quietly;

/// What is known of the file.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// The machines that the file describes.
    pub(super) machines: Vec<u64>,
    /// Whether there are so many more files that some may be too many.
    pub(super) surplus: bool,
    /// Whether the file has become too long.
    pub(super) crowded: bool,
    /// What went wrong with the file, to be told once it is let go.
    pub(super) trouble: Vec<Error>,
}

impl Disk {
    pub(super) fn describes_this(&self) -> bool {
        self.machines.contains(&machines::this().id)
    }

    pub(super) fn note(&mut self, Aftermath { surplus, crowded, .. }: &Aftermath) {
        if !self.describes_this() {
            self.machines.push(machines::this().id);
        }
        self.surplus |= surplus;
        self.crowded |= crowded;
    }
}

/// Holds the file while it is in use. Tells what went wrong with it once it is not any more.
pub(super) struct Using<'a> {
    function: &'a Function,
    /// Always there until this is dropped.
    disk: Option<MutexGuard<'a, Disk>>,
}

impl<'a> Using<'a> {
    pub(super) fn new(function: &'a Function, disk: MutexGuard<'a, Disk>) -> Self {
        Self { function, disk: Some(disk) }
    }
}

impl Deref for Using<'_> {
    type Target = Disk;

    fn deref(&self) -> &Disk {
        self.disk.as_ref().expect("not dropped")
    }
}

impl DerefMut for Using<'_> {
    fn deref_mut(&mut self) -> &mut Disk {
        self.disk.as_mut().expect("not dropped")
    }
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        let trouble = std::mem::take(&mut self.trouble);
        self.disk = None;
        // Whoever listens may panic, and somebody may be unwinding.
        quietly(|| trouble.iter().for_each(|error| self.function.warn(error)));
    }
}
