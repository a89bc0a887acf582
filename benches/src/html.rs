//! The page with charts: one file, no other assets, readable on light and dark.

use std::fmt::Write as _;

use clap::ValueEnum as _;

use crate::cell::{Cell, Score};
use crate::contenders::{CONTENDERS, Contender};
use crate::matrix::Outcome;
use crate::source::Length;
use crate::table;

/// Speed-ups at the chart's edges.
const LEFT: f64 = 1.0 / 16.0;
const RIGHT: f64 = 4.0;
/// Pixels: the plot's left edge and width, a cell's height.
const MARGIN: f64 = 170.0;
const WIDTH: f64 = 760.0;
const STEP: f64 = 22.0;
const TICKS: [f64; 7] = [LEFT, 0.125, 0.25, 0.5, 1.0, 2.0, RIGHT];

/// How a contender is drawn: colour and half-width of its mark.
fn style(name: &str) -> Option<(&'static str, f64)> {
    use Contender as C;
    Some(match Contender::named(name).ok()? {
        C::For => ("#e4572e", 6.0),
        C::WarmFor => ("#f2a541", 4.5),
        C::Run | C::Any => ("#b5179e", 3.5),
        C::Oracle => ("#808080", 4.5),
        C::Bridge => ("#2a9d8f", 3.5),
        C::Rayon => ("#3a86ff", 3.5),
        C::Orx => ("#8338ec", 3.5),
        C::Paralight => ("#00b4d8", 3.5),
        C::Pariter => ("#588157", 3.5),
        C::Plmap => ("#a3b18a", 3.5),
        C::Channel => ("#9c6644", 3.5),
        _ => return None,
    })
}

const HEAD: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>amorsize: the matrix</title><style>
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fff; --line: #d5d5dc; --soft: #6b6b76 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ee; --paper: #17171b; --line: #3a3a44; --soft: #9a9aa6 } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 1000px; padding: 0 1rem }
svg { width: 100%; height: auto } text { fill: var(--ink); font-size: 12px } .soft { fill: var(--soft) }
line { stroke: var(--line) } .one { stroke: var(--ink) } .wrap { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 12px } th, td { padding: 2px 7px; text-align: right; border-bottom: 1px solid var(--line) }
td:first-child, th:first-child { text-align: left } .key i { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin: 0 .35em 0 1em }
.missed { color: #d62828; font-weight: 600 }
</style></head><body>"#;

/// The whole page.
pub(crate) fn page(outcome: &Outcome) -> String {
    let mut page = String::from(HEAD);
    let effort = if outcome.quick { "quick" } else { "full" };
    page += "<h1>amorsize: the matrix</h1>";
    page += &format!("<p>A {effort} run on {} cores, {} s after 1970. ", outcome.cores, outcome.date);
    page += "Every mark is a speed-up over the plain loop: the median of ratios by round. Right is faster.</p>";
    for &length in Length::value_variants() {
        let cells: Vec<&Cell> = outcome.cells.iter().filter(|cell| cell.length == length).collect();
        if !cells.is_empty() {
            let title = match length {
                Length::Known => "The source tells its length",
                Length::Hidden => "The source tells how long it is at most",
                Length::Open => "The source tells nothing of its length",
            };
            page += &format!("<h2>{title}</h2>{}{}{}", key(), chart(&cells), numbers(&cells));
        }
    }
    page += &bars(outcome);
    page + "</body></html>\n"
}

fn key() -> String {
    let marks = CONTENDERS.iter().filter_map(|&(_, name)| Some((name, style(name)?.0)));
    let marks: String = marks.map(|(name, colour)| format!(r#"<i style="background:{colour}"></i>{name}"#)).collect();
    format!(r#"<p class="key">{marks}</p>"#)
}

/// Where a speed-up is drawn.
fn place(speedup: f64) -> f64 {
    let share = (speedup.clamp(LEFT, RIGHT) / LEFT).log2() / (RIGHT / LEFT).log2();
    MARGIN + share * WIDTH
}

fn chart(cells: &[&Cell]) -> String {
    let height = STEP * (cells.len() as f64 + 2.0);
    let mut svg = format!(r#"<svg viewBox="0 0 {} {height}" role="img">"#, MARGIN + WIDTH + 20.0);
    for tick in TICKS {
        let (x, class) = (place(tick), if tick == 1.0 { "one" } else { "" });
        let _ = write!(svg, r#"<line class="{class}" x1="{x:.1}" x2="{x:.1}" y1="18" y2="{height}"/>"#);
        let _ = write!(svg, r#"<text class="soft" x="{x:.1}" y="12" text-anchor="middle">{tick}</text>"#);
    }
    for (number, cell) in cells.iter().enumerate() {
        svg += &line(cell, STEP * (number as f64 + 1.6));
    }
    svg + "</svg>"
}

fn line(cell: &Cell, y: f64) -> String {
    let label = format!("{} ({})", cell.row, table::duration(cell.loop_nanos));
    let mut svg = format!(r#"<text x="4" y="{:.1}">{label}<title>{}</title></text>"#, y + 4.0, cell.about);
    // The largest marks first, so that none hides another.
    let mut marks: Vec<(&Score, &str, f64)> = cell
        .scores
        .iter()
        .filter_map(|score| style(&score.contender).map(|(colour, size)| (score, colour, size)))
        .collect();
    marks.sort_by(|a, b| b.2.total_cmp(&a.2));
    for (score, colour, size) in marks {
        let (x, name, speedup) = (place(score.speedup), &score.contender, score.speedup);
        let _ = write!(
            svg,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{size}" fill="{colour}" fill-opacity=".85"><title>{name}: {speedup:.2}</title></circle>"#
        );
    }
    svg
}

fn numbers(cells: &[&Cell]) -> String {
    let columns: Vec<&str> = CONTENDERS.iter().map(|&(_, name)| name).filter(|&name| name != "loop").collect();
    let head: String = columns.iter().map(|name| format!("<th>{name}</th>")).collect();
    let rows: String = cells.iter().map(|cell| row(cell, &columns)).collect();
    format!(r#"<div class="wrap"><table><tr><th>row</th><th>loop</th>{head}<th>noise</th></tr>{rows}</table></div>"#)
}

fn row(cell: &Cell, columns: &[&str]) -> String {
    let figures: String = columns
        .iter()
        .map(|name| match cell.scores.iter().find(|score| score.contender == **name) {
            Some(score) => format!("<td>{:.2}</td>", score.speedup),
            None => "<td></td>".to_owned(),
        })
        .collect();
    let plans = escape(&format!("best: {}\nmade: {}", cell.oracle_plan, cell.plan));
    let (name, each, noise) = (&cell.row, table::duration(cell.loop_nanos), cell.noise);
    format!(r#"<tr title="{plans}"><td>{name}</td><td>{each}</td>{figures}<td>{noise:.2}</td></tr>"#)
}

fn bars(outcome: &Outcome) -> String {
    let mut html = String::from("<h2>Bars</h2><ul>");
    for bar in &outcome.bars {
        let verdict = if bar.is_kept() { "kept" } else { r#"<span class="missed">missed</span>"# };
        let misses: Vec<String> =
            bar.misses.iter().map(|miss| format!("{} {} {:.2}", miss.row, miss.length, miss.value)).collect();
        let _ = write!(html, "<li>{verdict}: {}. {}. {}</li>", bar.name, bar.figures(), misses.join(", "));
    }
    html + "</ul>"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
