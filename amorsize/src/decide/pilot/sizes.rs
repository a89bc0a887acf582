//! How many items: of a stretch, of a chunk, in flight.

use crate::decide::chunks;
use crate::decide::costs::Costs;
use crate::decide::input::Remaining;
use crate::decide::situation::Owns;
use crate::decide::watch;
use crate::decide::window;
use crate::machine::Memory;
use crate::plan::Pool;

use super::{Clocks, Mode, Pilot};

/// Most items of a stretch of the plain loop.
const LONGEST_STRETCH_ITEMS: f64 = 1048576.0;
/// Seconds of the plain loop that tell what it takes.
const CALIBRATION: f64 = 30e-6;
/// Items that are run without a look at the signal, where they take less than this (seconds) so that looking would
/// show. Few, since they may turn a thousand times dearer.
const STRIDE: usize = 16;
const STRIDE_BELOW: f64 = 60e-9;
/// Bytes of items and results that a trial may hold, with what results own once one is there.
pub(crate) const TRIAL_BYTES: usize = 1 << 20;
/// Chunks in flight for each thread while threads may well be a loss.
const PROBATION_CHUNKS: usize = 4;
/// Bytes that are expected in flight at least where items or results own memory: how much is not known of all.
const OWNED_BYTES: usize = 8 << 20;
/// Seconds of a computing plan's chunks, of which one is asked how long it was blocked: some 400 times what that costs.
const CLOCKED: f64 = 1.6e-3;

impl Pilot {
    /// Items that a trial may hold at the same time.
    pub(super) fn trial_bound(&self) -> usize {
        // A conversion from floating point saturates.
        let fitting = (TRIAL_BYTES as f64 / self.situation.bytes_each(&self.costs).max(1.0)) as usize;
        let stated = self.promise.map_or(usize::MAX, |(_, buffer_size)| buffer_size);
        self.options.buffer_size.map_or(fitting.max(2).min(stated), usize::from)
    }

    /// How many more a trial may take from the source, with so many held.
    pub(crate) fn trial_room(&self, held: usize) -> usize {
        self.trial_bound().saturating_sub(held).min(self.within_memory(held))
    }

    /// Items of the plain loop until the next look at the clock.
    pub(crate) fn stretch(&self) -> usize {
        let seconds = match self.mode {
            Mode::Calibrating => CALIBRATION,
            Mode::Doubting(_) => return 1,
            Mode::Probing(_) => watch::PROBE.max(watch::PROBE_ITEMS * self.costs.serial().min(watch::FREED_AT_ONCE)),
            _ => self.stretch,
        };
        (seconds / self.costs.serial().max(1e-10)).clamp(1.0, LONGEST_STRETCH_ITEMS) as usize
    }

    /// The clocks for the next batch.
    pub(crate) fn clocks(&self) -> Clocks {
        match (&self.mode, &self.plan) {
            (Mode::Trying(trial), _) => self.first_clocks(trial),
            (_, Some(plan)) if plan.pool == Pool::Blocking || self.waits.is_open() => Clocks::All,
            _ if self.unclocked + self.chunk_seconds() >= CLOCKED => Clocks::All,
            _ => Clocks::Wall,
        }
    }

    /// A chunk of so many items was pulled, to be run with these clocks.
    pub(super) fn clocked(&mut self, items: usize) {
        let unclocked = self.unclocked + items as f64 * self.costs.item;
        self.unclocked = if self.clocks() == Clocks::All { 0.0 } else { unclocked };
    }

    /// Items that a thread runs before it looks whether the stream was cancelled: one, unless they are so cheap that
    /// looking would show.
    pub(crate) fn stride(&self) -> usize {
        let is_running = matches!(self.mode, Mode::Parallel | Mode::Alone(_) | Mode::Draining(_));
        if is_running && self.settled.serial < STRIDE_BELOW && !self.is_pinned_parallel() { STRIDE } else { 1 }
    }

    pub(super) fn chunk_seconds(&self) -> f64 {
        self.usual_chunk() as f64 * self.costs.item
    }

    /// Items of a chunk as the costs call for, whatever fits or came before.
    pub(super) fn wanted_chunk(&self, remaining: Option<u64>, threads: usize) -> usize {
        let wanted = self.chunk_for(&self.costs, threads);
        if self.options.chunk_size.is_some() {
            return wanted;
        }
        let wanted = if self.is_on_probation() { chunks::small(&self.costs, wanted) } else { wanted };
        remaining.map_or(wanted, |remaining| wanted.min(chunks::last(&self.costs, remaining, threads)))
    }

