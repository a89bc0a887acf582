//! The page with charts: one file, no other assets.

use crate::matrix::Outcome;

/// The whole page.
pub(crate) fn page(outcome: &Outcome) -> String {
    format!("<!doctype html><title>amorsize</title><pre>{:#?}</pre>", outcome.cells)
}
