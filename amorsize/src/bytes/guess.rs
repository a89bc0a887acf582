//! What a value owns whose type is only known as a parameter: it is compared with a closed list of common types. The
//! comparison is made while compiling; for a type that is not listed nothing is left of it.
//!
//! A result may borrow, so the list has only types that `castaway` knows to be free of lifetimes. `PathBuf`, boxed
//! slices and `io::Error` are not among them: those are found only by the attribute, which sees the type spelled out.

use std::mem::needs_drop;
use std::sync::Arc;

use castaway::cast;

use super::blocks;
use super::owned::OwnedBytes;
use crate::decide::situation::Owns;

/// Bytes outside the value that it owns; 0 if its type is not on the list.
#[inline]
pub(crate) fn owned_bytes<R>(result: &R) -> usize {
    // What need not be dropped owns nothing. This spares the compiler the list.
    if const { !needs_drop::<R>() } { 0 } else { listed(result) }
}

/// Returns what the value owns if it is of a listed type. A type of another size is another type, which is quicker to
/// see for the compiler than to compare them.
macro_rules! compare {
    ($value:ident with $($type:ty),* $(,)?) => {$(
        if const { size_of::<R>() == size_of::<$type>() } {
            if let Ok(known) = cast!($value, &$type) { return known.owned_bytes(); }
        }
    )*};
}

/// Compares with each listed type alone, and where it may be absent.
macro_rules! compare_with_optional {
    ($value:ident with $($type:ty),* $(,)?) => {
        compare!($value with $($type, Option<$type>, Result<$type, String>,)*);
    };
}

/// What values of a type own, as far as the type tells.
pub(crate) fn owns<T>() -> Owns {
    match () {
        () if const { !needs_drop::<T>() } => Owns::Nothing,
        () if blocks::is_one::<T>() => Owns::OneBlock,
        () => Owns::Anything,
    }
}

fn listed<R>(result: &R) -> usize {
    compare_with_optional!(result with
        String, Vec<u8>, Vec<u16>, Vec<u32>, Vec<u64>, Vec<usize>, Vec<i8>, Vec<i16>, Vec<i32>, Vec<i64>, Vec<f32>,
        Vec<f64>, Vec<bool>, Vec<String>, Vec<Vec<u8>>, Vec<Vec<f64>>,
    );
    compare!(result with
        Vec<char>, Vec<isize>, Vec<u128>, Vec<i128>, Vec<[f32; 2]>, Vec<[f32; 3]>, Vec<[f32; 4]>, Vec<[f64; 2]>,
        Vec<[f64; 3]>, Vec<[f64; 4]>, Vec<[u8; 3]>, Vec<[u8; 4]>, Vec<(usize, usize)>, Vec<(f64, f64)>,
        Vec<(String, String)>, Vec<(String, usize)>, Vec<Vec<f32>>, Vec<Vec<u32>>, Vec<Vec<usize>>, Vec<Vec<String>>,
        Vec<Option<String>>, Arc<String>, Arc<Vec<u8>>, Box<String>, Box<Vec<u8>>,
    );
    in_tuples(result)
}

macro_rules! compare_tuples {
    ($value:ident with $($type:ty),* $(,)?) => {
        $(if const { size_of::<R>() == size_of::<$type>() } {
            if let Ok((one, other)) = cast!($value, &$type) {
                return owned_bytes(one).saturating_add(owned_bytes(other));
            }
        })*
    };
}

/// What a pair owns, of a key and what was made of it, say; 0 if its type is not on the list.
fn in_tuples<R>(result: &R) -> usize {
    compare_tuples!(result with
        (String, String), (String, Vec<u8>), (String, u64), (String, usize), (String, f64), (String, Vec<String>),
        (u32, String), (u64, String), (usize, String), (u32, Vec<u8>), (u64, Vec<u8>), (usize, Vec<u8>), (usize, Vec<f64>),
        (usize, Vec<u32>), (Vec<u8>, Vec<u8>), (Vec<f64>, Vec<f64>),
    );
    0
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn types_tell_how_many_blocks_their_values_own() {
        assert_eq!([owns::<u64>(), owns::<&str>(), owns::<Option<[u8; 9]>>()], [Owns::Nothing; 3]);
        assert_eq!([owns::<String>(), owns::<Vec<u64>>(), owns::<Option<Vec<f64>>>()], [Owns::OneBlock; 3]);
        assert_eq!([owns::<(usize, String)>(), owns::<Result<String, String>>()], [Owns::OneBlock; 2]);
        assert_eq!([owns::<PathBuf>(), owns::<Option<OsString>>(), owns::<(usize, Box<str>)>()], [Owns::OneBlock; 3]);
        assert_eq!(owns::<(PathBuf, u64)>(), Owns::OneBlock);
        struct Mine(#[expect(dead_code)] String);
        assert_eq!([owns::<Vec<String>>(), owns::<Mine>(), owns::<Box<dyn Fn()>>()], [Owns::Anything; 3]);
    }

    #[test]
    fn listed_types_are_found_behind_a_parameter() {
        assert_eq!(owned_bytes(&vec![0_u8; 1 << 20]), 1 << 20);
        assert_eq!(owned_bytes(&Some(vec![0_f64; 10])), 80);
        assert_eq!(owned_bytes(&Ok::<_, String>(String::from("abc"))), 3);
        assert_eq!(owned_bytes(&vec![vec![0_u8; 10]; 10]), 10 * (size_of::<Vec<u8>>() + 10));
        assert_eq!(owned_bytes(&(7_usize, vec![0_u8; 10])), 10);
    }

    #[test]
    fn types_that_borrow_are_compared_too() {
        let text = String::from("abc");
        assert_eq!(owned_bytes(&vec![text.as_str()]), 0, "not listed");
        assert_eq!(owned_bytes(&text.as_str()), 0);
    }

    #[test]
    fn other_types_count_shallow() {
        #[expect(dead_code, reason = "only its size matters")]
        struct Row(String, u64);
        assert_eq!(super::super::shallow_and_owned(&Row("abc".into(), 1)), size_of::<Row>());
        assert_eq!(super::super::shallow_and_owned(&7_u64), 8);
    }
}
