//! What a program can say and ask about history itself: on a tuner, and for all functions.

use std::panic::Location;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;
use crate::fingerprint::{self, Identity};
use crate::learn::function::Function;
use crate::learn::history::History;
use crate::learn::outcome::Outcome;
use crate::learn::registry::registry;
use crate::tuner::Tuner;

/// What has been learned of the function, here and by other processes.
pub(crate) fn history(identity: &Identity) -> Result<History, Error> {
    let learned = Function::of(identity).refreshed()?;
    Ok(History { name: identity.site.name, learned })
}

/// Drops what has been learned of the function.
pub(crate) fn forget(identity: &Identity) -> Result<(), Error> {
    Function::of(identity).forget()
}

/// Learns from a run that someone else has seen.
#[track_caller]
pub(crate) fn record(identity: &Identity, outcome: &Outcome) -> Result<(), Error> {
    let sample = outcome.sample(identity, fingerprint::call_site(Location::caller()))?;
    Function::of(identity).record_now(&sample)
}

impl<W> Tuner<W> {
    /// What has been learned of the function, with what other processes have recorded until now.
    ///
    /// # Errors
    /// When the history cannot be read. (Streams then run without experience.)
    pub fn history(&self) -> Result<History, Error> {
        history(&self.identity)
    }

    /// Drops what has been learned of the function, in memory and on disk. Other processes that have it in memory keep
    /// it there until they end; what they record later is the beginning of a new history.
    ///
    /// # Errors
    /// When the history cannot be removed, or is left untouched because a later release wrote it. It is dropped from
    /// memory even so.
    pub fn forget(&self) -> Result<(), Error> {
        forget(&self.identity)
    }

    /// Learns from a run that was measured by other means, and waits until it is on disk.
    ///
    /// # Errors
    /// When a value cannot be true (then nothing is recorded), or when it cannot be written (then this process
    /// has learned it even so).
    #[track_caller]
    pub fn record(&self, outcome: Outcome) -> Result<(), Error> {
        record(&self.identity, &outcome)
    }
}

/// Records a run as a stream does at its end. For tests of how that gets to disk, which need runs of a known time.
#[doc(hidden)]
pub fn end_of_run<W>(tuner: &Tuner<W>, outcome: &Outcome, run: Duration) -> Result<(), Error> {
    let sample = outcome.sample(&tuner.identity, 0)?;
    Function::of(&tuner.identity).record(vec![sample], run);
    Ok(())
}

/// Waits until everything that was recorded so far is on disk. Records get there without it: most at once, those of
/// short runs within some milliseconds, or when their thread ends, or when the program exits if its main thread has
/// used a stream, or anything here, too. Call it if the last short runs matter before an `abort`; where all streams are
/// read on threads of a pool, which never end, or of `std::thread::scope`, which does not wait for what threads do at
/// their end; or on systems other than Linux, macOS and Windows.
///
/// # Errors
/// When something could not be written: the first trouble there was. Everything else is on disk even so.
pub fn flush() -> Result<(), Error> {
    registry().drain()
}

/// The directory in which histories are kept: `AMORSIZE_CACHE_DIR` if it is set, otherwise `amorsize` in the platform's
/// directory for caches (`$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`). Taken from the
/// environment when the library first needs it, and then the same until the program ends. It need not exist yet.
///
/// # Errors
/// When the environment names no directory.
pub fn cache_dir() -> Result<PathBuf, Error> {
    registry().store().path().map(ToOwned::to_owned)
}
