//! The table for people.

use crate::bars::Bar;
use crate::cell::Cell;
use crate::contenders::{CONTENDERS, Contender};

fn columns() -> impl Iterator<Item = (Contender, &'static str)> {
    CONTENDERS.iter().copied().filter(|(contender, _)| *contender != Contender::Loop)
}

/// The heading.
pub(crate) fn head() {
    println!(
        "Speed against the plain loop (medians of ratios by round; ~ on part of the items). /w: after three runs.\n"
    );
    print!("{:>10} {:>7} {:>10}", "row", "length", "loop/item");
    columns().for_each(|(_, name)| print!(" {name:>7}"));
    println!(" {:>6}", "noise");
}

/// A cell, and below it the plans.
pub(crate) fn line(cell: &Cell) {
    let length = cell.length.name();
    print!("{:>10} {length:>7} {:>10}", cell.row, duration(cell.loop_nanos));
    for (contender, _) in columns() {
        print!(" {:>7}", score(cell, contender));
    }
    println!(" {:>6.2}", cell.noise);
    println!("{:>29} best: {}", "", cell.oracle_plan);
    println!("{:>29} made: {}", "", cell.plan);
    if cell.scores.iter().any(|score| score.peak_bytes > 0) {
        let peaks: Vec<String> =
            cell.scores.iter().map(|score| format!("{} {}", score.contender, score.peak_bytes >> 20)).collect();
        println!("{:>29} peak MB: {}", "", peaks.join(", "));
    }
}

fn score(cell: &Cell, contender: Contender) -> String {
    let Some(score) = cell.scores.iter().find(|score| score.contender == contender.name()) else {
        return "-".to_owned();
    };
    let part = if score.items < cell.items { "~" } else { "" };
    format!("{part}{:.2}", score.speedup)
}

/// Nanoseconds in words.
pub(crate) fn duration(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.1}ns"),
        n if n < 1e6 => format!("{:.2}us", n / 1e3),
        n => format!("{:.2}ms", n / 1e6),
    }
}

/// The bars, the missed ones with their cells.
pub(crate) fn bars(bars: &[Bar], regret: Option<(f64, f64)>) {
    println!("\nBars");
    for bar in bars {
        let verdict = if bar.is_kept() { "kept  " } else { "MISSED" };
        println!("{verdict} {:<62} {}", bar.name, bar.figures());
        for miss in &bar.misses {
            println!("           {:>10} {:<6} {:.3} (wants {:.2})", miss.row, miss.length, miss.value, miss.wants);
        }
    }
    if let Some((mean, highest)) = regret.map(|(mean, highest)| (100.0 * mean, 100.0 * highest)) {
        println!(
            "Regret after 3 runs, against the oracle: {mean:.1} % in the mean, 95 of 100 cells below {highest:.1} %"
        );
    }
}
