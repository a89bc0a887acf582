//! What each of the standard library's owned types owns.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::guess;

/// Elements of a collection that are looked at; the others are taken to own as much on average.
const LOOKED_AT: usize = 3;
/// A hash table keeps at least one place in eight free, and a byte about each place.
const HASH_PLACES: (usize, usize) = (8, 7);
/// Nodes of a B-tree are between half full and full.
const TREE_PLACES: (usize, usize) = (4, 3);
/// The two counters before what an `Rc` or `Arc` shares.
const COUNTERS: usize = 2 * size_of::<usize>();

/// A type that owns memory outside itself.
pub trait OwnedBytes {
    /// Bytes outside the value that it owns.
    fn owned_bytes(&self) -> usize;
}

/// A type that contains values of type `P`, which may own memory in turn.
pub trait Holds<P: ?Sized> {
    /// Bytes outside the value that it owns; `of_part` tells what one `P` owns outside itself.
    fn owned_bytes_with(&self, of_part: impl Fn(&P) -> usize) -> usize;
}

/// What `count` elements own, judged by a few of them.
fn scaled<'a, P: 'a>(looked_at: impl Iterator<Item = &'a P>, count: usize, of_part: impl Fn(&P) -> usize) -> usize {
    let (mut seen, mut sum) = (0, 0_usize);
    for part in looked_at.take(LOOKED_AT) {
        seen += 1;
        sum = sum.saturating_add(of_part(part));
    }
    sum.checked_div(seen).map_or(0, |each| each.saturating_mul(count))
}

fn places(count: usize, (numerator, denominator): (usize, usize), bytes: usize) -> usize {
    (count / denominator).saturating_mul(numerator).saturating_add(count % denominator).saturating_mul(bytes)
}

impl<T> Holds<T> for [T] {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        let spread = [0, self.len() / 2, self.len().wrapping_sub(1)];
        scaled(spread.iter().filter_map(|&index| self.get(index)), self.len(), of_part)
    }
}

impl<T, const N: usize> Holds<T> for [T; N] {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        self.as_slice().owned_bytes_with(of_part)
    }
}

impl<T> Holds<T> for Vec<T> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        let own = self.capacity().saturating_mul(size_of::<T>());
        own.saturating_add(self.as_slice().owned_bytes_with(of_part))
    }
}

impl<T> Holds<T> for VecDeque<T> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        let own = self.capacity().saturating_mul(size_of::<T>());
        own.saturating_add(scaled(self.iter(), self.len(), of_part))
    }
}

impl<T> Holds<T> for BinaryHeap<T> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        let own = self.capacity().saturating_mul(size_of::<T>());
        own.saturating_add(self.as_slice().owned_bytes_with(of_part))
    }
}

impl<T: ?Sized> Holds<T> for Box<T> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        size_of_val::<T>(self).saturating_add(of_part(self))
    }
}

impl<T: ?Sized> Holds<T> for Rc<T> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        (COUNTERS + size_of_val::<T>(self)).saturating_add(of_part(self))
    }
}

impl<T: ?Sized> Holds<T> for Arc<T> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        (COUNTERS + size_of_val::<T>(self)).saturating_add(of_part(self))
    }
}

impl<T> Holds<T> for Option<T> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        self.as_ref().map_or(0, of_part)
    }
}

impl<T, E> Holds<T> for Result<T, E> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&T) -> usize) -> usize {
        self.as_ref().map_or_else(guess::owned_bytes, of_part)
    }
}

impl<K, V, S> Holds<V> for HashMap<K, V, S> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&V) -> usize) -> usize {
        places(self.capacity(), HASH_PLACES, size_of::<(K, V)>() + 1)
            .saturating_add(scaled(self.keys(), self.len(), guess::owned_bytes))
            .saturating_add(scaled(self.values(), self.len(), of_part))
    }
}

impl<K, S> Holds<K> for HashSet<K, S> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&K) -> usize) -> usize {
        let own = places(self.capacity(), HASH_PLACES, size_of::<K>() + 1);
        own.saturating_add(scaled(self.iter(), self.len(), of_part))
    }
}

impl<K, V> Holds<V> for BTreeMap<K, V> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&V) -> usize) -> usize {
        places(self.len(), TREE_PLACES, size_of::<(K, V)>())
            .saturating_add(scaled(self.keys(), self.len(), guess::owned_bytes))
            .saturating_add(scaled(self.values(), self.len(), of_part))
    }
}

impl<K> Holds<K> for BTreeSet<K> {
    #[inline]
    fn owned_bytes_with(&self, of_part: impl Fn(&K) -> usize) -> usize {
        let own = places(self.len(), TREE_PLACES, size_of::<K>());
        own.saturating_add(scaled(self.iter(), self.len(), of_part))
    }
}

/// Collections own what they hold even where its type is only known as a parameter.
macro_rules! by_guessing_the_parts {
    ($([$($generics:tt)*] $type:ty => $part:ty;)*) => {$(
        impl<$($generics)*> OwnedBytes for $type {
            #[inline]
            fn owned_bytes(&self) -> usize {
                Holds::<$part>::owned_bytes_with(self, guess::owned_bytes)
            }
        }
    )*};
}

