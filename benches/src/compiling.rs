//! What one more function adds to a program: time that the compiler takes, and code. (Generic code is compiled once
//! more for each.)

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::stats::median;

/// Functions that are added, and how often that is measured.
const MORE: usize = 20;
const ROUNDS: usize = 3;

/// Ways to run each function over a range: what stands before it, and the loop over its results.
const WAYS: [(&str, &str, &str); 3] = [
    ("amorsize", "#[amorsize::streaming]", "for result in NAME::stream(0..items) { black_box(result); }"),
    ("rayon", "", "for result in (0..items).into_par_iter().map(NAME).collect::<Vec<_>>() { black_box(result); }"),
    ("loop", "", "for result in (0..items).map(NAME) { black_box(result); }"),
];

/// Builds, in a folder of its own, programs of one function and of many.
pub(crate) fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = format!(
        "[package]\nname = \"program\"\nedition = \"2024\"\n[workspace]\n[profile.release]\nstrip = true\n\
         [dependencies]\namorsize = {{ path = {:?} }}\nrayon = \"1\"\n",
        root.join("amorsize")
    );
    fs::create_dir(folder.path().join("src"))?;
    fs::write(folder.path().join("Cargo.toml"), manifest)?;
    fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock"))?;
    for (name, attribute, results) in WAYS {
        // What they depend on is not counted.
        build(folder.path(), &program(attribute, results, 1, 0))?;
        let mut added = Vec::new();
        for round in 1..=ROUNDS {
            let [few, many] = [1, 1 + MORE].map(|count| program(attribute, results, count, round));
            let (few, many) = (build(folder.path(), &few)?, build(folder.path(), &many)?);
            added.push([many.0 - few.0, many.1 - few.1].map(|more| more / MORE as f64));
        }
        let [seconds, bytes] = [0, 1].map(|place| median(&added.iter().map(|more| more[place]).collect::<Vec<_>>()));
        println!("{name:>10}: {:.2} s and {:.0} KB for each function", seconds, bytes / 1024.0);
    }
    Ok(())
}

/// A program of so many functions, all different, and from those of other rounds too.
fn program(attribute: &str, results: &str, functions: usize, round: usize) -> String {
    let (mut text, mut main) =
        ("#![allow(unused_imports)]\nuse std::hint::black_box;\nuse rayon::prelude::*;\n".to_owned(), String::new());
    for number in 0..functions {
        let (name, steps) = (format!("work{number}"), 100 * round + number);
        let _ = write!(
            text,
            "{attribute}\nfn {name}(mut n: u64) -> u64 {{\n    for _ in 0..{steps} {{ n ^= n.wrapping_mul(n) | 5; }}\n    n\n}}\n"
        );
        let _ = writeln!(main, "    {}", results.replace("NAME", &name));
    }
    let _ = write!(text, "fn main() {{\n    let items = std::env::args().count() as u64;\n{main}}}\n");
    text
}

/// The seconds that building a program takes, and its bytes.
fn build(folder: &Path, program: &str) -> Result<(f64, f64)> {
    fs::write(folder.join("src").join("main.rs"), program)?;
    let begin = Instant::now();
    let target = folder.join("target");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--offline", "--quiet"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", &target)
        .status()
        .context("cannot run cargo")?;
    ensure!(built.success(), "cargo could not build the program");
    let seconds = begin.elapsed().as_secs_f64();
    let bytes = fs::metadata(target.join("release").join(format!("program{}", std::env::consts::EXE_SUFFIX)))?.len();
    Ok((seconds, bytes as f64))
}
