//! All histories in one file, to take them to another machine.
//!
//! The file is a header like a history's, and then for each function its key (8 bytes, little end first), label and
//! records, each of the two with its length (4 bytes) before it; at the very end the CRC-32 of everything.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::learn::contents::Contents;
use crate::learn::file;
use crate::learn::header::{self, Header, Name};
use crate::learn::registry::{Registry, registry};

/// What the header of an export says instead of a function's name.
const LABEL: &str = "amorsize export";
/// Most bytes of an export: all histories there can be take less.
const MOST_BYTES: u64 = 1 << 30;

/// Writes all histories to one file, which [`import`] reads on another machine. Returns how many recorded runs it
/// holds. Histories that cannot be read here, because a later release wrote them, say, are left out.
///
/// # Errors
/// When the directory cannot be read, something recorded here cannot be written to its history, or the file cannot be
/// written. An existing file is replaced only when all is well, and nothing else ever is.
pub fn export(path: impl AsRef<Path>) -> Result<usize, Error> {
    export_from(registry(), path.as_ref())
}

/// Adds the histories of a file that [`export`] has written to those here, without those that are here already. Returns
/// how many recorded runs were new and are kept: of a history that gets very long by them, what is redundant is
/// dropped. Runs of another machine count as far as it resembles this one.
///
/// # Errors
/// When the file cannot be read, is damaged, or comes from a later release: then nothing is changed. When a history
/// cannot be written, because a later release wrote the one that is here, say: the first trouble there was. All others
/// are imported even so, and importing again adds only what is missing. Only where another process does not let go of
/// the directory are those that follow not tried.
pub fn import(path: impl AsRef<Path>) -> Result<usize, Error> {
    import_to(registry(), path.as_ref())
}

pub(crate) fn export_from(registry: &Registry, path: &Path) -> Result<usize, Error> {
    write_what_waits(registry)?;
    let histories = registry.store().all()?;
    let mut bytes = Name::new(0, LABEL).header().to_vec();
    histories.iter().for_each(|(name, contents)| add(&mut bytes, name, contents));
    let crc = crc32fast::hash(&bytes).to_le_bytes();
    let written = file_at(path).and_then(|path| file::replace(&path, &bytes, &crc));
    written.map_err(Error::of_named_file)?;
    Ok(histories.iter().map(|(_, contents)| contents.samples.len()).sum())
}

/// Writes everything that has been recorded so far; the first trouble, after trying all. What belongs to a history that
/// is left out of an export is no trouble here.
fn write_what_waits(registry: &Registry) -> Result<(), Error> {
    let written = registry.all().into_iter().map(|function| function.drain());
    let is_left_out = |written: &Result<(), Error>| written.as_ref().is_err_and(Error::is_of_anothers_file);
    written.filter(|written| !is_left_out(written)).fold(Ok(()), Result::and)
}

/// The file that a path leads to. A device, say, is not to be replaced by one.
fn file_at(path: &Path) -> Result<PathBuf, Error> {
    let refused = |error| Error::io("write", path)(error);
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            fs::canonicalize(path).map_err(refused).and_then(|path| file_at(&path))
        }
        Ok(metadata) if !metadata.is_file() && path.file_name().is_some() => {
            Err(refused(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")))
        }
        _ => Ok(path.to_owned()),
    }
}

fn add(bytes: &mut Vec<u8>, name: &Name, contents: &Contents) {
    bytes.extend_from_slice(&name.key.to_le_bytes());
    for part in [name.header(), &contents.frames()] {
        bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
        bytes.extend_from_slice(part);
    }
}

pub(crate) fn import_to(registry: &Registry, path: &Path) -> Result<usize, Error> {
    let bytes = read(path).map_err(Error::of_named_file)?;
    let histories = parse(path, &bytes)?;
    let mut imported = Ok(0);
    for (name, contents) in histories {
        let added = add_to(registry, &name, contents);
        let is_busy = matches!(added, Err(Error::Busy { .. }));
        imported = imported.and_then(|before| Ok(before + added?));
        // Each one that follows would be waited for anew.
        if is_busy {
            break;
        }
    }
    imported
}

/// Adds to a history, here in memory too; how many samples were new and are kept.
fn add_to(registry: &Registry, name: &Name, contents: Contents) -> Result<usize, Error> {
    let added = registry.store().merge(name, contents)?;
    let here = registry.all().into_iter().filter(|function| function.key() == name.key);
    here.map(|function| function.refresh()).fold(Ok(()), Result::and).map(|()| added)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(damaged(path, "an export is a regular file of at most 1 GiB"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)).map_err(Error::io("read", path))?;
    Ok(bytes)
}

fn damaged(path: &Path, what: &str) -> Error {
    let what = format!("{what}; nothing was imported, export it again");
    Error::Damaged { path: path.to_owned(), what }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<(Name, Contents)>, Error> {
    let start = match header::parse(bytes) {
        Header::Newer(version) => return Err(Error::Newer { path: path.to_owned(), version }),
        Header::Whole { label: LABEL, length } => length,
        Header::Whole { .. } | Header::Damaged => return Err(damaged(path, "it is not an export of amorsize")),
    };
    let whole = bytes.split_last_chunk::<4>().filter(|(all, crc)| crc32fast::hash(all).to_le_bytes() == **crc);
    let histories = whole.and_then(|(all, _)| histories(all.get(start..)?));
    histories.ok_or_else(|| damaged(path, "it does not hold what was written to it"))
}

/// All histories of an export, or none if anything is wrong with one.
fn histories(mut bytes: &[u8]) -> Option<Vec<(Name, Contents)>> {
    let mut histories = Vec::new();
    while !bytes.is_empty() {
        let key = u64::from_le_bytes(*bytes.split_off(..8)?.first_chunk()?);
        let header = part(&mut bytes)?;
        let contents = Contents::parse(part(&mut bytes)?);
        let Header::Whole { label, length } = header::parse(header) else { return None };
        if length != header.len() || contents.damaged > 0 || contents.torn.is_some() {
            return None;
        }
        histories.push((Name::new(key, label), contents));
    }
    Some(histories)
}

fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(*bytes.split_off(..4)?.first_chunk()?);
    bytes.split_off(..length as usize)
}
