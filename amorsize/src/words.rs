//! Numbers with their nouns, for sentences.

use std::fmt;

/// So many of them: "1 item", "2 items".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<'a>(u64, &'a str);

/// `n` of what `noun` names one of.
pub(crate) fn count(n: u64, noun: &str) -> Count<'_> {
    Count(n, noun)
}

impl fmt::Display for Count<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(n, noun) = self;
        write!(f, "{n} {noun}{}", if *n == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn one_is_singular() {
        let words = [0, 1, 2].map(|n| count(n, "item").to_string());
        assert_eq!(words, ["0 items", "1 item", "2 items"]);
    }
}
