//! What can go wrong with history. Values and sentences only; nothing here acts.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Advice where a history or its directory is meant.
const OF_CACHE: &str =
    "check its permissions and the disk, or set AMORSIZE_CACHE_DIR to a directory that this user can write";
/// Advice where a file of an export is meant.
const OF_NAMED_FILE: &str = "check the path and its permissions";

/// Trouble with what is kept of earlier runs.
///
/// Running a stream never returns one: there, trouble is a `tracing` warning and a run that starts without experience.
/// Only calls that are about history itself do, such as [`flush`](crate::flush) and [`import`](crate::import).
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No directory for histories is named by the environment.
    #[non_exhaustive]
    NoCacheDirectory,
    /// The operating system refused.
    #[non_exhaustive]
    Io {
        /// What was tried, as in "cannot *read* the file".
        action: &'static str,
        /// The file or directory that it was tried on.
        path: PathBuf,
        /// Why it failed. The message tells it, so it is not told again as the error's `source()`.
        source: io::Error,
        /// What can be done about it.
        advice: &'static str,
    },
    /// Others than this user can write the file or directory, so what it says cannot be trusted.
    #[non_exhaustive]
    Untrusted {
        /// The file or directory.
        path: PathBuf,
        /// Unix permission bits of the file or directory.
        mode: u32,
        /// The user who owns the file or directory.
        owner: u32,
    },
    /// A later release of amorsize wrote the file. It is left untouched.
    #[non_exhaustive]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file's format.
        version: u8,
    },
    /// The file belongs to another function whose key is the same by chance. It is left untouched.
    #[non_exhaustive]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The function that the file belongs to.
        owner: String,
    },
    /// The file does not hold what was written to it.
    #[non_exhaustive]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with the file, and what was done about it.
        what: String,
    },
    /// Another process has kept the directory locked for too long.
    #[non_exhaustive]
    Busy {
        /// The lock.
        path: PathBuf,
    },
    /// A value is outside of what can be true.
    #[non_exhaustive]
    Value {
        /// Which value.
        name: &'static str,
        /// What the value is.
        value: String,
        /// What the value may be.
        allowed: &'static str,
    },
}

impl Error {
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::Io { action, path: path.to_owned(), source, advice: OF_CACHE }
    }

    /// This error where the file is one that the caller has named.
    pub(crate) fn of_named_file(self) -> Self {
        match self {
            Self::Io { action, path, source, .. } => Self::Io { action, path, source, advice: OF_NAMED_FILE },
            other => other,
        }
    }

    /// Whether the file is of a later release or of another function, and none of ours to change or remove.
    pub(crate) fn is_of_anothers_file(&self) -> bool {
        matches!(self, Self::Newer { .. } | Self::Foreign { .. })
    }

    /// The file or directory that the trouble is with, if it is with one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. }
            | Self::Untrusted { path, .. }
            | Self::Newer { path, .. }
            | Self::Foreign { path, .. }
            | Self::Damaged { path, .. }
            | Self::Busy { path } => Some(path),
            Self::NoCacheDirectory | Self::Value { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCacheDirectory => f.write_str(
                "no directory to keep histories in: set AMORSIZE_CACHE_DIR, or HOME (LOCALAPPDATA on Windows)",
            ),
            Self::Io { action, path, source, advice } => {
                write!(f, "cannot {action} {}: {source}; {advice}", path.display())
            }
            Self::Untrusted { path, mode, owner } => write!(
                f,
                "{} is not trusted, because others can write it (mode {mode:o}, owner {owner}): \
                 remove it, or make it yours alone with chown and chmod go-w",
                path.display()
            ),
            Self::Newer { path, version } => write!(
                f,
                "{} was written by a later release of amorsize (format {version}) and is left untouched: \
                 update amorsize to use it, or remove it to do without",
                path.display()
            ),
            Self::Foreign { path, owner } => write!(
                f,
                "{} holds the history of another function, {owner}, and is left untouched: \
                 rename one of the two functions",
                path.display()
            ),
            Self::Damaged { path, what } => {
                write!(f, "{} is damaged, or not what it should be: {what}", path.display())
            }
            Self::Busy { path } => write!(
                f,
                "{} is kept locked by another process: see whether a program that uses amorsize hangs",
                path.display()
            ),
            Self::Value { name, value, allowed } => write!(f, "`{name}` must be {allowed}, got {value}"),
        }
    }
}

impl std::error::Error for Error {}
