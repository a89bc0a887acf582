//! What one contender of one row does, lap by lap: its decisions as they are made, beside the plain loop's time.

use std::io;
use std::time::Duration;

use amorsize::{Pool, Tuner};
use anyhow::Result;
use tracing::Level;
use tracing_subscriber::fmt::time::Uptime;

use crate::contenders::{Case, Contender};
use crate::jobs::Job;
use crate::oracle::Pin;
use crate::rows::{Context, Row, Visitor};
use crate::source::Length;
use crate::stats::quantile;
use crate::work::Pace;

/// `trace`.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    row: String,
    #[arg(default_value = "for")]
    contender: String,
    /// Laps, each beside one of the plain loop.
    #[arg(long, default_value_t = 5)]
    laps: usize,
    /// What the source tells of its length.
    #[arg(long, default_value = "known")]
    length: Length,
    /// Seconds that a lap of the plain loop takes, roughly.
    #[arg(long, default_value_t = 50e-3)]
    lap: f64,
    /// Also what threads are thought of, whenever they are judged.
    #[arg(long)]
    judgements: bool,
    /// Rayon's pool runs, as in a program that has used it before.
    #[arg(long)]
    started: bool,
    /// No decisions, only times.
    #[arg(long)]
    silent: bool,
}

struct Laps<'a>(&'a Options, Contender);

impl Visitor for Laps<'_> {
    fn visit<J: Job>(&mut self, row: &Row, job: J, items: usize) {
        let case = Case { job, row: row.name, items, length: self.0.length, expert_chunk: 64, pin: Pin::SERIAL };
        case.lap(Contender::Loop, items);
        let mut ratios = Vec::new();
        for lap in 1..=self.0.laps {
            let plain = case.lap(Contender::Loop, items).seconds;
            let other = case.lap(self.1, items).seconds;
            let [loop_time, time] = [plain, other].map(Duration::from_secs_f64);
            println!("lap {lap}: {items} items, loop {loop_time:.1?}, {time:.1?}, {:.2}x", plain / other);
            ratios.push(plain / other);
        }
        let [least, middle, most] = [0.1, 0.5, 0.9].map(|q| quantile(&ratios, q));
        println!("in the middle {middle:.2}x, nine tenths above {least:.2}x and below {most:.2}x");
    }
}

/// Runs the laps.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (row, contender) = (Row::named(&options.row)?, Contender::named(&options.contender)?);
    if !options.silent {
        let level = if options.judgements { Level::TRACE } else { Level::DEBUG };
        tracing_subscriber::fmt().with_max_level(level).with_timer(Uptime::default()).with_writer(io::stdout).init();
    }
    if options.started {
        let waiting = |_: u32| std::thread::sleep(Duration::from_millis(10));
        Tuner::new("starting", waiting).pool(Pool::Cpu).online_learning(false).stream(0..6).for_each(drop);
    }
    row.visit(Context { pace: Pace::measure(), lap: options.lap }, &mut Laps(options, contender));
    Ok(())
}
