//! Asks what a value owns where its type is spelled out, as it is in the code that the attribute generates. Chooses
//! between "its type is known", "one of its parts is" and "nothing is" by method resolution (autoref specialization),
//! so that any type compiles, and a user's own `Vec` is not mistaken for the standard library's.
//!
//! For a value `r: &T`, [`shallow`]`(r)` plus the *owned expression* of `T`, which follows the type's syntax:
//!
//! | type | owned expression of `e: &type` |
//! |---|---|
//! | `Name` and everything not below | `(&&&Probe(e)).amorsize_owned()` |
//! | `Name<A, B>` | `(&&Part::<_, A>::new(e)).amorsize_held(\|part\| OWNED(part, A))`<br>`.or_else(\|\| … B …)`<br>`.unwrap_or_else(\|\| (&&&Probe(e)).amorsize_owned())` |
//! | `[A; N]`, `[A]` | as `Name<A>` |
//! | `(A, B)` | `OWNED(&e.0, A) + OWNED(&e.1, B)` |
//! | `&A`, `*A`, `fn(…)`, `!`, `()` | `0` |
//!
//! all within `{ use ::amorsize::__private::bytes::methods::*; … }`, which brings methods and no names.

use std::marker::PhantomData;

use super::guess;
use super::owned::{Holds, OwnedBytes};

/// Bytes of the value itself.
#[inline]
pub fn shallow<T: ?Sized>(value: &T) -> usize {
    size_of_val(value)
}

/// A value that is asked what it owns.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// A value that is asked what it owns, if it holds values of type `P`.
#[derive(Debug)]
pub struct Part<'a, T: ?Sized, P: ?Sized>(&'a T, PhantomData<fn(&P)>);

impl<'a, T: ?Sized, P: ?Sized> Part<'a, T, P> {
    /// Asks `value`.
    #[inline]
    pub fn new(value: &'a T) -> Self {
        Self(value, PhantomData)
    }
}

/// First choice of a [`Probe`]: a type of the standard library.
pub trait Known {
    /// Bytes outside the value that it owns.
    fn amorsize_owned(&self) -> usize;
}

impl<T: OwnedBytes + ?Sized> Known for &&Probe<'_, T> {
    #[inline]
    fn amorsize_owned(&self) -> usize {
        self.0.owned_bytes()
    }
}

/// Second choice of a [`Probe`]: any other sized type, since a parameter may turn out to be one of the standard
/// library's.
pub trait Guessed {
    /// Bytes outside the value that it owns.
    fn amorsize_owned(&self) -> usize;
}

impl<T> Guessed for &Probe<'_, T> {
    #[inline]
    fn amorsize_owned(&self) -> usize {
        guess::owned_bytes(self.0)
    }
}

/// Last choice of a [`Probe`]: nothing is known.
pub trait Unknown {
    /// Always 0.
    fn amorsize_owned(&self) -> usize;
}

impl<T: ?Sized> Unknown for Probe<'_, T> {
    #[inline]
    fn amorsize_owned(&self) -> usize {
        0
    }
}

/// First choice of a [`Part`]: a type that is known to hold such parts.
pub trait Held {
    /// What is asked about the value's parts.
    type Part: ?Sized;

    /// Bytes outside the value that it owns; `of_part` tells what one part owns.
    fn amorsize_held(&self, of_part: impl Fn(&Self::Part) -> usize) -> Option<usize>;
}

impl<T: Holds<P> + ?Sized, P: ?Sized> Held for &Part<'_, T, P> {
    type Part = P;

    #[inline]
    fn amorsize_held(&self, of_part: impl Fn(&P) -> usize) -> Option<usize> {
        Some(self.0.owned_bytes_with(of_part))
    }
}

/// Second choice of a [`Part`]: a type that is not known to hold such parts.
pub trait NotHeld {
    /// What is asked about the value's parts.
    type Part: ?Sized;

    /// Always `None`.
    fn amorsize_held(&self, of_part: impl Fn(&Self::Part) -> usize) -> Option<usize>;
}

impl<T: ?Sized, P: ?Sized> NotHeld for Part<'_, T, P> {
    type Part = P;

    #[inline]
    fn amorsize_held(&self, _: impl Fn(&P) -> usize) -> Option<usize> {
        None
    }
}

/// The methods of all choices, without the traits' names.
pub mod methods {
    pub use super::{Guessed as _, Held as _, Known as _, NotHeld as _, Unknown as _};
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io;

    use super::*;

    /// What the attribute generates for a type without parts.
    macro_rules! leaf {
        ($e:expr) => {{
            #[allow(unused_imports)]
            use super::methods::*;
            (&&&Probe($e)).amorsize_owned()
        }};
    }

