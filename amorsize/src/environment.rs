//! `AMORSIZE`: the switch that turns everything off. (`AMORSIZE_THREADS` is the machine's, `AMORSIZE_CACHE_DIR` the
//! store's.)

use std::sync::LazyLock;

/// Whether every stream is to be a plain loop that learns nothing.
pub(crate) fn is_serial() -> bool {
    static SERIAL: LazyLock<bool> = LazyLock::new(|| means_serial(&std::env::var_os("AMORSIZE").unwrap_or_default()));
    *SERIAL
}

fn means_serial(value: &std::ffi::OsStr) -> bool {
    if !value.is_empty() && value != "serial" {
        tracing::warn!(
            target: "amorsize",
            "the environment variable AMORSIZE is {value:?}, which means nothing: set it to `serial` for plain loops, or unset it"
        );
    }
    value == "serial"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_serial_means_serial() {
        assert!(means_serial("serial".as_ref()));
        assert!(!means_serial("".as_ref()));
        assert!(!means_serial("Serial".as_ref()));
    }
}
