//! Whether memory allows more items to be taken from the source: the `memory_threshold` option. Pure; someone else
//! reads the memory when [`Pressure::is_due`] asks for it. (How much a plan may hold in the first place is decided in
//! [`super::window`].)

use crate::machine::Memory;

/// Seconds until the first reading: it takes 10 to 20 µs, which a shorter run need not pay.
const FIRST_LOOK: f64 = 2e-3;
/// Seconds between two readings: at least, and at most (others take memory too).
const SHORTEST_REST: f64 = 1e-3;
const LONGEST_REST: f64 = 100e-3;
/// Seconds between two readings while the source is paused: results are yielded, or others free memory.
const REST_IN_PAUSE: f64 = 10e-3;
/// The next reading comes when this share of the time has gone in which the threshold could be reached.
const CAUTION: f64 = 0.25;
/// Bytes a second by which the use of memory may begin to grow at any time: about what one thread fills.
const SUDDEN_RATE: f64 = 4e9;
/// How far below the threshold, in shares of the limit, a paused source goes on: not at once, or it would stutter.
const RELIEF: f64 = 0.05;

/// The state of the valve between source and threads. Times are in seconds since the stream began.
#[derive(Clone, Debug)]
pub(crate) struct Pressure {
    threshold: Option<f64>,
    is_paused: bool,
    /// Somebody who wonders why the stream is slow has been told.
    has_told: bool,
    /// Bytes up to the threshold at the last reading.
    budget: f64,
    /// Time and bytes used at the last reading.
    last: Option<(f64, u64)>,
    next: f64,
}

impl Pressure {
    /// Watches for `threshold`, a share of the limit; `None` never pauses and never asks for a reading.
    pub(crate) fn new(threshold: Option<f64>) -> Self {
        // Whatever is used is more than nothing: no reading is needed to know that.
        let is_paused = threshold.is_some_and(|threshold| threshold <= 0.0);
        Self { threshold, is_paused, has_told: false, budget: f64::INFINITY, last: None, next: FIRST_LOOK }
    }

    /// Whether [`Pressure::observe`] wants a reading now.
    pub(crate) fn is_due(&self, now: f64) -> bool {
        self.threshold.is_some() && now >= self.next
    }

    /// Takes a reading.
    pub(crate) fn observe(&mut self, now: f64, memory: Memory) {
        let Some(threshold) = self.threshold else { return };
        let (limit, used) = (memory.limit() as f64, memory.used() as f64);
        self.budget = threshold * limit - used;
        let relief = if self.is_paused { RELIEF.min(threshold) * limit } else { 0.0 };
        self.turn(self.budget <= relief, used / limit);
        self.next = now + self.rest(now, memory.used());
        self.last = Some((now, memory.used()));
    }

    fn turn(&mut self, is_paused: bool, share: f64) {
        let percent = share * 100.0;
        let uses = || format!("this process uses {percent:.0} % of the memory it could have");
        match (self.is_paused, is_paused) {
            (false, true) if !self.has_told => {
                self.has_told = true;
                tracing::warn!(target: "amorsize", "the source pauses until memory is freed: {} (see `memory_threshold`; a smaller `buffer_size` takes less)", uses());
            }
            (false, true) => tracing::debug!(target: "amorsize", "the source pauses again: {}", uses()),
            (true, false) => tracing::debug!(target: "amorsize", "the source goes on: {}", uses()),
            _ => {}
        }
        self.is_paused = is_paused;
    }

    /// Seconds until the next reading: fewer the sooner the threshold could be reached.
    fn rest(&self, now: f64, used: u64) -> f64 {
        if self.is_paused {
            return REST_IN_PAUSE;
        }
        let (before, was) = self.last.unwrap_or((0.0, 0));
        let rate = used.saturating_sub(was) as f64 / (now - before).max(SHORTEST_REST);
        (CAUTION * self.budget / rate.max(SUDDEN_RATE)).clamp(SHORTEST_REST, LONGEST_REST)
    }