    /// What the attribute generates for `Name<$part, …>`; `$e` is a variable.
    macro_rules! parts {
        ($e:ident; $first:ty => |$one:ident| $owned:expr $(, $other:ty => |$two:ident| $other_owned:expr)*) => {{
            #[allow(unused_imports)]
            use super::methods::*;
            (&&Part::<_, $first>::new($e)).amorsize_held(|$one| $owned)
                $(.or_else(|| (&&Part::<_, $other>::new($e)).amorsize_held(|$two| $other_owned)))*
                .unwrap_or_else(|| leaf!($e))
        }};
    }

    #[derive(Clone)]
    struct Row(#[expect(dead_code, reason = "only its size matters")] [u64; 4]);
    const ROW: usize = size_of::<Row>();

    #[test]
    fn types_of_the_standard_library_are_known_by_any_name() {
        type Bytes = Vec<u8>;
        let bytes: Bytes = vec![0; 10];
        assert_eq!(leaf!(&bytes), 10);
        assert_eq!(leaf!(&std::path::PathBuf::from("abc")), 3);
        let boxed = bytes.into_boxed_slice();
        assert_eq!(leaf!(&boxed), 10);
    }

    #[test]
    fn any_other_type_compiles_and_counts_shallow() {
        assert_eq!(leaf!(&Row([0; 4])), 0);
        assert_eq!(leaf!("abc"), 0);
        let function: &dyn Fn() = &|| {};
        assert_eq!(leaf!(function), 0);
        assert_eq!(shallow(&Row([0; 4])), ROW);
    }

    fn rows_or_error(rows: usize) -> io::Result<Vec<Row>> {
        Ok(vec![Row([0; 4]); rows])
    }

    #[test]
    fn parts_are_found_through_an_alias_that_hides_a_parameter() {
        let result = &rows_or_error(100);
        assert_eq!(parts!(result; Vec<Row> => |rows| parts!(rows; Row => |row| leaf!(row))), 100 * ROW);
        let failed = &io::Result::<Vec<Row>>::Err(io::Error::other("no"));
        assert_eq!(parts!(failed; Vec<Row> => |rows| parts!(rows; Row => |row| leaf!(row))), 0);
    }

    #[test]
    fn a_users_error_is_no_obstacle() {
        struct Wrong;
        let result: &Result<String, Wrong> = &Ok("abc".into());
        assert_eq!(parts!(result; String => |text| leaf!(text), Wrong => |wrong| leaf!(wrong)), 3);
        assert!(matches!(Err::<(), _>(Wrong), Err(Wrong)));
    }

    #[test]
    fn values_of_a_map_are_found_behind_its_keys() {
        let map: &HashMap<u8, Vec<Row>> = &HashMap::from([(1, vec![Row([0; 4]); 100])]);
        let owned = parts!(map; u8 => |key| leaf!(key), Vec<Row> => |rows| parts!(rows; Row => |row| leaf!(row)));
        assert!((100 * ROW..102 * ROW + 1_000).contains(&owned), "{owned}");
    }

    /// In a generic function the parameter is not known until it is compiled for a type.
    fn of_generic<T>(value: &Option<Vec<T>>) -> usize {
        parts!(value; Vec<T> => |values| parts!(values; T => |value| leaf!(value)))
    }

    #[test]
    fn parameters_are_guessed() {
        assert_eq!(of_generic(&Some(vec![0_u16; 10])), 20);
        assert_eq!(of_generic(&Some(vec![String::from("abc")])), size_of::<String>() + 3);
        assert_eq!(of_generic::<Row>(&None), 0);
    }

    #[test]
    fn a_users_type_of_a_known_name_is_not_mistaken() {
        mod own {
            pub(super) struct Vec<T>(pub(super) T);
        }
        let value = &own::Vec(7_u32);
        assert_eq!(parts!(value; u32 => |part| leaf!(part)), 0);
        assert_eq!(value.0, 7);
    }

    #[test]
    fn an_alias_may_give_its_parameter_to_a_deeper_level() {
        type Table<T> = Vec<Vec<T>>;
        let table: &Table<u8> = &vec![vec![0; 10]; 2];
        assert_eq!(parts!(table; u8 => |cell| leaf!(cell)), 2 * (size_of::<Vec<u8>>() + 10));
    }

    #[test]
    fn borrowed_parts_own_nothing() {
        let text = String::from("a b c");
        let words: &Vec<&str> = &text.split(' ').collect();
        assert_eq!(parts!(words; &str => |_word| 0), words.capacity() * size_of::<&str>());
    }

    #[test]
    fn unsized_parts_are_parts() {
        let slice = vec![String::from("abc"); 4].into_boxed_slice();
        let slice = &slice;
        let owned = parts!(slice; [String] => |texts| parts!(texts; String => |text| leaf!(text)));
        assert_eq!(owned, 4 * (size_of::<String>() + 3));
        let function: Box<dyn Fn() -> u8> = Box::new(|| 1);
        let function = &function;
        assert_eq!(parts!(function; dyn Fn() -> u8 => |part| leaf!(part)), 0);
        assert_eq!(function(), 1);
    }
}
