//! How many blocks of memory a value owns at most, read from the name of its type: since nothing but time depends on
//! it, names are good enough, and types of the standard library can be told apart wherever they are nested. (What is
//! not understood, as a user's own type, may own anything.)

use std::any::type_name;

/// Types that own one block, and hold nothing else.
const BLOCKS: [&str; 5] = [
    "alloc::string::String",
    "std::path::PathBuf",
    "std::ffi::os_str::OsString",
    "alloc::boxed::Box<str>",
    "alloc::boxed::Box<std::path::Path>",
];
const SCALARS: [&str; 17] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "bool",
    "char", "()",
];

/// Whether values of a type own one block at most, as far as its name tells.
pub(super) fn is_one<T>() -> bool {
    most(type_name::<T>()).is_some_and(|blocks| blocks <= 1)
}

/// Blocks that a value of a type of this name owns at most; `None`: any number, or something else. Errors are thought to
/// be few, so that theirs do not matter.
fn most(name: &str) -> Option<usize> {
    let within = |open: &str, close: char| name.strip_prefix(open)?.strip_suffix(close);
    if BLOCKS.contains(&name) {
        return Some(1);
    }
    if SCALARS.contains(&name) || name.starts_with('&') {
        return Some(0);
    }
    if let Some(inner) = within("(", ')') {
        return parts(inner).map(most).sum();
    }
    if let Some(inner) = within("[", ']') {
        return flat(inner.rsplit_once("; ").map_or(inner, |(element, _)| element));
    }
    if let Some(inner) = within("core::option::Option<", '>') {
        return most(inner);
    }
    if let Some(inner) = within("core::result::Result<", '>') {
        return most(parts(inner).next()?);
    }
    let inner = within("alloc::vec::Vec<", '>').or_else(|| within("alloc::boxed::Box<", '>'))?;
    flat(inner).map(|_| 1)
}

/// 0 where values of a type of this name own nothing; `None` where they may.
fn flat(name: &str) -> Option<usize> {
    most(name).filter(|&blocks| blocks == 0)
}

/// What commas divide that are not within brackets.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    let at_comma = move |letter| {
        match letter {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    };
    list.split(at_comma).map(str::trim_start).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::error::Error;
    use std::ffi::OsString;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;

    fn blocks<T>() -> Option<usize> {
        most(type_name::<T>())
    }

    #[test]
    fn values_of_the_standard_librarys_types_own_what_their_names_say() {
        let one = [
            blocks::<String>(),
            blocks::<PathBuf>(),
            blocks::<OsString>(),
            blocks::<Box<str>>(),
            blocks::<Box<Path>>(),
            blocks::<Box<[u8]>>(),
            blocks::<Box<f64>>(),
            blocks::<Vec<u64>>(),
            blocks::<Vec<[f32; 3]>>(),
            blocks::<Vec<(usize, char)>>(),
            blocks::<Vec<Option<i128>>>(),
        ];
        assert_eq!(one, [Some(1); 11]);
        let none = [blocks::<()>(), blocks::<&String>(), blocks::<(u8, [[bool; 2]; 3])>(), blocks::<Result<f32, ()>>()];
        assert_eq!(none, [Some(0); 4]);
    }

    #[test]
    fn what_holds_several_values_owns_what_all_of_them_do() {
        let within = [
            blocks::<Option<String>>(),
            blocks::<(String, u64)>(),
            blocks::<(u32, Vec<u8>, f64)>(),
            blocks::<Result<String, Box<dyn Error>>>(),
            blocks::<Result<(usize, Option<PathBuf>), io::Error>>(),
        ];
        assert_eq!(within, [Some(1); 5]);
        assert_eq!([blocks::<(String, String)>(), blocks::<(Vec<u8>, (u8, String))>()], [Some(2); 2]);
    }

    #[test]
    fn what_is_not_understood_may_own_anything() {
        struct Mine;
        let other = [
            blocks::<Mine>(),
            blocks::<Option<Mine>>(),
            blocks::<(u8, Mine)>(),
            blocks::<Result<Mine, u8>>(),
            blocks::<Vec<Mine>>(),
            blocks::<Vec<String>>(),
            blocks::<[String; 2]>(),
            blocks::<Arc<String>>(),
            blocks::<HashMap<u8, u8>>(),
            blocks::<Box<dyn Fn()>>(),
            blocks::<fn(String) -> u8>(),
        ];
        assert_eq!(other, [None; 11]);
        for broken in ["", "(", "(,)", "[u8]]", "alloc::vec::Vec<", "alloc::vec::Vec<u8", "core::result::Result<,>>"] {
            assert!(most(broken).is_none_or(|blocks| blocks == 0), "{broken}");
        }
    }
}
