//! This program once more, in a process of its own: for what only a new process shows.

use std::process::Command;
use std::str::FromStr;

use anyhow::{Context as _, Result};

use crate::stats::median;

/// This program with other arguments.
pub(crate) fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}

/// The numbers that it prints, exactly so many.
pub(crate) fn numbers<T: FromStr, const N: usize>(mut command: Command) -> Result<[T; N]> {
    let output = command.output().context("cannot start a child process")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Option<Vec<T>> = text.split_whitespace().map(|number| number.parse().ok()).collect();
    let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
    numbers.with_context(|| format!("{command:?} printed {text:?} and ended with {}", output.status))
}

/// The medians of so many processes, each of which is asked for its numbers.
pub(crate) fn medians<const N: usize>(processes: usize, ask: impl Fn() -> Result<[f64; N]>) -> Result<[f64; N]> {
    let all = (0..processes).map(|_| ask()).collect::<Result<Vec<_>>>()?;
    Ok(std::array::from_fn(|which| median(&all.iter().map(|numbers| numbers[which]).collect::<Vec<_>>())))
}
