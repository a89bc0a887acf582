//! Why a plan is what it is, in words that are shared by everybody who keeps them, and made when somebody reads them:
//! nobody does of most plans, and a short run would wait for it.

use std::fmt;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, LazyLock};

/// Why a plan is what it is, in a sentence.
#[derive(Clone)]
pub(crate) enum Reason {
    Fixed(&'static str),
    Made(Arc<dyn Words>),
}

pub(crate) trait Words: Deref<Target = String> + Send + Sync + UnwindSafe + RefUnwindSafe {}
impl<T: Deref<Target = String> + Send + Sync + UnwindSafe + RefUnwindSafe> Words for T {}

impl Reason {
    /// A reason that is made when somebody reads it, of what is known now.
    pub(crate) fn when_read(make: impl FnOnce() -> String + Send + UnwindSafe + RefUnwindSafe + 'static) -> Self {
        Self::Made(Arc::new(LazyLock::new(make)))
    }
}

impl From<&'static str> for Reason {
    fn from(words: &'static str) -> Self {
        Self::Fixed(words)
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
