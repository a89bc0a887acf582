//! Finds the longest word of each line of a text.
//!
//! Shows items and results that borrow: lines are slices of one string, words are slices of lines, and nothing is
//! copied. `collect` and `scope` take them, because nothing of them runs any more when they return.
//!
//!     cargo run --release --example borrowed
//!     cargo run --release --example borrowed -- CHANGELOG.md

use std::{env, fs, io};

const DEFAULT_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

#[amorsize::streaming]
fn longest(line: &str) -> &str {
    line.split(|c: char| !c.is_alphanumeric()).max_by_key(|word| word.chars().count()).unwrap_or("")
}

fn main() -> io::Result<()> {
    let file = env::args().nth(1).unwrap_or_else(|| DEFAULT_FILE.to_owned());
    let text = fs::read_to_string(file)?;

    // All results at once …
    let words: Vec<&str> = longest::collect(text.lines());
    // … or one after the other, in bounded memory.
    let of_all = longest::scope(text.lines(), |words| words.max_by_key(|word| word.len()));

    for (line, word) in (1..).zip(&words).take(5) {
        println!("line {line}: {word}");
    }
    println!("the longest of {} lines: {}", words.len(), of_all.unwrap_or(""));
    Ok(())
}
