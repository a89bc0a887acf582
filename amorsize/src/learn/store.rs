//! Histories as files: one for each function, in one directory. Holds no history in memory and decides nothing about
//! it.
//!
//! Whoever changes anything holds the directory's lock. Records are appended; everything else (pruning, repair) writes
//! a new file and renames it into place. So readers take no lock, and a kill leaves either the old file, or the new
//! one, or a last record that is cut short, which the next one to hold the lock cuts off: a reader looks again under it
//! where something seems wrong, because a record that is being added looks the same. Nothing is forced to the disk
//! itself: that would take milliseconds, and after a power failure the checksums tell what is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::error::Error;
use crate::learn::contents::Contents;
use crate::learn::directory::{Directory, Lock, PATIENCE};
use crate::learn::file::{self, State, Tail};
use crate::learn::header::{self, Name};
use crate::learn::listing::Listing;
use crate::learn::machines;
use crate::learn::prune;
use crate::learn::tidy::{self, DAMAGED, HISTORY};

/// A file of this size holds about [`MOST_SAMPLES`](crate::learn::prune::MOST_SAMPLES) samples.
const CROWDED_BYTES: u64 = 192 << 10;
/// A file of this size should have been shortened long ago, by processes that were killed before they came to it: who
/// appends does it first.
const OVERDUE_BYTES: u64 = 2 * CROWDED_BYTES;

/// Files that a process makes between two looks for surplus ones; the first is followed by one.
const FILES_A_LOOK: u32 = 64;

/// The histories of all functions.
#[derive(Debug)]
pub(crate) struct Store {
    /// `None` where the environment names no directory.
    directory: Option<Directory>,
    /// Whether trouble with the directory as a whole has been told.
    warned: AtomicBool,
    /// Whether the directory was looked at although there was nothing in it to read.
    looked: AtomicBool,
    /// Whether the directory was tried out.
    tried: AtomicBool,
    /// Files made by this process.
    created: AtomicU32,
    listing: Listing,
}

/// What was read, and what is to be said about it.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) contents: Contents,
    pub(crate) warning: Option<Error>,
}

/// What is to be appended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a> {
    /// This machine's frame.
    pub(crate) machine: &'a [u8],
    /// Whether the file is thought to hold it already.
    pub(crate) machine_known: bool,
    /// The samples' frames.
    pub(crate) samples: &'a [u8],
}

/// What appending has brought about, for someone with more time to look after.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    /// There are so many more files that some may be too many.
    pub(crate) surplus: bool,
    /// The file has become too long.
    pub(crate) crowded: bool,
    /// What was wrong with the file, and has been mended.
    pub(crate) damage: Option<Error>,
}

impl Store {
    pub(crate) fn new(directory: Option<PathBuf>) -> Self {
        Self {
            directory: directory.map(Directory::new),
            warned: AtomicBool::new(false),
            looked: AtomicBool::new(false),
            tried: AtomicBool::new(false),
            created: AtomicU32::new(0),
            listing: Listing::default(),
        }
    }

    pub(crate) fn warned(&self) -> &AtomicBool {
        &self.warned
    }

    fn directory(&self) -> Result<&Directory, Error> {
        self.directory.as_ref().ok_or(Error::NoCacheDirectory)
    }

