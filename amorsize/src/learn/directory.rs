//! Where histories are kept, who may write there, and the lock that writers take. Knows nothing of what files hold.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;

/// The file that whoever changes anything in the directory locks. It is never removed, so all lock the same one.
const LOCK: &str = "lock";
/// First and longest pause between two attempts to get the lock; it is mostly held for some 20 µs.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(5));
/// How long a call that may wait does wait for another process that writes. One that takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait for a process that has taken longer already, so that it delays a program once and not for every
/// function.
const PATIENCE_LOST: Duration = Duration::from_millis(20);

/// Conventions for where caches are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    Unix,
    Mac,
    Windows,
}

impl Platform {
    pub(crate) const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_vendor = "apple") {
        Self::Mac
    } else {
        Self::Unix
    };
}

/// The directory that the environment names; empty variables count as unset.
pub(crate) fn place(platform: Platform, variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(chosen) = path("AMORSIZE_CACHE_DIR") {
        return Ok(chosen);
    }
    let caches = match platform {
        Platform::Unix => path("XDG_CACHE_HOME").filter(|caches| caches.is_absolute()),
        Platform::Mac => None,
        Platform::Windows => path("LOCALAPPDATA"),
    };
    let home = match platform {
        Platform::Unix => path("HOME").map(|home| home.join(".cache")),
        Platform::Mac => path("HOME").map(|home| home.join("Library").join("Caches")),
        Platform::Windows => None,
    };
    caches.or(home).map(|caches| caches.join("amorsize")).ok_or(Error::NoCacheDirectory)
}

/// A directory of histories.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    is_ready: AtomicBool,
    /// Whether someone who waited has given up, and nobody has got the lock since.
    hangs: AtomicBool,
}

/// The right to change the directory: nobody else does while this lives.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// A process that was forked meanwhile has the file open, too, so that to close it would not be enough.
    fn drop(&mut self) {
        // What cannot be let go is so once the file is closed.
        let _ = self.file.unlock();
    }
}

impl Directory {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, is_ready: AtomicBool::new(false), hangs: AtomicBool::new(false) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the directory is there; an error if it cannot be trusted.
    pub(crate) fn exists(&self) -> Result<bool, Error> {
        if self.is_ready.load(Relaxed) { Ok(true) } else { self.is_there() }
    }

    fn is_there(&self) -> Result<bool, Error> {
        match fs::metadata(&self.path) {
            Ok(metadata) => self.check(&metadata).map(|()| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("read the directory", &self.path)(error)),
        }
    }

    fn check(&self, metadata: &Metadata) -> Result<(), Error> {
        if !metadata.is_dir() {
            return Err(Error::io("use the directory", &self.path)(ErrorKind::NotADirectory.into()));
        }
        trust(&self.path, metadata)
    }

    fn make(&self) -> Result<(), Error> {
        make_private(&self.path).map_err(Error::io("make the directory", &self.path))?;
        let metadata = fs::metadata(&self.path).map_err(Error::io("read the directory", &self.path))?;
        self.check(&metadata)
    }

    /// Whether records can be kept here, as far as opening the file that is locked tells. Making that file, or the
    /// directory, takes longer than many a run: it is left for later, unless it may well fail.
    pub(crate) fn try_out(&self) -> Result<(), Error> {
        if !self.exists()? {
            return if may_be_made(&self.path) { Ok(()) } else { self.make() };
        }
        let path = self.path.join(LOCK);
        match private().create(false).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && !may_be_written(&self.path) => private().open(&path),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened,
        }
        .map(drop)
        .map_err(Error::io("open", &path))
    }

    /// Makes the directory if need be and locks it; gives up when another process has not let go of it for `patience`.
    pub(crate) fn lock(&self, patience: Duration) -> Result<Lock, Error> {
        // It may not be the directory any more that it was.
        if !self.is_there()? {
            self.make()?;
        }
        self.is_ready.store(true, Relaxed);
        let path = self.path.join(LOCK);
        let file = match private().open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make()?;
                private().open(&path)
            }
            opened => opened,
        };
        let file = file.map_err(Error::io("open", &path))?;
        let most = if self.hangs.load(Relaxed) { PATIENCE_LOST } else { PATIENCE };
        let locked = wait(&file, &path, patience.min(most));
        if locked.is_ok() || !patience.is_zero() {
            self.hangs.store(locked.is_err(), Relaxed);
        }
        locked.map(|()| Lock { file })
    }
}

