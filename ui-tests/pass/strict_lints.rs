//! The strictest crates can use the attribute.

#![forbid(unsafe_code, nonstandard_style, missing_docs, unused, deprecated_in_future, rust_2018_idioms)]
#![forbid(unreachable_pub, missing_debug_implementations, missing_copy_implementations, single_use_lifetimes)]
#![forbid(unused_lifetimes, unused_qualifications, unused_results, trivial_casts, elided_lifetimes_in_paths)]
#![forbid(variant_size_differences, explicit_outlives_requirements, trivial_bounds, let_underscore_drop)]
#![forbid(absolute_paths_not_starting_with_crate, unit_bindings, unnameable_types, redundant_lifetimes)]
#![deny(warnings, forbidden_lint_groups)]

/// Public.
#[amorsize::streaming(threads = 2)]
pub fn public(n: u64) -> u64 {
    n
}

/// Generic.
#[amorsize::streaming]
pub fn generic<T: Copy, const N: usize>(items: &[T; N], more: &[T], value: u64) -> Option<T> {
    let _ = value;
    items.first().or(more.first()).copied()
}

/// Borrows.
#[amorsize::streaming]
pub fn word(line: &str) -> &str {
    line.trim()
}

/// Borrows, and says so.
#[amorsize::streaming]
pub fn trimmed<'a>(line: &'a str, by: &[char]) -> &'a str {
    line.trim_matches(by)
}

/// Implies that what is behind a reference lives as long.
#[amorsize::streaming]
pub fn rows<T: Clone + Sync>(rows: &[&[T]], more: &[&&T]) -> usize {
    rows.len() + more.len()
}

mod inner {
    #[amorsize::streaming(ordered = false)]
    pub(crate) fn run_only(line: &str) {
        drop(line.to_owned());
    }
}

#[amorsize::streaming]
fn private(n: u64, by: u64) -> u64 {
    n * by
}

fn main() {
    let sum = public::stream(0..3).sum::<u64>() + private::with(2).stream(0..3).sum::<u64>();
    assert_eq!(sum, 9);
    assert_eq!(generic::with([1], 2).collect::<Vec<_>>([[1]]), [Some(1)]);
    assert_eq!(word::collect::<Vec<_>>([" a "]), ["a"]);
    assert_eq!(trimmed::with(['.']).collect::<Vec<_>>([".a."]), ["a"]);
    assert_eq!(rows::with(vec![&&1]).collect::<Vec<_>>([[&[1][..]]]), [2]);
    let report = inner::run_only::run(["a"]);
    assert_eq!(report.items_out(), 1);
}
