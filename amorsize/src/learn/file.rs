//! A history file: looked at, judged, appended to, written anew. The caller holds the lock for everything that writes.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::Error;
use crate::learn::contents::Contents;
use crate::learn::directory::{may_be_so_long, private, trust};
use crate::learn::frame::{self, MOST_FRAME};
use crate::learn::fresh::Fresh;
use crate::learn::header::{self, Header, Name};

/// Of a longer file only the beginning and the end are read, so much of each: nobody has shortened it for long, or it
/// is none of ours.
const MOST_BYTES: u64 = 1 << 20;

/// What is found under a file's name.
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing, or a file that was made and never written.
    Absent,
    /// Readable to the end, a last record that was cut short left aside.
    Sound(Contents),
    /// Not what was written, and why; with the records that are whole.
    Broken(String, Contents),
}

/// What is there to append to.
#[derive(Debug)]
pub(crate) enum Tail {
    Absent,
    /// A file of ours of this length that ends with a whole record.
    Whole(File, u64),
    /// A file that is to be read as a whole first.
    Doubtful,
}

/// Reads and judges a file. An error means that it must be left as it is.
pub(crate) fn inspect(path: &Path, name: &Name) -> Result<State, Error> {
    let length = match look(path)? {
        None => return Ok(State::Absent),
        Some(Err(why)) => return Ok(State::Broken(why, Contents::default())),
        Some(Ok(length)) => length,
    };
    let bytes = beginning(path, length).map_err(Error::io("read", path))?;
    if bytes.is_empty() {
        return Ok(State::Absent);
    }
    let Some(records) = records(path, name, &bytes)? else {
        return Ok(State::Broken("it does not begin like a history".to_owned(), Contents::default()));
    };
    let contents = Contents::parse(&bytes[records..]);
    if length <= MOST_BYTES {
        return Ok(sound(contents));
    }
    let end = end(path, length).map_err(Error::io("read", path))?;
    Ok(too_long(length, contents, Contents::parse(&end)))
}

/// Whether there is nothing under a name, and no trouble with finding that out.
pub(crate) fn is_absent(path: &Path) -> bool {
    matches!(look(path), Ok(None))
}

/// The length of a regular file that can be trusted, or why it is none. Pipes and the like are never opened: that might
/// wait for ever.
fn look(path: &Path) -> Result<Option<Result<u64, String>>, Error> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found.map_err(Error::io("read", path))?,
    };
    Ok(Some(if !metadata.is_file() {
        Err("it is not a regular file".to_owned())
    } else {
        trust(path, &metadata).map(|()| metadata.len()).map_err(|_| "others can write it".to_owned())
    }))
}

