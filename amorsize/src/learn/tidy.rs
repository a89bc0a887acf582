//! Keeps the whole directory small: which files are too many, by name and age. The choice is pure; its execution is at
//! the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::learn::file;
use crate::learn::fresh::is_unfinished;
use crate::learn::header;

/// Ends the names of histories.
pub(crate) const HISTORY: &str = "history";
/// Ends the names of files that were set aside.
pub(crate) const DAMAGED: &str = "damaged";
/// Functions with a history. At 192 KiB each at most, eight hundred megabytes; in practice some ten.
const MOST_HISTORIES: usize = 4096;
/// Damaged files that are kept for someone to look at.
const MOST_DAMAGED: usize = 16;

/// A file that was not written to for so long is not going to be finished. Histories are written under the lock, but
/// an export into the directory is not.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes the files that were not written for longest, if there are too many, and those that a killed process has not
/// finished, but none of a later release. Best effort: what cannot be removed now is removed another time.
pub(crate) fn tidy(directory: &Path) {
    let unfinished = named(directory, is_unfinished).unwrap_or_default();
    unfinished.iter().filter(|path| is_abandoned(path)).for_each(|path| drop(fs::remove_file(path)));
    for (ending, most) in [(HISTORY, MOST_HISTORIES), (DAMAGED, MOST_DAMAGED)] {
        let mut files = files(directory, ending).unwrap_or_default();
        // What each one is takes a call of the system.
        if files.len() > most {
            files.retain(|path| !is_directory(path));
            let surplus = oldest(files.into_iter().map(|path| (written(&path), path)).collect(), most);
            let ours = surplus.iter().filter(|path| !file::is_newer(path));
            ours.for_each(|path| drop(fs::remove_file(path)));
        }
    }
}

/// The name under which something is set aside: that of what was set aside before, unless one of them is a directory,
/// which gets a name of its own since nothing can take its place.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let usual = path.with_extension(DAMAGED);
    if !is_directory(path) && !is_directory(&usual) {
        return usual;
    }
    let others = (1_u64..).map(|number| path.with_extension(format!("{number}.{DAMAGED}")));
    let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    std::iter::once(usual.clone()).chain(others).find(is_free).unwrap_or(usual)
}

/// Whether a path is a directory, and not a link to one.
pub(crate) fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// The key of the function that a file is of, as its name says.
pub(crate) fn key(path: &Path) -> Option<u64> {
    header::key(path.file_stem()?.to_str()?)
}

/// The files of a directory whose names are a key and this `ending`.
pub(crate) fn files(directory: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let is_one =
        |name: &str| name.rsplit_once('.').is_some_and(|(stem, end)| end == ending && header::key(stem).is_some());
    named(directory, is_one)
}

/// The files whose names are ours: whose directory it is we cannot know, and others' files are not ours to count or to
/// remove.
fn named(directory: &Path, is_ours: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.retain(|entry| entry.file_name().to_str().is_some_and(&is_ours));
    Ok(entries.iter().map(fs::DirEntry::path).collect())
}

fn written(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn is_abandoned(path: &Path) -> bool {
    written(path).and_then(|time| time.elapsed().ok()).is_some_and(|age| age > ABANDONED)
}

/// All but the `most` newest.
fn oldest<T: Ord, P: Ord>(mut files: Vec<(T, P)>, most: usize) -> Vec<P> {
    files.sort_unstable();
    files.truncate(files.len().saturating_sub(most));
    files.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go() {
        assert_eq!(oldest(vec![(3, "c"), (1, "a"), (2, "b")], 2), ["a"]);
        assert!(oldest(vec![(3, "c"), (1, "a")], 2).is_empty());
    }
}
