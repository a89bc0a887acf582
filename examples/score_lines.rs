//! Scores the lines of a file by how many rules of a set match them, and prints the highest ones.
//!
//! Shows a function with context: the compiled rules are a further parameter of `score`, lent to all threads by `with`.
//! Reads the file that is named, standard input for `-`, and without arguments the dependencies of this workspace.
//!
//!     cargo run --release --example score_lines
//!     journalctl | cargo run --release --example score_lines -- -

use std::cmp::Reverse;
use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

use anyhow::{Context as _, Result};
use regex::RegexSet;

const RULES: [&str; 8] = [
    r"(?i)\b(error|fail(ed|ure)?|fatal|panic(ked)?)\b",
    r"(?i)\b(warn(ing)?|denied|refused|timed? ?out)\b",
    r"\b\d{1,3}(\.\d{1,3}){3}\b",
    r"\b\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?\b",
    r"\b[0-9a-f]{32,64}\b",
    r"\bhttps?://[^\s]+",
    r"\b[A-Za-z0-9._-]+@[A-Za-z0-9-]+(\.[a-z]+)+\b",
    r"(?i)\b(pass(word|wd)?|secret|token|api[_-]?key)\b",
];
const SHOWN: usize = 5;
const DEFAULT_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");

#[amorsize::streaming]
fn score(line: io::Result<String>, rules: &RegexSet) -> io::Result<(usize, String)> {
    let line = line?;
    Ok((rules.matches(&line).iter().count(), line))
}

fn main() -> Result<()> {
    let name = env::args().nth(1).unwrap_or_else(|| DEFAULT_FILE.to_owned());
    let rules = RegexSet::new(RULES)?;

    let mut highest: Vec<(usize, u64, String)> = Vec::new();
    score::with(&rules).scope(open(&name)?.lines(), |mut scores| {
        for (number, scored) in (1..).zip(scores.by_ref()) {
            let (score, line) = scored.with_context(|| format!("cannot read line {number} of `{name}`"))?;
            if highest.len() < SHOWN || highest[SHOWN - 1].0 < score {
                highest.push((score, number, line));
                highest.sort_by_key(|&(score, ..)| Reverse(score));
                highest.truncate(SHOWN);
            }
        }
        eprintln!("{}", scores.report());
        anyhow::Ok(())
    })?;
    for (score, number, line) in highest {
        println!("line {number} ({score} of {} rules): {line}", RULES.len());
    }
    Ok(())
}

fn open(name: &str) -> Result<Box<dyn BufRead>> {
    if name == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(name).with_context(|| format!("cannot open `{name}`"))?;
    Ok(Box::new(BufReader::new(file)))
}
