//! What has been learned of a function, to be looked at. Holds values and prints them.

use std::fmt;
use std::iter::FusedIterator;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::learn::learned::Learned;
use crate::learn::sample::Sample;
use crate::plan::Pool;
use crate::words::{Rate, Time, count};

/// Records that are printed; earlier ones are only counted.
const PRINTED: usize = 20;

/// What was recorded of a function, oldest first, as it was when this was made. A run whose plan changed leaves several
/// records. The first items, which were timed before there was a plan, belong to none, unless nothing else was run.
#[derive(Clone, Debug)]
#[must_use]
pub struct History {
    pub(crate) name: &'static str,
    pub(crate) learned: Arc<Learned>,
}

/// A stretch of a run during which the plan stayed the same; mostly a whole run.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a>(&'a Sample);

impl History {
    /// How many records there are. Very long histories are thinned of what is redundant.
    #[must_use]
    pub fn len(&self) -> usize {
        self.learned.samples().len()
    }

    /// Whether nothing has been learned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.learned.samples().is_empty()
    }

    /// The records, oldest first.
    pub fn iter(&self) -> Records<'_> {
        Records(self.learned.samples().iter())
    }
}

/// The records of a [`History`], oldest first; made by [`History::iter`].
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are iterated"]
pub struct Records<'a>(slice::Iter<'a, Sample>);

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        self.0.next().map(Record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Records<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(Record)
    }
}

impl ExactSizeIterator for Records<'_> {}

impl FusedIterator for Records<'_> {}

impl<'a> IntoIterator for &'a History {
    type Item = Record<'a>;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.iter()
    }
}

impl Record<'_> {
    /// Items of this record.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.0.items
    }

    /// Mean time of the function for an item.
    #[must_use]
    pub fn item_time(&self) -> Duration {
        Duration::from_secs_f64(self.0.costs.item)
    }

    /// Where items were run.
    #[must_use]
    pub fn pool(&self) -> Pool {
        self.0.pool
    }

    /// Threads that ran the function.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.0.threads as usize
    }

    /// Items handed to a thread at a time.
    #[must_use]
    pub fn chunk_size(&self) -> usize {
        self.0.chunk_size as usize
    }

    /// Most items taken from the source and not yet yielded.
    #[must_use]
    pub fn buffer_size(&self) -> usize {
        self.0.buffer_size as usize
    }

    /// Whether results came in the order of the input.
    #[must_use]
    pub fn ordered(&self) -> bool {
        self.0.ordered
    }

    /// Throughput against the plain loop, measured or else estimated.
    #[must_use]
    pub fn speedup(&self) -> f64 {
        self.0.speedup.into()
    }

    /// Results a second from end to end; infinite where they took no time that could be measured.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        1.0 / f64::from(self.0.end_to_end)
    }

    /// When the run ended.
    #[must_use]
    pub fn when(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.time)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let earlier = self.len().saturating_sub(PRINTED);
        write!(f, "{}: {}", self.name, count(self.len() as u64, "record"))?;
        if earlier > 0 {
            write!(f, ", the last {PRINTED} of them")?;
        }
        self.iter().skip(earlier).try_for_each(|record| write!(f, "\n  {record}"))
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (items, time) = (count(self.items(), "item"), Time(self.0.costs.item));
        write!(f, "{}  {items} of {time}, ", Utc(self.0.time))?;
        if self.pool() == Pool::Serial {
            write!(f, "plain loop")?;
        } else {
            let (threads, order) =
                (count(self.threads() as u64, "thread"), if self.ordered() { "" } else { ", unordered" });
            write!(f, "{} pool, {threads}, chunks of {}{order}", self.pool(), self.chunk_size())?;
        }
        write!(f, ": {:.1}x, {} a second", self.speedup(), Rate(self.throughput()))
    }
}

/// Seconds since 1970, as a date and time.
struct Utc(u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, minutes) = (self.0 / 86_400, self.0 / 60 % 1440);
        let (year, month, day) = date(days);
        write!(f, "{year}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
    }
}

/// The Gregorian date so many days after 1970-01-01. Years are taken to begin in March, so that a leap day is the last
/// day of one; 400 of them have 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (past_december, day) = (month / 10, day - (153 * month + 2) / 5 + 1);
    (era * 400 + year + past_december, month + 3 - 12 * past_december, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(Utc(0).to_string(), "1970-01-01 00:00 UTC");
        assert_eq!(Utc(951_782_399).to_string(), "2000-02-28 23:59 UTC");
        assert_eq!(Utc(951_782_400).to_string(), "2000-02-29 00:00 UTC");
        assert_eq!(Utc(4_107_542_400).to_string(), "2100-03-01 00:00 UTC");
        assert_eq!(Utc(1_735_689_599).to_string(), "2024-12-31 23:59 UTC");
    }
}
