//! Why a plan is what it is, in words that are shared by everybody who keeps them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A sentence.
#[derive(Clone)]
pub(crate) enum Reason {
    Fixed(&'static str),
    Made(Arc<str>),
}

impl From<&'static str> for Reason {
    fn from(words: &'static str) -> Self {
        Self::Fixed(words)
    }
}

impl From<String> for Reason {
    fn from(words: String) -> Self {
        Self::Made(words.into())
    }
}

impl Deref for Reason {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Fixed(words) => words,
            Self::Made(words) => words,
        }
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
