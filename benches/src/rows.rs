//! The rows of the matrix: what is run, how often, and what the row is there for.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use regex::Regex;

use crate::corpus;
use crate::jobs::{
    Blocks, Contended, Counter, Even, Gather, Grown, HeavyTail, Job, Mandelbrot, Moved, Phases, Pieces, Sleep, Strings,
};
use crate::real::{Compress, Digest, Parse, Render, Search};
use crate::work::Pace;

/// Something to be done with the job of a row, whatever its types.
pub(crate) trait Visitor {
    fn visit<J: Job>(&mut self, row: &Row, job: J, items: usize);
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    kind: Kind,
    /// Seconds of an item, roughly; sets how many items a lap has.
    item: f64,
    items: Items,
    /// Items wait more than they compute.
    pub(crate) blocks: bool,
}

#[derive(Clone, Copy, Debug)]
enum Items {
    /// As many items as fill a lap, at least so many.
    Lap(usize),
    Fixed(usize),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Even,
    HeavyTail,
    Phases { dear_first: bool },
    Blocks(usize),
    Pieces { count: usize, bytes: usize },
    Grown(usize),
    Strings,
    Moved,
    Sleep,
    Contended,
    Counter,
    Gather,
    Digest,
    Search,
    Parse,
    Render,
    Compress,
    Mandelbrot,
}

const fn row(name: &'static str, about: &'static str, kind: Kind, item: f64, items: Items) -> Row {
    Row { name, about, kind, item, items, blocks: matches!(kind, Kind::Sleep) }
}

/// Items in the dear phase, and how much dearer they are.
const DEAR_ITEMS: usize = 400;
const DEAR: f64 = 1_000.0;
/// Fewest items of a lap, where the row does not say otherwise.
const FEW: usize = 16;

/// All rows, in the order in which they are printed.
pub(crate) const ROWS: &[Row] = &[
    row("1.5ns", "too cheap to share", Kind::Even, 1.5e-9, Items::Lap(FEW)),
    row("20ns", "even work", Kind::Even, 20e-9, Items::Lap(FEW)),
    row("50ns", "even work", Kind::Even, 50e-9, Items::Lap(FEW)),
    row("200ns", "even work", Kind::Even, 200e-9, Items::Lap(FEW)),
    row("500ns", "even work", Kind::Even, 500e-9, Items::Lap(FEW)),
    row("2us", "even work", Kind::Even, 2e-6, Items::Lap(FEW)),
    row("5us", "even work", Kind::Even, 5e-6, Items::Lap(FEW)),
    row("50us", "even work", Kind::Even, 50e-6, Items::Lap(FEW)),
    row("1ms", "even work", Kind::Even, 1e-3, Items::Lap(FEW)),
    row("20ms", "even work", Kind::Even, 20e-3, Items::Fixed(8)),
    row("tail", "2 us, 1 in 128 costs 200 us", Kind::HeavyTail, 2e-6, Items::Lap(FEW)),
    row(
        "phases",
        "100 ns, then 400 items of 100 us, then 100 ns",
        Kind::Phases { dear_first: false },
        100e-9,
        Items::Lap(FEW),
    ),
    row("dear-first", "400 items of 100 us, then 100 ns", Kind::Phases { dear_first: true }, 100e-9, Items::Lap(FEW)),
    row("64KB", "12 us, results of 64 KB", Kind::Blocks(64 << 10), 12e-6, Items::Lap(FEW)),
    row("4MB", "1 ms, results of 4 MB", Kind::Blocks(4 << 20), 1e-3, Items::Lap(FEW)),
    row(
        "12x16B",
        "results of 12 allocations of up to 16 bytes",
        Kind::Pieces { count: 12, bytes: 16 },
        400e-9,
        Items::Lap(FEW),
    ),
    row(
        "8x1KB",
        "results of 8 allocations of up to 1 KB",
        Kind::Pieces { count: 8, bytes: 1024 },
        400e-9,
        Items::Lap(FEW),
    ),
    row("grown", "vectors of up to 60 numbers that grow while they are made", Kind::Grown(60), 900e-9, Items::Lap(FEW)),
    row("strings", "sevens in a String: items that own memory", Kind::Strings, 40e-9, Items::Lap(FEW)),
    row("5000x4000B", "items of 4,000 bytes, in a short run", Kind::Moved, 300e-9, Items::Fixed(5_000)),
    row(
        "9000x4x64B",
        "results of 4 allocations of up to 64 bytes, in a short run",
        Kind::Pieces { count: 4, bytes: 64 },
        100e-9,
        Items::Fixed(9_000),
    ),
    row("200x1us", "a tiny job", Kind::Even, 1e-6, Items::Fixed(200)),
    row("20x50us", "a tiny job", Kind::Even, 50e-6, Items::Fixed(20)),
    row("12x80us", "a tiny job", Kind::Even, 80e-6, Items::Fixed(12)),
    row("150x2us", "a tiny job", Kind::Even, 2e-6, Items::Fixed(150)),
    row("sleep", "waits 1 ms", Kind::Sleep, 1.06e-3, Items::Lap(40)),
    row("mutex", "600 ns under one lock", Kind::Contended, 600e-9, Items::Lap(FEW)),
    row("atomic", "300 additions to one counter", Kind::Counter, 1.5e-6, Items::Lap(FEW)),
    row("gather", "64 random reads of a 64 MB table", Kind::Gather, 600e-9, Items::Lap(FEW)),
    row("blake3", "hash of a source file", Kind::Digest, 25e-6, Items::Lap(FEW)),
    row("regex", "a regular expression on a line", Kind::Search, 70e-9, Items::Lap(FEW)),
    row("json", "serde_json::Value of a record", Kind::Parse, 1.2e-6, Items::Lap(FEW)),
    row("markdown", "Markdown to HTML", Kind::Render, 56e-6, Items::Lap(FEW)),
    row("zstd", "zstd level 3 of 256 KB", Kind::Compress, 1.3e-3, Items::Lap(FEW)),
    row("mandelbrot", "rows of 800 points", Kind::Mandelbrot, 0.7e-3, Items::Lap(FEW)),
];

