//! Records one after the other, each with its length and a CRC-32. Pure: bytes in, ranges out.
//!
//! A reader finds its way again behind bytes that are no record, so damage costs only the records it touches.

use std::ops::Range;

/// Bytes before a record: its length (one byte), and the CRC-32 of length and record (four, little end first).
const HEAD: usize = 5;
/// Most bytes of a record.
pub(crate) const MOST_PAYLOAD: usize = u8::MAX as usize;
/// Most bytes of a record with what comes before it.
pub(crate) const MOST_FRAME: usize = HEAD + MOST_PAYLOAD;

/// Adds a record, which must not be empty or longer than [`MOST_PAYLOAD`].
pub(crate) fn add(frames: &mut Vec<u8>, payload: &[u8]) {
    let length = u8::try_from(payload.len()).expect("records are short");
    frames.push(length);
    frames.extend_from_slice(&checksum(length, payload).to_le_bytes());
    frames.extend_from_slice(payload);
}

fn checksum(length: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[length]);
    hasher.update(payload);
    hasher.finalize()
}

/// The record that starts with the first of `bytes`, if it is whole.
pub(crate) fn first(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let [length, crc @ ..] = *head;
    let payload = rest.get(..length.into())?;
    (checksum(length, payload) == u32::from_le_bytes(crc)).then_some(payload)
}

/// Whether a whole record ends with the last of `bytes`.
pub(crate) fn ends_whole(bytes: &[u8]) -> bool {
    let latest = bytes.len().saturating_sub(MOST_FRAME)..bytes.len().saturating_sub(HEAD);
    latest.into_iter().any(|start| {
        let rest = &bytes[start..];
        HEAD + usize::from(rest[0]) == rest.len() && first(rest).is_some()
    })
}

/// What a file's bytes behind the header are made of, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A whole record.
    Record(Range<usize>),
    /// Bytes that are no record.
    Noise(Range<usize>),
    /// A record at the very end that stops too early: its writer was killed.
    Torn(Range<usize>),
}

/// Takes bytes apart.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = Piece> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        if let Some(payload) = first(&bytes[start..]) {
            at = start + HEAD + payload.len();
            return Some(Piece::Record(start + HEAD..at));
        }
        at = (start..bytes.len()).find(|&next| first(&bytes[next..]).is_some()).unwrap_or(bytes.len());
        if start == at {
            return None;
        }
        let torn = at == bytes.len() && at - start < HEAD + usize::from(bytes[start]);
        Some(if torn { Piece::Torn(start..at) } else { Piece::Noise(start..at) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<u8> {
        let mut frames = Vec::new();
        add(&mut frames, b"one");
        add(&mut frames, b"three");
        frames
    }

    #[test]
    fn what_was_added_is_found() {
        let frames = two();
        assert_eq!(pieces(&frames).collect::<Vec<_>>(), [Piece::Record(5..8), Piece::Record(13..18)]);
    }

    #[test]
    fn a_flipped_bit_costs_only_its_record() {
        let frames = two();
        for (at, bit) in (0..frames.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut frames = frames.clone();
            frames[at] ^= 1 << bit;
            let found: Vec<_> = pieces(&frames).filter(|piece| matches!(piece, Piece::Record(_))).collect();
            assert_eq!(found, [if at < 8 { Piece::Record(13..18) } else { Piece::Record(5..8) }], "byte {at}");
        }
    }

    #[test]
    fn a_cut_costs_only_what_was_cut_and_is_known_as_one() {
        let frames = two();
        for end in 9..frames.len() {
            assert_eq!(pieces(&frames[..end]).collect::<Vec<_>>(), [Piece::Record(5..8), Piece::Torn(8..end)]);
            assert!(!ends_whole(&frames[..end]));
        }
        assert!(ends_whole(&frames) && ends_whole(&frames[..8]));
    }

    #[test]
    fn zeros_are_no_records() {
        assert_eq!(pieces(&[0; 600]).collect::<Vec<_>>(), [Piece::Noise(0..600)]);
    }
}