fn wait(file: &File, path: &Path, patience: Duration) -> Result<(), Error> {
    let mut pause = PAUSES.0;
    let mut until = None;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
            Err(TryLockError::WouldBlock) => {}
        }
        if patience.is_zero() || Instant::now() >= *until.get_or_insert_with(|| Instant::now() + patience) {
            return Err(Error::Busy { path: path.to_owned() });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// How files of ours are opened to be written: made if need be, and for this user only.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whether this process may write files of such a length: whoever does so even if it may not is killed by a signal.
pub(crate) fn may_be_so_long(length: u64) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};

        let limit = getrlimit(Resource::Fsize).current;
        if let Some(limit) = limit.filter(|&limit| length > limit) {
            let why = format!("this process may write no files longer than {limit} bytes (see `ulimit -f`)");
            return Err(io::Error::new(ErrorKind::FileTooLarge, why));
        }
    }
    let _ = length;
    Ok(())
}

/// Whether a directory that is not there can be made, by the looks of the next one above that is.
fn may_be_made(path: &Path) -> bool {
    let above = path.ancestors().skip(1).find_map(|above| fs::metadata(above).ok());
    above.is_some_and(|above| above.is_dir() && is_writable(&above))
}

/// Whether files can be made in a directory.
#[cfg(unix)]
fn may_be_written(path: &Path) -> bool {
    use rustix::fs::{Access, access};

    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn may_be_written(_: &Path) -> bool {
    false
}

#[cfg(unix)]
fn is_writable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    let is_mine = metadata.uid() == rustix::process::geteuid().as_raw();
    (is_mine && metadata.mode() & 0o200 != 0) || metadata.mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn is_writable(_: &Metadata) -> bool {
    true
}

fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Refuses what others own or can write.
#[cfg(unix)]
pub(crate) fn trust(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;

    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    if mine_alone(mode, owner, rustix::process::geteuid().as_raw()) {
        Ok(())
    } else {
        Err(Error::Untrusted { path: path.to_owned(), mode, owner })
    }
}

/// Refuses nothing: on systems other than Unix the user's own directory is trusted as it is.
#[cfg(not(unix))]
pub(crate) fn trust(_: &Path, _: &Metadata) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
fn mine_alone(mode: u32, owner: u32, user: u32) -> bool {
    owner == user && mode & 0o022 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(platform: Platform, variables: &[(&str, &str)]) -> Option<PathBuf> {
        let get = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        place(platform, get).ok()
    }

    #[test]
    fn the_environment_names_the_directory() {
        let home = ("HOME", "/home/me");
        let unix = |variables: &[_]| placed(Platform::Unix, variables);
        assert_eq!(unix(&[home]), Some("/home/me/.cache/amorsize".into()));
        assert_eq!(unix(&[home, ("XDG_CACHE_HOME", "/fast")]), Some("/fast/amorsize".into()));
        assert_eq!(unix(&[home, ("XDG_CACHE_HOME", "relative")]), Some("/home/me/.cache/amorsize".into()));
        assert_eq!(unix(&[home, ("AMORSIZE_CACHE_DIR", "/mine")]), Some("/mine".into()));
        assert_eq!(unix(&[home, ("AMORSIZE_CACHE_DIR", "")]), Some("/home/me/.cache/amorsize".into()));
        assert_eq!(unix(&[("HOME", "")]), None);
        assert_eq!(placed(Platform::Mac, &[home]), Some("/home/me/Library/Caches/amorsize".into()));
        assert_eq!(placed(Platform::Windows, &[home]), None);
        assert_eq!(placed(Platform::Windows, &[("LOCALAPPDATA", "/l")]), Some("/l/amorsize".into()));
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_is_tried_out_without_a_trace() {
        use std::os::unix::fs::PermissionsExt;

        let place = tempfile::tempdir().unwrap();
        let directory = Directory::new(place.path().to_owned());
        assert!(directory.try_out().is_ok());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "making a file takes longer than many a run");
        drop(directory.lock(Duration::ZERO).unwrap());
        assert!(directory.try_out().is_ok());
        fs::remove_file(place.path().join(LOCK)).unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o500)).unwrap();
        if !rustix::process::geteuid().is_root() {
            assert!(directory.try_out().is_err(), "nobody could be told later");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_what_nobody_else_can_write_is_trusted() {
        assert!(mine_alone(0o700, 1000, 1000) && mine_alone(0o755, 1000, 1000));
        assert!(!mine_alone(0o770, 1000, 1000) && !mine_alone(0o702, 1000, 1000) && !mine_alone(0o700, 0, 1000));
    }
}
