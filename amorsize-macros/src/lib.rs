//! The `#[streaming]` attribute of `amorsize`.
