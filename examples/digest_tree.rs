//! Hashes every file below a folder with BLAKE3, in order, in the format of `b3sum`.
//!
//! Shows a stream in a `for` loop over a source of unknown length, results that are errors, a progress bar, and at the
//! end what was planned and what happened.
//!
//!     cargo run --release --example digest_tree -- .

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use blake3::{Hash, Hasher};
use clap::Parser;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use walkdir::{DirEntry, WalkDir};

/// Prints the BLAKE3 hash of every file below a folder, in order, as `b3sum` does. Symbolic links are not followed.
#[derive(Parser)]
struct Cli {
    /// The folder, or a single file
    #[arg(default_value = ".")]
    folder: PathBuf,
}

struct Digest {
    path: PathBuf,
    hash: Hash,
    bytes: u64,
}

#[amorsize::streaming]
fn digest(entry: walkdir::Result<DirEntry>) -> Result<Digest> {
    let path = entry?.into_path();
    let mut hasher = Hasher::new();
    let read = File::open(&path).and_then(|file| hasher.update_reader(file).map(drop));
    read.map_err(|error| anyhow!("cannot read `{}`: {error}", path.display()))?;
    Ok(Digest { path, hash: hasher.finalize(), bytes: hasher.count() })
}

fn main() -> ExitCode {
    let mut screen = Screen::new();
    match digest_tree(&Cli::parse().folder, &mut screen) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // Whoever read the lines, such as `head`, has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            screen.say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Returns how many files and folders could not be read.
fn digest_tree(folder: &Path, screen: &mut Screen) -> Result<u64> {
    folder.metadata().with_context(|| format!("cannot read `{}`", folder.display()))?;
    let tree = WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = tree.filter(|entry| entry.as_ref().map_or(true, |entry| entry.file_type().is_file()));

    let (mut files_hashed, mut bytes, mut unreadable) = (0, 0, 0);
    let mut digests = digest::stream(files);
    for result in digests.by_ref() {
        match result {
            Ok(digest) => {
                files_hashed += 1;
                bytes += digest.bytes;
                screen.print(&line(&digest))?;
            }
            Err(error) => {
                unreadable += 1;
                screen.say(&error.to_string());
            }
        }
        screen.bar.inc(1);
    }
    screen.flush()?;
    screen.bar.finish_and_clear();

    let report = digests.report();
    screen.say(&format!("{files_hashed} files hashed ({}), {unreadable} unreadable", HumanBytes(bytes)));
    if let Some(plan) = report.plan() {
        screen.say(&format!("plan: {plan}"));
    }
    screen.say(&format!("report: {report}"));
    Ok(unreadable)
}

/// `hash  path`. Where a path has a line break or a backslash, it is escaped, and a backslash in front says so.
fn line(Digest { path, hash, .. }: &Digest) -> String {
    let path = path.to_string_lossy();
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.into_owned() };
    let escaped = path.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r");
    let mark = if escaped == path { "" } else { r"\" };
    format!("{mark}{hash}  {escaped}\n")
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Standard output for the hashes, standard error for the bar and messages. Both may be the same terminal, so the bar
/// steps aside while something is written.
struct Screen {
    bar: ProgressBar,
    pending: String,
    flushed: Instant,
}

/// Lines wait for others at most this long and up to this many bytes: writing each by itself would cost more than most
/// hashes.
const LATEST: Duration = Duration::from_millis(50);
const MOST_BYTES: usize = 64 << 10;

impl Screen {
    fn new() -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {human_pos} files, {per_sec}, {elapsed}");
        bar.set_style(style.expect("the template is valid"));
        Self { bar, pending: String::new(), flushed: Instant::now() }
    }

    fn print(&mut self, line: &str) -> Result<()> {
        self.pending += line;
        let due = self.pending.len() >= MOST_BYTES || self.flushed.elapsed() >= LATEST;
        if due { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let mut out = io::stdout().lock();
        let written = self.bar.suspend(|| out.write_all(self.pending.as_bytes()).and_then(|()| out.flush()));
        written.context("cannot write to standard output")?;
        self.pending.clear();
        self.flushed = Instant::now();
        Ok(())
    }

    /// To nobody when standard error is closed.
    fn say(&self, words: &str) {
        self.bar.suspend(|| drop(writeln!(io::stderr(), "digest_tree: {words}")));
    }
}
