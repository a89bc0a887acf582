//! Variables of the environment: each is read once, and a value that makes no sense is told once. Here is `AMORSIZE`,
//! the switch that turns everything off; `AMORSIZE_THREADS` is the machine's, `AMORSIZE_CACHE_DIR` the store's.

use std::ffi::OsStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a variable says.
pub(crate) struct Variable<T> {
    value: T,
    /// What is wrong with the value, and whether somebody has been told.
    wrong: Option<String>,
    told: AtomicBool,
}

impl<T: Copy> Variable<T> {
    pub(crate) fn new(value: T, wrong: Option<String>) -> Self {
        Self { value, wrong, told: AtomicBool::new(false) }
    }

    /// The value. Whoever listens to warnings may ask for it too: so they come after it was read.
    pub(crate) fn get(&self) -> T {
        if let Some(wrong) = &self.wrong
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(target: "amorsize", "{wrong}");
        }
        self.value
    }
}

/// Whether every stream is to be a plain loop that learns nothing.
pub(crate) fn is_serial() -> bool {
    static SERIAL: LazyLock<Variable<bool>> =
        LazyLock::new(|| serial(&std::env::var_os("AMORSIZE").unwrap_or_default()));
    SERIAL.get()
}

fn serial(value: &OsStr) -> Variable<bool> {
    let means_serial = value == "serial";
    let is_wrong = !value.is_empty() && !means_serial;
    let wrong = is_wrong.then(|| {
        format!(
            "the environment variable AMORSIZE is {value:?}, which means nothing: set it to `serial` for plain loops, or \
             unset it"
        )
    });
    Variable::new(means_serial, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_serial_means_serial_and_what_means_nothing_is_told_once() {
        let read = |value: &str| serial(value.as_ref());
        assert!(read("serial").get() && read("serial").wrong.is_none());
        assert!(!read("").get() && read("").wrong.is_none());
        let wrong = read("Serial");
        assert!(wrong.wrong.is_some() && !wrong.told.load(Ordering::Relaxed));
        assert!(!wrong.get() && wrong.told.load(Ordering::Relaxed));
    }
}
