//! The text of small files that the kernel makes up on demand.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that nearly all such files have room in.
const USUAL: usize = 8192;

/// A file's text, in as few system calls as can be: such files have no size to ask for. A strange name in one must not
/// hide the rest.
pub(super) fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::with_capacity(USUAL);
    File::open(path).ok()?.take(u64::MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