by_guessing_the_parts! {
    [T] [T] => T;
    [T, const N: usize] [T; N] => T;
    [T] Vec<T> => T;
    [T] VecDeque<T> => T;
    [T] BinaryHeap<T> => T;
    [T] Box<T> => T;
    [T] Rc<T> => T;
    [T] Arc<T> => T;
    [T] Option<T> => T;
    [T, E] Result<T, E> => T;
    [K, V, S] HashMap<K, V, S> => V;
    [K, S] HashSet<K, S> => K;
    [K, V] BTreeMap<K, V> => V;
    [K] BTreeSet<K> => K;
}

/// Owned texts, and those that may be borrowed instead.
macro_rules! texts {
    ($($owned:ty, $borrowed:ty;)*) => {$(
        impl OwnedBytes for $owned {
            #[inline]
            fn owned_bytes(&self) -> usize {
                self.capacity()
            }
        }

        impl OwnedBytes for Cow<'_, $borrowed> {
            #[inline]
            fn owned_bytes(&self) -> usize {
                match self {
                    Cow::Borrowed(_) => 0,
                    Cow::Owned(owned) => owned.capacity(),
                }
            }
        }
    )*};
}

texts! {
    String, str;
    OsString, OsStr;
    PathBuf, Path;
}

impl OwnedBytes for CString {
    #[inline]
    fn owned_bytes(&self) -> usize {
        self.as_bytes_with_nul().len()
    }
}

impl<T: Clone> OwnedBytes for Cow<'_, [T]> {
    #[inline]
    fn owned_bytes(&self) -> usize {
        match self {
            Cow::Borrowed(_) => 0,
            Cow::Owned(owned) => owned.owned_bytes(),
        }
    }
}

macro_rules! behind_a_pointer {
    ($($pointer:ident of $($text:ty),*;)*) => {$($(
        impl OwnedBytes for $pointer<$text> {
            #[inline]
            fn owned_bytes(&self) -> usize {
                self.owned_bytes_with(|_: &$text| 0)
            }
        }
    )*)*};
}

behind_a_pointer! {
    Box of str, OsStr, CStr, Path;
    Rc of str, OsStr, CStr, Path;
    Arc of str, OsStr, CStr, Path;
}

impl<T> OwnedBytes for Box<[T]> {
    #[inline]
    fn owned_bytes(&self) -> usize {
        self.owned_bytes_with(|parts: &[T]| parts.owned_bytes())
    }
}

impl<T> OwnedBytes for Arc<[T]> {
    #[inline]
    fn owned_bytes(&self) -> usize {
        self.owned_bytes_with(|parts: &[T]| parts.owned_bytes())
    }
}

/// An `io::Error` is mostly a kind or a code; what a custom one owns is not known.
impl OwnedBytes for io::Error {
    #[inline]
    fn owned_bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(value: &impl OwnedBytes) -> usize {
        value.owned_bytes()
    }

    #[test]
    fn a_text_owns_its_capacity() {
        let text = String::with_capacity(100);
        assert_eq!(owned(&text), text.capacity());
        assert_eq!(owned(&PathBuf::from("abc")), 3);
        assert_eq!(owned(&Box::<str>::from("abcd")), 4);
        assert_eq!(owned(&Arc::<str>::from("abcd")), 4 + COUNTERS);
        assert_eq!(owned(&Cow::Borrowed("abc")), 0);
        assert_eq!(owned(&Cow::<str>::Owned("abc".into())), 3);
        assert_eq!(owned(&CString::new("abc").unwrap()), 4);
    }

    #[test]
    fn a_vector_owns_its_capacity_and_what_its_elements_own() {
        assert_eq!(owned(&Vec::<u64>::with_capacity(10)), 80);
        let lines = vec![String::from("12345678"); 1_000];
        assert_eq!(owned(&lines), 1_000 * (size_of::<String>() + 8));
        assert_eq!(owned(&lines.into_boxed_slice()), 1_000 * (size_of::<String>() + 8));
    }

    #[test]
    fn only_a_few_elements_are_looked_at_wherever_they_are() {
        let mut looked_at = Vec::new();
        let seen = std::cell::RefCell::new(&mut looked_at);
        let numbers: Vec<usize> = (0..1_000).collect();
        let bytes = numbers.owned_bytes_with(|&number| {
            seen.borrow_mut().push(number);
            7
        });
        assert_eq!(bytes, 1_000 * (size_of::<usize>() + 7));
        assert_eq!(looked_at, [0, 500, 999]);
    }

    #[test]
    fn what_may_be_absent_counts_when_it_is_there() {
        assert_eq!(owned(&None::<String>), 0);
        assert_eq!(owned(&Some(String::from("abc"))), 3);
        assert_eq!(owned(&Ok::<String, fmt::Error>(String::from("abc"))), 3);
        assert_eq!(owned(&Err::<u8, String>(String::from("wrong"))), 5);
    }

    #[test]
    fn maps_own_their_places_and_what_is_in_them() {
        let map: HashMap<String, String> = (0..500).map(|n| (format!("{n:04}"), format!("{n:06}"))).collect();
        let least = 500 * (2 * size_of::<String>() + 10);
        assert!((least..4 * least).contains(&owned(&map)), "{}", owned(&map));
        let tree: BTreeMap<u64, u64> = (0..300).map(|n| (n, n)).collect();
        assert_eq!(owned(&tree), 400 * 16);
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        assert_eq!(owned(&vec![(); usize::MAX]), 0);
        assert_eq!(places(usize::MAX, HASH_PLACES, 1 << 20), usize::MAX);
        let units = vec![(); usize::MAX];
        assert_eq!(units.owned_bytes_with(|()| 5), usize::MAX);
    }

    use std::fmt;
}
