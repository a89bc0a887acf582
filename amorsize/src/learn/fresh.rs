//! A file that is written under a name of its own, and takes its place once it is whole. Until then nothing has
//! changed, and where that fails nothing is left behind.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::learn::directory::{may_be_so_long, private};

/// Begin and end of the names of files that are not whole, or were not when their process was killed.
const BEGIN: &str = ".amorsize-";
const END: &str = ".new";
/// Names that are tried: other processes, of other machines perhaps, may write to the same folder.
const MOST_NAMES: u32 = 1000;

/// A file that has not taken its place yet; removed if it never does.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// Empty once the file has taken its place.
    path: PathBuf,
}

impl Fresh {
    /// Writes one part after the other to a new file in the folder of `target`.
    pub(crate) fn beside(target: &Path, parts: &[&[u8]]) -> Result<Self, Error> {
        let length = parts.iter().map(|part| part.len() as u64).sum();
        let allowed = may_be_so_long(length).and_then(|()| create(target));
        let (mut file, path) = allowed.map_err(Error::io("write", target))?;
        let fresh = Self { path };
        parts.iter().try_for_each(|part| file.write_all(part)).map_err(Error::io("write", target))?;
        Ok(fresh)
    }

    /// Takes the place of whatever file is there.
    pub(crate) fn replace(mut self, target: &Path) -> Result<(), Error> {
        fs::rename(&self.path, target).map_err(Error::io("replace", target))?;
        self.path.clear();
        Ok(())
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // What is left even so is removed when the folder is tidied.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a file of this name is one of ours that is not whole.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with(BEGIN) && name.ends_with(END)
}

fn create(target: &Path) -> io::Result<(File, PathBuf)> {
    if target.file_name().is_none_or(OsStr::is_empty) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it names no file"));
    }
    let process = std::process::id();
    let mut taken = 0;
    loop {
        let path = target.with_file_name(format!("{BEGIN}{process}-{taken}{END}"));
        match private().create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && taken < MOST_NAMES => taken += 1,
            created => return created.map(|file| (file, path)),
        }
    }
}
