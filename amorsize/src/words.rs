//! Numbers with their nouns, for sentences.

use std::fmt;
use std::time::Duration;

/// A number with its noun: "1 item", "2 items".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<'a>(u64, &'a str);

/// `n` of what `noun` names one of.
pub(crate) fn count(n: u64, noun: &str) -> Count<'_> {
    Count(n, noun)
}

impl fmt::Display for Count<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(n, noun) = self;
        write!(f, "{n} {noun}{}", if *n == 1 { "" } else { "s" })
    }
}

/// So many of something a second, in as many digits as tell something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(pub(crate) f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(rate) = *self;
        let decimals =
            if rate > 0.0 && rate < 100.0 { (1.0 - rate.log10().floor()).clamp(0.0, 9.0) as usize } else { 0 };
        write!(f, "{rate:.decimals$}")
    }
}

/// A time in seconds. A `Duration` knows no part of a nanosecond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time(pub(crate) f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(seconds) = *self;
        match seconds * 1e9 {
            ..0.1 => f.write_str("less than 0.1ns"),
            nanos @ ..1e3 => write!(f, "{nanos:.1}ns"),
            _ => write!(f, "{:.1?}", Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Time, count};

    #[test]
    fn one_is_singular() {
        let words = [0, 1, 2].map(|n| count(n, "item").to_string());
        assert_eq!(words, ["0 items", "1 item", "2 items"]);
    }

    #[test]
    fn rates_and_times_keep_the_digits_that_tell_something() {
        let rates = [0.0, 0.0314, 0.99, 1.24, 31.4, 314.15, 2e6, f64::INFINITY].map(|rate| Rate(rate).to_string());
        assert_eq!(rates, ["0", "0.031", "0.99", "1.2", "31", "314", "2000000", "inf"]);
        let times = [0.0, 0.04e-9, 1.5e-9, 1e-3, 1e30].map(|seconds| Time(seconds).to_string());
        assert_eq!(times[..4], ["less than 0.1ns", "less than 0.1ns", "1.5ns", "1.0ms"]);
    }
}
