//! Replays the decisions on machines that do not exist (2, 8, 64 and 256 cores) and prints what they lose against the
//! best fixed plan, cold and with experience. Deterministic.
//! `cargo run --release -p amorsize-bench --bin simulate [-- FUNCTIONS | year]`

/// Cores of the machines.
const MACHINES: [usize; 4] = [2, 8, 64, 256];

fn main() {
    if std::env::args().any(|word| word == "year") {
        println!("{}", amorsize::__sim::reliability(&MACHINES, 4, 60));
        return;
    }
    let draws = std::env::args().nth(1).map_or(10, |count| count.parse().expect("a number of functions"));
    let regrets = amorsize::__sim::study(&MACHINES, draws);
    println!("{regrets}");
    println!("\nMost was lost after three runs by:");
    regrets.worst.iter().for_each(|case| println!("  {case}"));
    println!("\nMost was lost in first runs by:");
    regrets.worst_cold.iter().for_each(|case| println!("  {case}"));
}
