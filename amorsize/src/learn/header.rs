//! The beginning of a history file: that it is one, in which version, and of which function. Pure bytes.
//!
//! Magic (8 bytes), version and its complement (1 each), length of the label (2, little end first), label, CRC-32 of
//! all that (4). The first ten bytes stay so in every version: a reader must be able to tell a newer file from a
//! damaged one.

use once_cell::sync::OnceCell;

use crate::fingerprint::Identity;

const MAGIC: &[u8; 8] = b"amorsize";
/// Version of the format. A later one reads this one too; the first has nothing earlier to read.
const VERSION: u8 = 1;
/// Bytes before the label.
const HEAD: usize = 12;
/// Longest label that is kept; names of deeply generic types go on for kilobytes.
const MOST_LABEL: usize = 4096;

/// Which file a history is in, and what that must begin with.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) key: u64,
    label: String,
    /// Made when a file is to be read or written: most functions of a short program have none.
    header: OnceCell<Vec<u8>>,
}

impl Name {
    pub(crate) fn of(identity: &Identity) -> Self {
        Self::new(identity.key(), identity.label())
    }

    pub(crate) fn new(key: u64, label: impl Into<String>) -> Self {
        Self { key, label: label.into(), header: OnceCell::new() }
    }

    pub(crate) fn header(&self) -> &[u8] {
        self.header.get_or_init(|| {
            let label = cut(&self.label).as_bytes();
            let mut header = Vec::with_capacity(HEAD + label.len() + 4);
            header.extend_from_slice(MAGIC);
            header.extend_from_slice(&[VERSION, !VERSION]);
            header.extend_from_slice(&(label.len() as u16).to_le_bytes());
            header.extend_from_slice(label);
            header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
            header
        })
    }
}

/// The name of a key's file, without its ending.
pub(crate) fn stem(key: u64) -> String {
    format!("{key:016x}")
}

/// The key of a file of this name.
pub(crate) fn key(stem: &str) -> Option<u64> {
    u64::from_str_radix(stem, 16).ok().filter(|&key| self::stem(key) == stem)
}

/// The longest beginning of at most [`MOST_LABEL`] bytes. (`str::floor_char_boundary` is younger than the oldest
/// compiler that this crate supports.)
fn cut(label: &str) -> &str {
    let end = (0..=MOST_LABEL.min(label.len())).rev().find(|&end| label.is_char_boundary(end));
    &label[..end.unwrap_or(0)]
}

/// What a file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header<'a> {
    /// A header of this version.
    Whole {
        label: &'a str,
        /// Bytes of the header.
        length: usize,
    },
    /// A later release wrote it.
    Newer(u8),
    Damaged,
}

/// Reads a header.
pub(crate) fn parse(bytes: &[u8]) -> Header<'_> {
    match bytes.strip_prefix(MAGIC) {
        Some([version, complement, ..]) if *version != !complement => Header::Damaged,
        Some([version, ..]) if *version > VERSION => Header::Newer(*version),
        Some([VERSION, _, low, high, ..]) => whole(bytes, u16::from_le_bytes([*low, *high]).into()),
        _ => Header::Damaged,
    }
}

fn whole(bytes: &[u8], label: usize) -> Header<'_> {
    let end = HEAD + label;
    let Some(crc) = bytes.get(end..end + 4) else { return Header::Damaged };
    if crc32fast::hash(&bytes[..end]).to_le_bytes() != crc {
        return Header::Damaged;
    }
    std::str::from_utf8(&bytes[HEAD..end]).map_or(Header::Damaged, |label| Header::Whole { label, length: end + 4 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let name = Name::new(7, "app::digest");
        assert_eq!(parse(name.header()), Header::Whole { label: "app::digest", length: name.header().len() });
    }

    #[test]
    fn every_flip_and_every_cut_is_damage_and_none_looks_newer() {
        let header = Name::new(7, "app::digest").header().to_vec();
        for (at, bit) in (0..header.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut flipped = header.clone();
            flipped[at] ^= 1 << bit;
            assert_eq!(parse(&flipped), Header::Damaged, "byte {at}");
        }
        for end in 0..header.len() {
            assert_eq!(parse(&header[..end]), Header::Damaged, "cut at {end}");
        }
    }

    #[test]
    fn a_later_version_is_known_whatever_follows() {
        assert_eq!(parse(b"amorsize\x02\xfdanything"), Header::Newer(2));
    }

    #[test]
    fn long_labels_are_cut_between_characters() {
        let label = "ü".repeat(MOST_LABEL);
        assert!(
            matches!(parse(Name::new(7, &label).header()), Header::Whole { label, .. } if label.len() == MOST_LABEL)
        );
    }
}
