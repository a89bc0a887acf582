//! Real functions on real input; see [`crate::corpus`].

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::vec;

use regex::Regex;

use crate::jobs::Job;

/// The first `items` of `all`, from the start again when they do not suffice.
fn cycle<T: Clone>(all: &[T], items: usize) -> vec::IntoIter<T> {
    all.iter().cloned().cycle().take(items).collect::<Vec<_>>().into_iter()
}

/// BLAKE3 of files: an open, a read, a hash.
#[derive(Clone)]
pub(crate) struct Digest(pub(crate) Arc<Vec<PathBuf>>);

impl Job for Digest {
    type Source = vec::IntoIter<PathBuf>;
    type Result = Option<blake3::Hash>;

    fn source(&self, items: usize) -> Self::Source {
        cycle(&self.0, items)
    }

    fn work(&self, path: PathBuf) -> Option<blake3::Hash> {
        Some(blake3::hash(&fs::read(path).ok()?))
    }

    fn read(hash: Option<blake3::Hash>) -> u64 {
        hash.map_or(0, |hash| u64::from(hash.as_bytes()[0]))
    }
}

/// A regular expression over lines.
#[derive(Clone)]
pub(crate) struct Search(pub(crate) Arc<Vec<&'static str>>, pub(crate) Regex);

impl Job for Search {
    type Source = vec::IntoIter<&'static str>;
    type Result = bool;

    fn source(&self, items: usize) -> Self::Source {
        cycle(&self.0, items)
    }

    fn work(&self, line: &'static str) -> bool {
        self.1.is_match(line)
    }

    fn read(found: bool) -> u64 {
        u64::from(found)
    }
}

/// JSON records: results of many small allocations.
#[derive(Clone)]
pub(crate) struct Parse(pub(crate) Arc<Vec<String>>);

impl Job for Parse {
    type Source = vec::IntoIter<String>;
    type Result = Option<serde_json::Value>;

    fn source(&self, items: usize) -> Self::Source {
        cycle(&self.0, items)
    }

    fn work(&self, text: String) -> Option<serde_json::Value> {
        serde_json::from_str(&text).ok()
    }

    fn read(value: Option<serde_json::Value>) -> u64 {
        value.and_then(|value| value.get("bytes")?.as_u64()).unwrap_or(0)
    }
}

/// Markdown to HTML.
#[derive(Clone)]
pub(crate) struct Render(pub(crate) Arc<Vec<&'static str>>);

impl Job for Render {
    type Source = vec::IntoIter<&'static str>;
    type Result = String;

    fn source(&self, items: usize) -> Self::Source {
        cycle(&self.0, items)
    }

    fn work(&self, text: &'static str) -> String {
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(text));
        html
    }

    fn read(html: String) -> u64 {
        html.len() as u64
    }
}

/// Compression of large blocks.
#[derive(Clone)]
pub(crate) struct Compress(pub(crate) Arc<Vec<&'static [u8]>>);

impl Job for Compress {
    type Source = vec::IntoIter<&'static [u8]>;
    type Result = Option<Vec<u8>>;

    fn source(&self, items: usize) -> Self::Source {
        cycle(&self.0, items)
    }

    fn work(&self, block: &'static [u8]) -> Option<Vec<u8>> {
        zstd::bulk::compress(block, 3).ok()
    }

    fn read(compressed: Option<Vec<u8>>) -> u64 {
        compressed.map_or(0, |compressed| compressed.len() as u64)
    }
}
