//! Finds the words of a text that a dictionary does not have.
//!
//! Shows `Tuner::new`: a closure that calls a method of a value with state, where there is no function to annotate. The
//! tuner is made once and run over several inputs; what is learned is kept under its name and file.
//!
//!     cargo run --release --example closure
//!     cargo run --release --example closure -- CHANGELOG.md benches/README.md

use std::collections::{BTreeSet, HashSet};
use std::{env, fs, io};

use amorsize::Tuner;

const KNOWN: &str = include_str!("../README.md");
const DEFAULT_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/CHANGELOG.md");

/// Words, and how long one must be to matter.
struct Dictionary {
    words: HashSet<String>,
    shortest: usize,
}

impl Dictionary {
    fn of(text: &str, shortest: usize) -> Self {
        Self { words: words(text).collect(), shortest }
    }

    fn unknown(&self, line: &str) -> Vec<String> {
        words(line).filter(|word| word.len() >= self.shortest && !self.words.contains(word)).collect()
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn main() -> io::Result<()> {
    let mut files: Vec<String> = env::args().skip(1).collect();
    if files.is_empty() {
        files.push(DEFAULT_FILE.to_owned());
    }
    let dictionary = Dictionary::of(KNOWN, 6);
    let unknown = Tuner::by_ref("unknown words", |line: &str| dictionary.unknown(line));

    for file in files {
        let text = fs::read_to_string(&file)?;
        let mut words = BTreeSet::new();
        unknown.for_each(text.lines(), |found| words.extend(found));
        println!("{file} has {} words that the README has not:", words.len());
        println!("{}", Vec::from_iter(words).join(" "));
    }
    Ok(())
}