/// The first [`MOST_BYTES`] of a file, which was about so long a moment ago.
fn beginning(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length.min(MOST_BYTES) as usize + 1);
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last [`MOST_BYTES`] of a file that is longer.
fn end(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(length.saturating_sub(MOST_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the records of a history begin, if it begins like one.
fn records(path: &Path, name: &Name, bytes: &[u8]) -> Result<Option<usize>, Error> {
    match header::parse(bytes) {
        Header::Newer(version) => Err(Error::Newer { path: path.to_owned(), version }),
        Header::Damaged => Ok(None),
        Header::Whole { label, length } if bytes[..length] != *name.header() => {
            Err(Error::Foreign { path: path.to_owned(), owner: label.to_owned() })
        }
        Header::Whole { length, .. } => Ok(Some(length)),
    }
}

fn sound(contents: Contents) -> State {
    if contents.damaged == 0 {
        return State::Sound(contents);
    }
    let (whole, damaged) = (contents.samples.len(), contents.damaged);
    State::Broken(format!("{damaged} of its records are unreadable, {whole} are whole and kept"), contents)
}

/// What is kept of a history that is too long: its last records, and the machines that it began with, each of which is
/// mostly told of only once.
fn too_long(length: u64, beginning: Contents, mut end: Contents) -> State {
    beginning.machines.into_iter().for_each(|machine| end.add_machine(machine));
    end.prune_if_crowded();
    State::Broken(format!("it is {length} bytes long, and {} of its last records are kept", end.samples.len()), end)
}

/// Opens a file to append to it, after a look at its beginning and end only.
pub(crate) fn tail(path: &Path, name: &Name) -> Result<Tail, Error> {
    let length = match look(path)? {
        None | Some(Ok(0)) => return Ok(Tail::Absent),
        Some(Err(_)) => return Ok(Tail::Doubtful),
        Some(Ok(length)) if length > MOST_BYTES => return Ok(Tail::Doubtful),
        Some(Ok(length)) => length,
    };
    let mut file = private().open(path).map_err(Error::io("open", path))?;
    let whole = ends_well(&mut file, length, name.header()).map_err(Error::io("read", path))?;
    Ok(if whole { Tail::Whole(file, length) } else { Tail::Doubtful })
}

fn ends_well(file: &mut File, length: u64, header: &[u8]) -> io::Result<bool> {
    let records = length.saturating_sub(header.len() as u64);
    let mut bytes = vec![0; header.len() + MOST_FRAME.min(records as usize)];
    let (beginning, end) = bytes.split_at_mut(header.len());
    if length < header.len() as u64 || file.read_exact(beginning).is_err() || beginning != header {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-(end.len() as i64)))?;
    file.read_exact(end)?;
    Ok(records == 0 || frame::ends_whole(end))
}

/// Adds frames to the end of a file. What could not be written whole, on a full disk, is taken back.
pub(crate) fn append(path: &Path, mut file: File, length: u64, frames: &[u8]) -> Result<(), Error> {
    may_be_so_long(length + frames.len() as u64).map_err(Error::io("write", path))?;
    let written = file.seek(SeekFrom::Start(length)).and_then(|_| file.write_all(frames));
    if written.is_err() {
        // Nothing more can be done if this fails too: the next writer cuts the rest off.
        let _ = file.set_len(length);
    }
    written.map_err(Error::io("write", path))
}

/// Writes a file anew: whatever happens, either the old or the new one is there.
pub(crate) fn replace(path: &Path, header: &[u8], frames: &[u8]) -> Result<(), Error> {
    Fresh::beside(path, &[header, frames])?.replace(path)
}

/// Writes a file anew, and keeps what was there under the name `aside`.
pub(crate) fn replace_keeping(path: &Path, aside: &Path, header: &[u8], frames: &[u8]) -> Result<(), Error> {
    let fresh = Fresh::beside(path, &[header, frames])?;
    keep(path, aside).map_err(Error::io("set aside", path))?;
    fresh.replace(path)
}

/// Gives a file a second name. What is no file gets another one instead, since no file can take its place.
fn keep(path: &Path, aside: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_file() {
        return fs::rename(path, aside);
    }
    remove(aside)?;
    // Some file systems know no second names, and of a file that belongs to somebody else there is no copy to be had.
    fs::hard_link(path, aside).or_else(|_| fs::copy(path, aside).map(drop)).or_else(|_| fs::rename(path, aside))
}

/// Removes a file, if there is one.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Cuts off what was written only in part.
pub(crate) fn cut(path: &Path, length: u64) -> Result<(), Error> {
    private().open(path).and_then(|file| file.set_len(length)).map_err(Error::io("shorten", path))
}

/// Whether a later release wrote a file, by the file's own account.
pub(crate) fn is_newer(path: &Path) -> bool {
    trusted_beginning(path).is_some_and(|bytes| matches!(header::parse(&bytes), Header::Newer(_)))
}

/// The beginning of a file, if it is one that can be trusted and read.
fn trusted_beginning(path: &Path) -> Option<Vec<u8>> {
    let length = look(path).ok()??.ok()?;
    beginning(path, length).ok()
}

/// Whose history a file holds, by the file's own account.
pub(crate) fn name(path: &Path, key: u64) -> Option<Name> {
    match header::parse(&trusted_beginning(path)?) {
        Header::Whole { label, .. } => Some(Name::new(key, label)),
        Header::Newer(_) | Header::Damaged => None,
    }
}
