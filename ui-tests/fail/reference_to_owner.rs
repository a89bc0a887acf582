//! A `&String` is not `Borrow<str>`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

#[amorsize::streaming]
fn length(path: &Path) -> usize {
    path.as_os_str().len()
}

#[amorsize::streaming]
fn scale(n: u64, factor: &u64) -> u64 {
    n * factor
}

fn main() {
    let paths = vec![PathBuf::from("a")];
    let _: Vec<usize> = length::collect(&paths);
    let factor = Arc::new(2);
    scale::with(&factor);
}
