//! Measures amorsize against the plain loop, its peers and an oracle; see `benches/README.md`.

mod alone;
mod bars;
mod blocking;
mod busy;
mod cell;
mod channel;
mod child;
mod company;
mod compiling;
mod contenders;
mod corpus;
mod first;
mod heap;
mod html;
mod idle;
mod jobs;
mod matrix;
mod memory;
mod midrun;
mod oracle;
mod others;
mod overhead;
mod real;
mod rows;
mod selection;
mod source;
mod stats;
mod table;
mod trace;
mod usage;
mod waking;
mod work;

use std::env;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures amorsize against the plain loop, its peers and an oracle")]
struct Cli {
    #[command(subcommand)]
    command: Measurement,
}

#[derive(Subcommand)]
enum Measurement {
    /// Rows by contenders: the table, the bars, and on request JSON and a page with charts.
    Matrix(matrix::Options),
    /// METG(50 %) beside the peers', and sleeps a chunk.
    Overhead,
    /// Functions that no row of the matrix has, in runs of 0.3, 3 and 30 ms, against the plain loop.
    Others(others::Options),
    /// What this machine takes to wake a thread: the floor under every short job.
    Waking,
    /// What beginning a stream takes after many small blocks were freed.
    Heap,
    /// What a stalled consumer burns.
    Idle,
    /// Functions that wait, against `par_bridge`, and one that computes on a busy machine.
    Blocking,
    /// Plans that turn out wrong: contention over a second, also beside other programs; items of another cost half-way.
    Midrun,
    /// Threads that run one stream after the other, against as many that run the plain loop.
    Company,
    /// What one more function adds to a program: the compiler's time, and code.
    Compiling,
    /// The first stream of a process.
    First(first::Options),
    /// A process without threads: results of small blocks, which its first thread would slow.
    Alone(alone::Options),
    /// How long a prediction takes.
    Selection(selection::Options),
    /// Joins the JSON of several matrix runs: table, bars, page.
    Page(matrix::Page),
    /// Laps of one contender of a row, with its decisions as they are made.
    Trace(trace::Options),
    /// One cell once; prints the process's peak memory in bytes.
    Cell(memory::Options),
}

/// Where amorsize keeps what it has learned.
const CACHE_DIR: &str = "AMORSIZE_CACHE_DIR";
/// Set for the process that measures.
const INNER: &str = "AMORSIZE_BENCH_INNER";

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    if env::var_os(INNER).is_none() {
        return in_empty_cache();
    }
    match cli.command {
        Measurement::Matrix(options) => matrix::run(&options)?,
        Measurement::Overhead => overhead::run()?,
        Measurement::Others(options) => others::run(&options)?,
        Measurement::Waking => waking::run(),
        Measurement::Heap => heap::run(),
        Measurement::Idle => idle::run()?,
        Measurement::Blocking => blocking::run()?,
        Measurement::Midrun => midrun::run()?,
        Measurement::Company => company::run(),
        Measurement::Compiling => compiling::run()?,
        Measurement::First(options) => first::run(options)?,
        Measurement::Alone(options) => alone::run(options)?,
        Measurement::Selection(options) => selection::run(options)?,
        Measurement::Page(options) => matrix::join(&options)?,
        Measurement::Trace(options) => trace::run(&options)?,
        Measurement::Cell(options) => memory::run(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs this program again with an empty cache of its own: a run here neither uses nor changes what the user's
/// programs have learned. (A new process, because a variable of a running one cannot be set safely.)
fn in_empty_cache() -> Result<ExitCode> {
    let cache = tempfile::tempdir()?;
    let mut command = Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1)).env(INNER, "1").env(CACHE_DIR, cache.path());
    let status = command.status().context("cannot start the measuring process")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