    /// Items of a chunk for such costs, far from the end, whatever chunks were so far.
    pub(super) fn chunk_for(&self, costs: &Costs, threads: usize) -> usize {
        let usual = chunks::items(costs, None, threads, &self.options);
        let is_pinned = self.options.chunk_size.is_some();
        if is_pinned { usual } else { ((usual as f64 * self.chunk_factor) as usize).max(1) }
    }

    pub(super) fn fitting(&self, chunk: usize, buffer: usize, threads: usize) -> usize {
        window::fitting(chunk, buffer, threads, &self.options)
    }

    /// Items of a chunk far from the end.
    pub(crate) fn usual_chunk(&self) -> usize {
        self.chunk_before_end(None)
    }

    /// Items of the next chunk. An input of unknown length is expected to end where earlier ones did, and behind that
    /// to go on for as long as it has so far.
    pub(crate) fn chunk(&self, remaining: Remaining) -> usize {
        // What was pulled is run before anything is waited for, as far as that can be foreseen.
        let comes_first = self.plan.is_none() && self.comes_before_waiting(remaining);
        if (self.silence.is_slow_item() || comes_first) && self.options.chunk_size.is_none() {
            return 1;
        }
        let begun = self.done + self.in_flight;
        let expected = self.settled.items.checked_sub(begun).filter(|&left| left > 0).unwrap_or(begun);
        self.chunk_before_end(Some(remaining.upper.unwrap_or(expected)))
    }

    fn chunk_before_end(&self, left: Option<u64>) -> usize {
        if let Some(items) = self.first_items() {
            return items.max(1);
        }
        let threads = self.threads();
        let wanted = if self.rate() > 0.0 {
            self.wanted_chunk(left, threads).min(self.chunk_limit)
        } else {
            self.plan.as_ref().map_or(1, |plan| plan.chunk_size)
        };
        self.fitting(wanted, self.buffer_size(), threads)
    }

    /// Whether threads may well be a loss: the less they have begun by the time that this shows, the better.
    fn is_on_probation(&self) -> bool {
        self.computing.as_ref().is_some_and(|threads| threads.watch.is_on_probation())
    }

    /// Whether the next step wants to know the memory.
    pub(crate) fn wants_memory(&self, now: f64) -> bool {
        self.pressure.is_due(now)
    }

    /// Takes a reading of the memory.
    pub(crate) fn saw_memory(&mut self, now: f64, memory: Memory) {
        self.pressure.observe(now, memory);
    }

    /// How many more items may be taken from the source, with so many in flight.
    pub(crate) fn room(&self, in_flight: usize) -> usize {
        self.window().saturating_sub(in_flight).min(self.within_memory(in_flight))
    }

    /// How many more items memory allows to be taken from the source, with so many in flight.
    fn within_memory(&self, in_flight: usize) -> usize {
        self.pressure.room(in_flight, self.situation.bytes_each(&self.costs))
    }

    /// Items that may be in flight now, at most the plan's buffer size; 0 while draining.
    pub(crate) fn window(&self) -> usize {
        match self.mode {
            Mode::Draining(_) => 0,
            _ if self.first_items().is_some() => self.first_window(),
            _ if self.is_on_probation() && self.options.buffer_size.is_none() => {
                let probation = PROBATION_CHUNKS.saturating_mul(self.usual_chunk()).saturating_mul(self.threads());
                probation.min(self.usual_window())
            }
            _ => self.usual_window(),
        }
    }

    /// Items that may be in flight while nothing speaks against the plan.
    fn usual_window(&self) -> usize {
        let most = self.buffer_size();
        let is_pinned = self.options.buffer_size.is_some();
        if is_pinned { most } else { window::items(self.usual_chunk(), self.threads(), &self.costs).min(most) }
    }

    /// Bytes of results that may wait to be yielded: a tenth of the available memory, whatever results were thought to
    /// take when their items were pulled. Who states a window, or what results take, means that. None while the source
    /// is paused.
    pub(crate) fn most_bytes_ready(&self) -> usize {
        let is_pinned = self.options.buffer_size.is_some() || self.options.result_bytes.is_some();
        let most = if is_pinned { usize::MAX } else { window::most_bytes(&self.situation) };
        if self.pressure.is_paused() { 0 } else { most }
    }

