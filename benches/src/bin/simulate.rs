//! Replays the decisions on machines that do not exist (2, 8, 64 and 256 cores) and prints what they lose against the
//! best fixed plan, cold and with experience. Deterministic.
//! `cargo run --release -p amorsize-bench --bin simulate [-- FUNCTIONS | year]`, `--help` for more.

use clap::{Parser, Subcommand};

/// Cores of the machines.
const MACHINES: [usize; 4] = [2, 8, 64, 256];

/// What plans lose against the best fixed one, on machines of 2 to 256 cores in virtual time.
#[derive(Parser)]
struct Arguments {
    /// Functions of each kind.
    #[arg(default_value_t = 10)]
    functions: u64,
    #[command(subcommand)]
    year: Option<Year>,
}

#[derive(Subcommand)]
enum Year {
    /// How often plans of each confidence are within a tenth of the best, in a year of runs.
    Year,
}

fn main() {
    let Arguments { functions, year } = Arguments::parse();
    if year.is_some() {
        println!("{}", amorsize::__sim::reliability(&MACHINES, 4, 60));
        return;
    }
    let regrets = amorsize::__sim::study(&MACHINES, functions);
    println!("{regrets}");
    println!("\nMost was lost after three runs by:");
    regrets.worst.iter().for_each(|case| println!("  {case}"));
    println!("\nMost was lost in first runs by:");
    regrets.worst_cold.iter().for_each(|case| println!("  {case}"));
}