/// What rows need to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) pace: Pace,
    /// Seconds that a lap of the plain loop should take.
    pub(crate) lap: f64,
}

static TABLE: LazyLock<Arc<Vec<u64>>> = LazyLock::new(|| Arc::new((0..8 << 20).collect()));

impl Row {
    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        ROWS.iter().find(|row| row.name == name).with_context(|| format!("no row {name:?}"))
    }

    /// Runs `visitor` on the row's job; false where its input was not found.
    pub(crate) fn visit<V: Visitor>(&self, context: Context, visitor: &mut V) -> bool {
        let steps = context.pace.steps(self.item * 1e9);
        let items = self.items(context.lap);
        match self.kind {
            Kind::Even => visitor.visit(self, Even(steps), items),
            Kind::HeavyTail => visitor.visit(self, HeavyTail(steps), items),
            Kind::Phases { dear_first } => {
                visitor.visit(self, self.phases(context, items, dear_first), items + DEAR_ITEMS)
            }
            Kind::Blocks(bytes) => {
                visitor.visit(self, Blocks { steps: context.pace.steps(0.7e9 * self.item), bytes }, items)
            }
            Kind::Pieces { count, bytes } => visitor.visit(self, Pieces { count, bytes }, items),
            Kind::Grown(numbers) => visitor.visit(self, Grown(numbers), items),
            Kind::Strings => visitor.visit(self, Strings, items),
            Kind::Moved => visitor.visit(self, Moved, items),
            Kind::Sleep => visitor.visit(self, Sleep(Duration::from_millis(1)), items),
            Kind::Contended => visitor.visit(self, Contended(steps, Arc::new(Mutex::new(0))), items),
            Kind::Counter => visitor.visit(self, Counter(300, Arc::new(AtomicU64::new(0))), items),
            Kind::Gather => visitor.visit(self, Gather(64, Arc::clone(&TABLE)), items),
            Kind::Mandelbrot => visitor.visit(self, Mandelbrot { height: 600, width: 800, limit: 300 }, items),
            _ => return self.visit_real(items, visitor).is_some(),
        }
        true
    }

    fn visit_real<V: Visitor>(&self, items: usize, visitor: &mut V) -> Option<()> {
        match self.kind {
            Kind::Digest => visitor.visit(self, Digest(Arc::new(corpus::paths()?)), items),
            Kind::Search => {
                let pattern = Regex::new(r"fn\s+\w+\s*\(\s*&").expect("a valid pattern");
                visitor.visit(self, Search(Arc::new(corpus::lines()?), pattern), items);
            }
            Kind::Parse => visitor.visit(self, Parse(Arc::new(corpus::records()?)), items),
            Kind::Render => visitor.visit(self, Render(Arc::new(corpus::documents()?)), items),
            _ => visitor.visit(self, Compress(Arc::new(corpus::blocks(256 << 10)?)), items),
        }
        Some(())
    }

    fn items(&self, lap: f64) -> usize {
        match self.items {
            Items::Fixed(items) => items,
            Items::Lap(fewest) => ((lap / self.item) as usize).max(fewest),
        }
    }

    fn phases(&self, context: Context, cheap_items: usize, dear_first: bool) -> Phases {
        let turn = if dear_first { 0 } else { cheap_items / 2 };
        let (cheap, dear) = (context.pace.steps(self.item * 1e9), context.pace.steps(self.item * DEAR * 1e9));
        Phases { cheap, dear, turn, back: turn + DEAR_ITEMS }
    }
}