    /// Whether nothing more is to be held than has to be.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// How many more items may be taken from the source now, with so many taken and not yet yielded, of so many bytes
    /// each with their results. One always may when there is none: whoever holds the memory, the stream goes on.
    pub(crate) fn room(&self, in_flight: usize, bytes: f64) -> usize {
        // A conversion from floating point saturates.
        let fit = if self.is_paused { 0 } else { (self.budget / bytes.max(1.0)) as usize };
        fit.max(1).saturating_sub(in_flight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1_000;
    const MB: u64 = 1_000_000;

    fn used(bytes: u64) -> Memory {
        Memory::new(bytes, LIMIT.saturating_sub(bytes))
    }

    #[test]
    fn the_source_pauses_above_the_threshold_and_goes_on_well_below_it() {
        let mut pressure = Pressure::new(Some(0.8));
        let mut rooms = Vec::new();
        for (step, bytes) in [700, 801, 780, 749, 780, 800].into_iter().enumerate() {
            pressure.observe(step as f64, used(bytes));
            rooms.push(pressure.room(5, 1.0));
        }
        assert_eq!(rooms, [95, 0, 0, 46, 15, 0]);
    }

    #[test]
    fn one_item_goes_through_whatever_is_used() {
        let mut pressure = Pressure::new(Some(0.8));
        for memory in [used(1_000), Memory::new(0, 0), Memory::new(u64::MAX, u64::MAX), used(799)] {
            pressure.observe(0.0, memory);
            assert_eq!((pressure.room(0, 1e9), pressure.room(1, 1e9)), (1, 0), "{memory:?}");
        }
    }

    #[test]
    fn no_more_items_are_taken_than_fit_below_the_threshold() {
        let mut pressure = Pressure::new(Some(0.5));
        assert_eq!(pressure.room(1_000, 10.0), usize::MAX - 1_000);
        pressure.observe(0.0, used(100));
        assert_eq!(pressure.room(0, 10.0), 40);
        assert_eq!(pressure.room(39, 10.0), 1);
        assert_eq!(pressure.room(90, 10.0), 0);
    }

    #[test]
    fn a_threshold_of_nothing_lets_items_through_one_by_one_from_the_start() {
        let mut pressure = Pressure::new(Some(0.0));
        assert_eq!((pressure.room(0, 1.0), pressure.room(1, 1.0)), (1, 0));
        pressure.observe(0.0, used(1));
        assert_eq!((pressure.room(0, 1.0), pressure.room(1, 1.0)), (1, 0));
    }

    #[test]
    fn without_a_threshold_nothing_is_read_and_nothing_pauses() {
        let mut pressure = Pressure::new(None);
        pressure.observe(0.0, used(1_000));
        assert!(!pressure.is_due(1e9));
        assert_eq!(pressure.room(0, 1e9), usize::MAX);
    }

    /// Times of the readings within a second in a process that could have `limit` bytes, and whether each paused.
    fn readings(limit: u64, used_at: impl Fn(f64) -> u64) -> Vec<(f64, bool)> {
        let mut pressure = Pressure::new(Some(0.8));
        let mut readings = Vec::new();
        for now in (0..10_000).map(|step| f64::from(step) * 1e-4) {
            if pressure.is_due(now) {
                let used = used_at(now);
                pressure.observe(now, Memory::new(used, limit.saturating_sub(used)));
                readings.push((now, pressure.is_paused));
            }
        }
        readings
    }

    #[test]
    fn memory_is_read_rarely_where_there_is_much() {
        assert!(readings(16_000 * MB, |_| 100 * MB).len() <= 12);
        assert!(readings(200 * MB, |_| 10 * MB).len() <= 110);
    }

    #[test]
    fn a_paused_source_goes_on_soon() {
        let readings = readings(200 * MB, |now| if now < 0.5 { 180 * MB } else { 20 * MB });
        let goes_on = readings.iter().find(|(_, is_paused)| !is_paused).unwrap().0;
        assert!((0.5..0.52).contains(&goes_on), "{goes_on}");
    }

    #[test]
    fn memory_that_fills_up_is_noticed_before_it_is_full() {
        let (limit, threads) = (200 * MB, 2.0);
        for begin in [0.0, 0.333] {
            // Two threads that do nothing but fill memory, at 5 GB/s each.
            let used_at = |now: f64| ((now - begin).max(0.0) * threads * 5e9) as u64;
            let pauses = readings(limit, used_at).into_iter().find(|(_, is_paused)| *is_paused).unwrap().0;
            assert!(used_at(pauses) < limit, "paused at {} MB", used_at(pauses) / MB);
        }
    }

    #[test]
    fn a_short_run_reads_nothing() {
        assert!(!Pressure::new(Some(0.8)).is_due(1.9e-3));
    }
}
