//! Peak memory: each contender in a process of its own, which runs one cell once and prints its high-water mark.

use std::fs;

use anyhow::{Context as _, Result};

use crate::cell::{Cell, Score};
use crate::child;
use crate::contenders::{Case, Contender};
use crate::jobs::Job;
use crate::oracle::Pin;
use crate::rows::{Context, Row, Visitor};
use crate::source::Length;
use crate::work::Pace;

/// Measures every contender of `cell`, the plain loop included.
pub(crate) fn add(cell: &mut Cell) -> Result<()> {
    if cell.scores.iter().all(|score| score.contender != Contender::Loop.name()) {
        let plain = Score {
            contender: Contender::Loop.name().to_owned(),
            speedup: 1.0,
            low: 1.0,
            high: 1.0,
            items: cell.items,
            peak_bytes: 0,
        };
        cell.scores.insert(0, plain);
    }
    let (row, length) = (&cell.row, cell.length);
    for score in cell.scores.iter_mut().filter(|score| score.contender != Contender::Oracle.name()) {
        score.peak_bytes = peak_of(row, &score.contender, length, score.items)?;
    }
    Ok(())
}

fn peak_of(row: &str, contender: &str, length: Length, items: usize) -> Result<u64> {
    let arguments = ["cell", row, contender, "--items", &items.to_string(), "--length", length.name()];
    let [bytes] = child::numbers(child::command(&arguments)?)?;
    Ok(bytes)
}

/// `cell`: runs a cell once and prints the process's peak memory in bytes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    row: String,
    contender: String,
    /// Items to run.
    #[arg(long)]
    items: usize,
    /// What the source tells of its length.
    #[arg(long, default_value = "known")]
    length: Length,
}

struct Once<'a>(&'a Options, Contender);

impl Visitor for Once<'_> {
    fn visit<J: Job>(&mut self, row: &Row, job: J, _: usize) {
        let items = self.0.items;
        let case = Case { job, row: row.name, items, length: self.0.length, expert_chunk: 64, pin: Pin::SERIAL };
        case.lap(self.1, items);
    }
}

/// Runs one cell.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (row, contender) = (Row::named(&options.row)?, Contender::named(&options.contender)?);
    row.visit(Context { pace: Pace::measure(), lap: 1e-3 }, &mut Once(options, contender));
    println!("{}", peak()?);
    Ok(())
}

/// The process's high-water mark of resident memory, in bytes.
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("peak memory is read from /proc, which is Linux's")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes << 10)
}
