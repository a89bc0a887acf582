//! Which histories there are, so that a new function is known to have none without a look for its file: that takes the
//! file system ten microseconds, and forty in cold caches, which a short run cannot pay.
//!
//! Whoever makes a file notes it, and the time at which the directory last changed. While that is the same, there are
//! no others. (Two changes within one tick of the file system's clock look like one: a history that another process
//! makes in the same few milliseconds as this one is found at the next change. Nothing is lost by that; a run begins
//! with a trial.) Where a directory cannot be kept open, as on Windows, nothing is ever known.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::learn::tidy::{self, HISTORY};
use crate::sync::lock;

/// How long ago a directory in which a file was just made may have changed last: some file systems over networks never
/// say that one has.
const JUST: Duration = Duration::from_secs(60);

/// The histories of a directory, as far as they are known.
#[derive(Debug, Default)]
pub(crate) struct Listing(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    directory: File,
    changed: SystemTime,
    keys: HashSet<u64>,
}

impl Listing {
    /// Whether it is known that no function of this key has a history.
    pub(crate) fn lacks(&self, key: u64) -> bool {
        lock(&self.0).as_ref().is_some_and(|known| !known.keys.contains(&key) && known.is_current())
    }

    /// Whether all histories are known: to be asked under the directory's lock, before a file is made.
    pub(crate) fn is_current(&self) -> bool {
        lock(&self.0).as_ref().is_some_and(Known::is_current)
    }

    /// Notes that this key has a history, whoever made it.
    pub(crate) fn exists(&self, key: u64) {
        lock(&self.0).iter_mut().for_each(|known| _ = known.keys.insert(key));
    }

    /// Notes that the history of this key was made, where `was_current` says whether all were known before; whether all
    /// are known now.
    pub(crate) fn made(&self, key: u64, was_current: bool) -> bool {
        let mut known = lock(&self.0);
        *known = known.take().filter(|_| was_current).and_then(|known| known.with(key).ok());
        known.is_some()
    }

    /// Looks through the directory, which takes a while.
    pub(crate) fn read(&self, directory: &Path) {
        let known = Known::read(directory).ok();
        *lock(&self.0) = known;
    }
}

impl Known {
    fn read(directory: &Path) -> io::Result<Self> {
        let open = File::open(directory)?;
        // Read before the names are: what is made meanwhile is a change.
        let changed = changed(&open)?;
        if changed.elapsed().is_ok_and(|age| age > JUST) {
            return Err(ErrorKind::Unsupported.into());
        }
        let keys = tidy::files(directory, HISTORY)?.iter().filter_map(|path| tidy::key(path)).collect();
        Ok(Self { directory: open, changed, keys })
    }

    fn with(mut self, key: u64) -> io::Result<Self> {
        self.keys.insert(key);
        self.changed = changed(&self.directory)?;
        Ok(self)
    }

    fn is_current(&self) -> bool {
        changed(&self.directory).is_ok_and(|changed| changed == self.changed)
    }
}

fn changed(directory: &File) -> io::Result<SystemTime> {
    directory.metadata()?.modified()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;
    use crate::learn::header;

    fn make(directory: &Path, key: u64) {
        fs::write(directory.join(format!("{}.{HISTORY}", header::stem(key))), "").unwrap();
    }

    fn note(listing: &Listing, directory: &Path, key: u64) {
        let was_current = listing.is_current();
        make(directory, key);
        if !listing.made(key, was_current) {
            listing.read(directory);
        }
    }

    /// Makes a history as another process does, a while later.
    fn make_elsewhere(directory: &Path, key: u64) {
        make(directory, key);
        let open = File::open(directory).unwrap();
        open.set_modified(changed(&open).unwrap() + Duration::from_secs(1)).unwrap();
    }

    #[test]
    fn what_is_not_noted_is_not_there_until_somebody_else_changes_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let (listing, place) = (Listing::default(), directory.path());
        make(place, 1);
        assert!(!listing.lacks(9), "nothing is known");
        note(&listing, place, 2);
        note(&listing, place, 3);
        assert_eq!([1, 2, 3, 9].map(|key| listing.lacks(key)), [false, false, false, true]);
        make_elsewhere(place, 4);
        assert_eq!([4, 9].map(|key| listing.lacks(key)), [false; 2]);
        note(&listing, place, 5);
        assert_eq!([4, 5, 9].map(|key| listing.lacks(key)), [false, false, true]);
    }

    #[test]
    fn a_history_that_is_seen_is_known_even_if_nothing_tells_of_a_change() {
        let directory = tempfile::tempdir().unwrap();
        let (listing, place) = (Listing::default(), directory.path());
        note(&listing, place, 1);
        note(&listing, place, 2);
        let tick = changed(&File::open(place).unwrap()).unwrap();
        make(place, 3);
        File::open(place).unwrap().set_modified(tick).unwrap();
        assert!(listing.lacks(3), "made by another process, within one tick of the clock");
        listing.exists(3);
        assert!(!listing.lacks(3) && listing.lacks(9));
    }

    #[test]
    fn a_file_system_that_does_not_tell_of_changes_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let (listing, place) = (Listing::default(), directory.path());
        make(place, 1);
        File::open(place).unwrap().set_modified(SystemTime::now() - 2 * JUST).unwrap();
        listing.read(place);
        assert!(!listing.lacks(9));
        note(&listing, place, 2);
        assert!(listing.lacks(9));
    }

    #[test]
    fn where_the_directory_is_gone_nothing_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let listing = Listing::default();
        listing.read(&directory.path().join("absent"));
        assert!(!listing.lacks(9));
        let place = directory.path().join("cache");
        fs::create_dir(&place).unwrap();
        note(&listing, &place, 1);
        assert!(listing.lacks(9));
        fs::remove_dir_all(&place).unwrap();
        make_elsewhere(directory.path(), 2);
        assert!(!listing.lacks(1));
    }
}
