//! Which histories there are, as long as nothing in their directory has changed: then a function that is new needs no
//! look for its file, which takes several times what a look at the directory does.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::learn::tidy::{self, HISTORY};

/// See the module. Empty until someone has taken stock.
#[derive(Debug, Default)]
pub(crate) struct Stock(Mutex<Option<Taken>>);

#[derive(Debug)]
struct Taken {
    keys: HashSet<u64>,
    /// When the directory had changed last.
    changed: SystemTime,
}

impl Stock {
    /// Whether there is surely no history with that key. Does not wait for somebody who takes stock.
    ///
    /// Where the system counts time coarsely, a file that another process makes in the same few milliseconds as this one
    /// its last is not noticed: then a function is learned that others know.
    pub(crate) fn lacks(&self, key: u64, directory: &Path) -> bool {
        let Ok(taken) = self.0.try_lock() else { return false };
        taken.as_ref().is_some_and(|taken| !taken.keys.contains(&key) && changed(directory) == Some(taken.changed))
    }

    /// A history with that key was made, in a directory that had changed at `before` and that nobody else changes now.
    pub(crate) fn add(&self, key: u64, directory: &Path, before: Option<SystemTime>) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(changed) = changed(directory) else { return *taken = None };
        match &mut *taken {
            Some(taken) if Some(taken.changed) == before => {
                taken.keys.insert(key);
                taken.changed = changed;
            }
            _ => *taken = Some(Taken { keys: keys(directory), changed }),
        }
    }
}

/// When something in the directory was made, renamed or removed last; `None` where that cannot be told.
pub(crate) fn changed(directory: &Path) -> Option<SystemTime> {
    // Windows notes it at its leisure.
    if cfg!(unix) { fs::metadata(directory).and_then(|metadata| metadata.modified()).ok() } else { None }
}

fn keys(directory: &Path) -> HashSet<u64> {
    let key = |path: &Path| u64::from_str_radix(path.file_stem()?.to_str()?, 16).ok();
    tidy::files(directory, HISTORY).iter().filter_map(|path| key(path)).collect()
}
