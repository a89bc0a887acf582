//! The whole matrix: rows by contenders, and what comes out of it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::Args;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::bars;
use crate::cell::{Cell, Effort, Measure};
use crate::contenders::cores;
use crate::html;
use crate::memory;
use crate::rows::{Context, ROWS, Row};
use crate::source::Length;
use crate::table;
use crate::work::Pace;

/// `matrix`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Shorter laps and fewer rounds: ends in two minutes.
    #[arg(long)]
    quick: bool,
    /// Only rows whose name matches this regular expression.
    #[arg(long, value_name = "REGEX", default_value = "")]
    rows: Regex,
    /// Which runs of amorsize take part.
    #[arg(long, value_delimiter = ',', default_value = "cold,warm")]
    runs: Vec<Runs>,
    /// What sources tell of their length.
    #[arg(long, value_delimiter = ',', default_value = "known,hidden,open")]
    lengths: Vec<Length>,
    /// Measure the peak memory of every contender, each in a process of its own.
    #[arg(long)]
    memory: bool,
    /// Write everything measured to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a page with charts to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    Cold,
    Warm,
}

/// Everything measured in one run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Seconds since 1970.
    pub(crate) date: u64,
    pub(crate) cores: usize,
    pub(crate) quick: bool,
    pub(crate) cells: Vec<Cell>,
    #[serde(skip_deserializing)]
    pub(crate) bars: Vec<bars::Bar>,
}

/// Seconds of a lap of the plain loop.
const LAP: f64 = 50e-3;
const QUICK_LAP: f64 = 12e-3;

impl Options {
    fn effort(&self) -> Effort {
        let (rounds, cell) = if self.quick { ((3, 41), 500) } else { ((5, 101), 4_000) };
        Effort {
            rounds,
            cell: Duration::from_millis(cell),
            coarse: self.quick,
            cold: self.runs.contains(&Runs::Cold),
            warm: self.runs.contains(&Runs::Warm),
        }
    }
}

/// Measures, prints, writes.
pub(crate) fn run(options: &Options) -> Result<()> {
    let lap = if options.quick { QUICK_LAP } else { LAP };
    let context = Context { pace: Pace::measure(), lap };
    table::head();
    let mut cells = Vec::new();
    for row in ROWS.iter().filter(|row| options.rows.is_match(row.name)) {
        for &length in &options.lengths {
            let Some(mut cell) = measure(row, context, length, options.effort()) else {
                println!("{:>10}  left out: its input was not found (cargo's registry folder)", row.name);
                break;
            };
            if options.memory {
                memory::add(&mut cell)?;
            }
            table::line(&cell);
            cells.push(cell);
        }
    }
    let bars = bars::judge(&cells);
    table::bars(&bars, bars::regret(&cells));
    let date = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    write(options, &Outcome { date, cores: cores(), quick: options.quick, cells, bars })
}

fn measure(row: &Row, context: Context, length: Length, effort: Effort) -> Option<Cell> {
    let mut visitor = Measure { effort, length, cell: None };
    row.visit(context, &mut visitor);
    visitor.cell
}

/// `page`: one page from the JSON of several runs.
#[derive(Args, Clone, Debug)]
pub(crate) struct Page {
    /// What `matrix --json` wrote.
    #[arg(required = true)]
    json: Vec<PathBuf>,
    /// Where to write the page.
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
}

/// Joins runs: prints their table and bars, and writes the page.
pub(crate) fn join(options: &Page) -> Result<()> {
    let mut joined: Option<Outcome> = None;
    for path in &options.json {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let outcome: Outcome =
            serde_json::from_str(&text).with_context(|| format!("{}: not a matrix", path.display()))?;
        match &mut joined {
            Some(joined) => joined.cells.extend(outcome.cells),
            None => joined = Some(outcome),
        }
    }
    let mut joined = joined.context("no runs given")?;
    table::head();
    joined.cells.iter().for_each(table::line);
    joined.bars = bars::judge(&joined.cells);
    table::bars(&joined.bars, bars::regret(&joined.cells));
    fs::write(&options.html, html::page(&joined)).with_context(|| format!("cannot write {}", options.html.display()))
}

fn write(options: &Options, outcome: &Outcome) -> Result<()> {
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(outcome)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &options.html {
        fs::write(path, html::page(outcome)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
