//! `AMORSIZE_THREADS`: how many threads may compute at the same time, whatever the machine says.

use std::env;
use std::ffi::OsStr;
use std::sync::LazyLock;

use crate::constants::MOST_THREADS;
use crate::environment::Variable;

const NAME: &str = "AMORSIZE_THREADS";

/// The number that was set, if it was.
pub(super) fn threads() -> Option<usize> {
    static THREADS: LazyLock<Variable<Option<usize>>> = LazyLock::new(|| {
        let value = env::var_os(NAME);
        let threads = value.as_deref().and_then(parse);
        let wrong = value.filter(|value| threads.is_none() && !value.is_empty()).map(|value| {
            format!("{NAME} is {value:?}, which is not a whole number from 1 to {MOST_THREADS}; it is ignored until it is, or is unset")
        });
        Variable::new(threads, wrong)
    });
    THREADS.get()
}

/// Whether a number was set.
pub(crate) fn has_stated_threads() -> bool {
    threads().is_some()
}

fn parse(value: &OsStr) -> Option<usize> {
    value.to_str()?.trim().parse().ok().filter(|threads| (1..=MOST_THREADS).contains(threads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positive_numbers_are_taken_and_nothing_else() {
        let of = |value: &str| parse(OsStr::new(value));
        assert_eq!(["1", " 8 ", "65535"].map(of), [Some(1), Some(8), Some(65_535)]);
        assert_eq!(["", "0", "-1", "2.5", "all", "65536", "99999999999999999999"].map(of), [None; 7]);
    }
}