    /// Bytes that may come and go while threads run: chunks, and what items own, of types that nobody knows. Each
    /// thread's part of the heap may keep twice as much: of all of them, a tenth of the available memory at most.
    pub(crate) fn bytes_in_flight(&self) -> usize {
        if self.plan.is_none() || self.is_looping() {
            return 0;
        }
        let known = self.usual_window() as f64 * self.situation.bytes_each(&self.costs);
        let owned = if self.situation.owns == Owns::Nothing { 0 } else { OWNED_BYTES };
        let most = window::most_bytes(&self.situation) / (2 * (self.threads() + 1));
        (known as usize).max(owned).min(most)
    }

    /// Items that the consumer runs alone at a time.
    pub(crate) fn chunk_alone(&self) -> usize {
        (watch::ALONE / self.costs.item.max(1e-10)) as usize
    }

    fn buffer_size(&self) -> usize {
        self.plan.as_ref().map_or(1, |plan| plan.buffer_size)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::decide::pilot::{Basis, Prior};
    use crate::decide::situation::Situation;
    use crate::decide::verdict::Verdict;
    use crate::options::Options;
    use crate::plan::Origin;

    /// A pilot that follows a recommendation of so many threads for items of 10 µs.
    pub(in crate::decide::pilot) fn following(threads: usize, situation: Situation, costs: Costs) -> Pilot {
        let mut pilot = Pilot::new(Options::default(), situation);
        let pool = if threads > 1 { Pool::Cpu } else { Pool::Serial };
        let verdict = Verdict { pool, threads, gain: threads as f64, reason: "".into() };
        let costs = Costs { item: 10e-6, ..costs };
        let origin = Origin::Predicted { confidence: 0.9, samples: 3 };
        let (chunk_size, items) = (40, 10_000);
        pilot.adopt_prior(Prior { verdict, costs, chunk_size, origin, items, basis: Basis::Costs });
        pilot
    }

    #[test]
    fn chunks_are_expected_in_flight_and_of_what_owns_memory_some_even_where_that_is_not_known() {
        let bytes_within = |available_memory, threads, owns, result_bytes| {
            let situation = Situation { owns, available_memory, ..Situation::TWO_CORES };
            following(threads, situation, Costs { result_bytes, ..Costs::default() }).bytes_in_flight()
        };
        let bytes = |threads, owns, result_bytes| bytes_within(1 << 30, threads, owns, result_bytes);
        assert_eq!(bytes(2, Owns::OneBlock, 24.0), OWNED_BYTES);
        assert!(bytes(2, Owns::Anything, 4e6) > OWNED_BYTES);
        assert!(bytes(2, Owns::Nothing, 4e6) > OWNED_BYTES && bytes(2, Owns::Nothing, 8.0) < 1 << 20);
        assert_eq!(bytes(1, Owns::Anything, 4e6), 0, "a loop");
        let little = [24.0, 4e6].map(|result_bytes| bytes_within(60_000_000, 2, Owns::Anything, result_bytes));
        assert_eq!(little, [1_000_000; 2], "three threads' heaps keep two of them each");
    }

    #[test]
    fn one_chunk_in_so_much_work_tells_how_long_it_was_blocked_and_none_of_a_short_run() {
        let mut pilot = following(2, Situation::TWO_CORES, Costs::default());
        let mut clocked = |chunks| {
            let told = (0..chunks).filter(|_| {
                let clocks = pilot.clocks();
                pilot.pulled(10, 0.0);
                clocks == Clocks::All
            });
            told.count()
        };
        assert_eq!(clocked(10), 0, "a millisecond");
        let more = clocked(320);
        assert!((16..=32).contains(&more), "{more} of 32 ms");
    }

    #[test]
    fn chunks_shrink_where_earlier_inputs_ended_although_nothing_has_come_back_yet() {
        let mut pilot = following(64, Situation { cores: 64, ..Situation::TWO_CORES }, Costs::default());
        let mut pull = |count| {
            pilot.pulled(count, 0.0);
            pilot.chunk(Remaining::UNKNOWN)
        };
        assert_eq!([pull(1), pull(8_998), pull(999)], [40, 8, 4]);
        assert_eq!(pull(2), 40, "it goes on");
    }
}
