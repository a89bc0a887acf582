//! Real input found offline: the source files that cargo keeps in its registry folder. Found at run time; rows that
//! need it are left out where there is none.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use walkdir::WalkDir;

/// Most files taken; more would only lengthen the set-up.
const MOST_FILES: usize = 4_000;
/// Most bytes of text that the rows over lines and blocks share.
const MOST_TEXT: usize = 48 << 20;
/// Fewest files that make a row worth the name.
const FEWEST_FILES: usize = 50;

/// Source files of other packages, in a stable order.
pub(crate) static FILES: LazyLock<Vec<PathBuf>> =
    LazyLock::new(|| registry().map(|root| files(&root)).unwrap_or_default());

/// The text of [`FILES`], those that are text.
static TEXTS: LazyLock<Vec<(&'static Path, &'static str)>> = LazyLock::new(|| {
    let mut left = MOST_TEXT;
    let mut texts = Vec::new();
    for path in FILES.iter() {
        let Ok(text) = fs::read_to_string(path) else { continue };
        if text.len() > left {
            break;
        }
        left -= text.len();
        texts.push((path.as_path(), &*text.leak()));
    }
    texts
});

fn registry() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))?;
    let sources = home.join("registry").join("src");
    sources.is_dir().then_some(sources)
}

fn files(root: &Path) -> Vec<PathBuf> {
    let entries = WalkDir::new(root).sort_by_file_name().into_iter().flatten();
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).take(MOST_FILES).collect()
}

/// Files to hash.
pub(crate) fn paths() -> Option<Vec<PathBuf>> {
    (FILES.len() >= FEWEST_FILES).then(|| FILES.clone())
}

/// Lines of source code.
pub(crate) fn lines() -> Option<Vec<&'static str>> {
    enough(TEXTS.iter().flat_map(|(_, text)| text.lines()).collect())
}

/// Markdown documents.
pub(crate) fn documents() -> Option<Vec<&'static str>> {
    let markdown = TEXTS.iter().filter(|(path, _)| path.extension().is_some_and(|extension| extension == "md"));
    enough(markdown.map(|(_, text)| *text).collect())
}

/// Blocks of source text, `size` bytes each.
pub(crate) fn blocks(size: usize) -> Option<Vec<&'static [u8]>> {
    let text: Vec<u8> = TEXTS.iter().flat_map(|(_, text)| text.bytes()).collect();
    enough(text.leak().chunks_exact(size).collect())
}

/// One JSON object for each source file: its name, size, and first words.
pub(crate) fn records() -> Option<Vec<String>> {
    enough(TEXTS.iter().map(|(path, text)| record(path, text)).collect())
}

fn record(path: &Path, text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.len() < 12).take(12).collect();
    serde_json::json!({
        "name": path.file_name().unwrap_or_default().to_string_lossy(),
        "bytes": text.len(),
        "lines": text.lines().count(),
        "ascii": text.is_ascii(),
        "words": words,
        "share": { "letters": text.chars().filter(|c| c.is_alphabetic()).count() as f64 / text.len().max(1) as f64 },
    })
    .to_string()
}

fn enough<T>(items: Vec<T>) -> Option<Vec<T>> {
    (items.len() >= FEWEST_FILES).then_some(items)
}