    /// An error if the directory cannot be used, whether there is anything in it or not.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.directory()?.exists().map(drop)
    }

    /// Tries out once whether the directory can be written to, before it is: at the end of a short program, nobody may
    /// be left to be told.
    pub(crate) fn try_out_once(&self) -> Result<(), Error> {
        if self.tried.load(Ordering::Relaxed) || self.tried.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.directory()?.try_out()
    }

    /// Where histories are kept.
    pub(crate) fn path(&self) -> Result<&Path, Error> {
        self.directory().map(Directory::path)
    }

    fn file(&self, name: &Name) -> Result<PathBuf, Error> {
        Ok(self.path()?.join(format!("{}.{HISTORY}", header::stem(name.key))))
    }

    /// Reads a history. A damaged file is set aside, and what is whole of it kept.
    pub(crate) fn load(&self, name: &Name) -> Result<Loaded, Error> {
        if self.listing.lacks(name.key) {
            return Ok(Loaded::default());
        }
        let path = self.file(name)?;
        // For a new function one system call is all that this may cost. Only the first one looks at the directory too:
        // whoever writes to it at the end of a short program can no longer tell what is wrong.
        let is_new = file::is_absent(&path) && self.looked.swap(true, Ordering::Relaxed);
        if is_new || !self.directory()?.exists()? {
            return Ok(Loaded::default());
        }
        match file::inspect(&path, name)? {
            State::Absent => Ok(Loaded::default()),
            State::Sound(contents) if contents.torn.is_none() => Ok(Loaded { contents, warning: None }),
            State::Sound(contents) => Ok(self.load_torn(name, path, contents)),
            State::Broken(why, contents) => Ok(self.load_broken(name, path, why, contents)),
        }
    }

    /// Loads a history whose last record is cut short. Nothing is wrong where another process is adding that just now.
    fn load_torn(&self, name: &Name, path: PathBuf, contents: Contents) -> Loaded {
        self.mend_now(name).unwrap_or_else(|error| {
            let warning = if let Error::Busy { .. } = error { None } else { Some(torn(path)) };
            Loaded { contents, warning }
        })
    }

    /// Loads a damaged history. Another process may have repaired it meanwhile, and tells of it.
    fn load_broken(&self, name: &Name, path: PathBuf, why: String, contents: Contents) -> Loaded {
        self.mend_now(name).unwrap_or_else(|error| {
            let what = format!("{why}; it could not be set aside, because {error}");
            Loaded { contents, warning: Some(Error::Damaged { path, what }) }
        })
    }

    /// Looks again, and mends what is wrong, unless somebody else writes just now.
    fn mend_now(&self, name: &Name) -> Result<Loaded, Error> {
        let lock = self.directory()?.lock(Duration::ZERO)?;
        self.mend(&lock, name)
    }

    /// Adds records. Waits for other processes for `patience` at most.
    pub(crate) fn append(&self, name: &Name, batch: Batch<'_>, patience: Duration) -> Result<Aftermath, Error> {
        let lock = self.directory()?.lock(patience)?;
        let path = self.file(name)?;
        let (tail, damage) = self.ready(&lock, name)?;
        let known = [batch.machine, batch.samples].concat();
        match tail {
            Tail::Whole(_, length) if length + known.len() as u64 > OVERDUE_BYTES => {
                let damage = self.shorten(&lock, name, Contents::parse(&known))?.or(damage);
                Ok(Aftermath { surplus: false, crowded: false, damage })
            }
            Tail::Whole(file, length) => {
                let frames = if batch.machine_known { batch.samples } else { &known };
                file::append(&path, file, length, frames)?;
                self.listing.exists(name.key);
                Ok(Aftermath { surplus: false, crowded: length + frames.len() as u64 > CROWDED_BYTES, damage })
            }
            _ => {
                let was_current = self.listing.is_current();
                file::replace(&path, name.header(), &known)?;
                Ok(Aftermath { surplus: self.made(name, was_current)?, crowded: false, damage })
            }
        }
    }

    /// What is there to append to, mended if need be, and what was wrong with it.
    fn ready(&self, lock: &Lock, name: &Name) -> Result<(Tail, Option<Error>), Error> {
        let path = self.file(name)?;
        match file::tail(&path, name)? {
            Tail::Doubtful => {
                let damage = self.mend(lock, name)?.warning;
                Ok((file::tail(&path, name)?, damage))
            }
            tail => Ok((tail, None)),
        }
    }

    /// Notes that a file was made; whether some may be too many. Which others there are is found out if this was not
    /// the first, and ever more seldom where that does not last.
    fn made(&self, name: &Name, was_current: bool) -> Result<bool, Error> {
        let others = self.created.fetch_add(1, Ordering::Relaxed);
        if !self.listing.made(name.key, was_current) && others.is_power_of_two() {
            self.listing.read(self.path()?);
        }
        Ok(others.is_multiple_of(FILES_A_LOOK))
    }

    /// Makes a file one that can be appended to; what it holds then, and what was wrong. Or why it must be left alone.
    fn mend(&self, _: &Lock, name: &Name) -> Result<Loaded, Error> {
        let path = self.file(name)?;
        match file::inspect(&path, name)? {
            State::Absent => Ok(Loaded::default()),
            State::Sound(contents) => {
                let cut_short = contents.torn.map(|length| file::cut(&path, (name.header().len() + length) as u64));
                let warning = cut_short.transpose()?.map(|()| torn(path));
                Ok(Loaded { contents, warning })
            }
            State::Broken(why, contents) => {
                let aside = tidy::aside(&path);
                file::replace_keeping(&path, &aside, name.header(), &contents.frames())?;
                tidy::tidy(self.path()?);
                let what = format!("{why}; it was set aside as {}", aside.display());
                Ok(Loaded { contents, warning: Some(Error::Damaged { path, what }) })
            }
        }
    }

    /// Shortens a history to what is not redundant; what was wrong with it.
    pub(crate) fn prune(&self, name: &Name) -> Result<Option<Error>, Error> {
        let lock = self.directory()?.lock(PATIENCE)?;
        self.shorten(&lock, name, Contents::default())
    }

    /// Shortens a history, further records included, to what is not redundant; what was wrong with it.
    fn shorten(&self, lock: &Lock, name: &Name, added: Contents) -> Result<Option<Error>, Error> {
        let Loaded { mut contents, warning } = self.mend(lock, name)?;
        contents.append(added);
        if !contents.samples.is_empty() {
            prune::prune(&mut contents.samples);
            self.rewrite(name, &contents.frames())?;
        }
        Ok(warning)
    }

    fn rewrite(&self, name: &Name, frames: &[u8]) -> Result<(), Error> {
        file::replace(&self.file(name)?, name.header(), frames)?;
        self.listing.exists(name.key);
        Ok(())
    }

    /// Removes surplus files.
    pub(crate) fn tidy(&self) -> Result<(), Error> {
        let directory = self.directory()?;
        let _lock = directory.lock(PATIENCE)?;
        tidy::tidy(directory.path());
        Ok(())
    }

    /// Removes a history, and what was set aside of it.
    pub(crate) fn remove(&self, name: &Name) -> Result<(), Error> {
        if !self.directory()?.exists()? {
            return Ok(());
        }
        let _lock = self.directory()?.lock(PATIENCE)?;
        let path = self.file(name)?;
        if let Some(error) = file::inspect(&path, name).err().filter(Error::is_of_anothers_file) {
            return Err(error);
        }
        if tidy::is_directory(&path) {
            return fs::rename(&path, tidy::aside(&path)).map_err(Error::io("set aside", &path));
        }
        let aside = path.with_extension(DAMAGED);
        for path in [aside, path].iter().filter(|path| !tidy::is_directory(path)) {
            file::remove(path).map_err(Error::io("remove", path))?;
        }
        Ok(())
    }

    /// Adds what is not there yet, and tells how many samples that were; where there are too many then, how many of
    /// them are kept.
    pub(crate) fn merge(&self, name: &Name, imported: Contents) -> Result<usize, Error> {
        // Not under the lock: whoever listens to what is wrong with the environment may ask for a history.
        let this = machines::frame();
        let lock = self.directory()?.lock(PATIENCE)?;
        let before = self.mend(&lock, name)?.contents;
        let mut contents = before.clone();
        contents.merge(imported);
        contents.prune_if_crowded();
        let added = contents.samples_beyond(&before).len();
        if added > 0 {
            // This machine is told of even so: the only one that a history knows is taken for it.
            let frames = [this, &contents.frames()].concat();
            self.rewrite(name, &frames)?;
        }
        Ok(added)
    }

    /// All histories there are, with the labels of their functions. Those that cannot be read are left out.
    pub(crate) fn all(&self) -> Result<Vec<(Name, Contents)>, Error> {
        if !self.directory()?.exists()? {
            return Ok(Vec::new());
        }
        let directory = self.path()?;
        let files = tidy::files(directory, HISTORY).map_err(Error::io("read the directory", directory))?;
        Ok(files.iter().filter_map(|path| any(path)).collect())
    }
}

fn torn(path: PathBuf) -> Error {
    Error::Damaged { path, what: "its last record was cut short, and is dropped".to_owned() }
}

/// The history in a file whose function is not known, and its name.
fn any(path: &Path) -> Option<(Name, Contents)> {
    let key = tidy::key(path)?;
    let name = file::name(path, key)?;
    match file::inspect(path, &name).ok()? {
        State::Absent => None,
        State::Sound(contents) | State::Broken(_, contents) => Some((name, contents)),
    }
}
