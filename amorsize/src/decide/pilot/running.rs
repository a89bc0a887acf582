//! Chunks on threads: what they show, and whether they go on.

use crate::decide::choose;
use crate::decide::climb::Climb;
use crate::decide::costs::{Costs, Spread, blend};
use crate::decide::input::Remaining;
use crate::decide::verdict::Verdict;
use crate::decide::watch::{self, Crowd, Judgement, Progress};
use crate::plan::{Plan, Pool};

use super::trying::PLENTY;
use super::{After, Handed, Made, Mode, Pilot, Position, Ran, Runner};

/// Share of blocked time from which a computing plan is doubted, and below which a waiting one is.
const DOUBT_COMPUTING: f64 = 0.5;
const DOUBT_WAITING: f64 = 0.1;
/// How much longer items take among few threads where many were in each other's way.
const EXPECTED_INFLATION: f64 = 2.0;
/// Share of a new observation in the blocked share.
const BLOCKED_RATE: f64 = 0.2;

impl Pilot {
    /// A chunk came back; its results are yielded next.
    pub(crate) fn ran(&mut self, ran: Ran) {
        if ran.items == 0 {
            return;
        }
        if ran.runner != Runner::Alone {
            self.tally.ran(ran.items, ran.seconds);
            let climb = self.climb.as_mut().filter(|_| self.done >= self.climbed_at);
            climb.into_iter().for_each(|climb| climb.ran(ran.items, ran.seconds));
        }
        self.done += ran.items as u64;
        self.in_flight = self.in_flight.saturating_sub(ran.items as u64);
        self.chunks += 1;
        let rate = self.rate();
        self.spread.add(ran.items, ran.each());
        self.costs.item = blend(self.costs.item, ran.each(), rate);
        self.costs.result_bytes = blend(self.costs.result_bytes, self.bytes(ran), rate);
        self.costs.spread = self.spread.coefficient();
        if let Some(blocked) = ran.blocked {
            self.costs.blocked += BLOCKED_RATE * (blocked - self.costs.blocked);
        }
        self.handed = Some(Handed { items: ran.items, running: ran.running(), runner: ran.runner });
        if ran.items >= self.chunk_limit {
            self.chunk_limit = ran.items.saturating_mul(2);
        }
    }

    /// The consumer has taken `each` seconds for each result of the chunk that came back last. What ends a run or was
    /// divided is too small to stand for others; but whoever runs chunks alone waits for each of them.
    pub(super) fn watch_chunk(&mut self, consumer: f64) {
        let Some(Handed { items, running, runner }) = self.handed.take() else { return };
        let is_whole = runner == Runner::Alone || 2 * items >= self.usual_chunk();
        let Some(watch) = &mut self.watch else { return };
        watch.saw(runner);
        if is_whole {
            watch.saw_chunk(items, running + consumer + self.costs.source, runner);
        }
    }

    /// A chunk of `items` was pulled in `seconds`.
    pub(crate) fn pulled(&mut self, items: usize, seconds: f64) {
        self.own += seconds;
        self.in_flight += items as u64;
        self.tally.pulled(items, seconds);
        self.costs.source = blend(self.costs.source, seconds / items as f64, self.rate());
    }

    /// Looks at a parallel run between two chunks.
    pub(crate) fn check(&mut self, at: Position, made: Made, remaining: Remaining) {
        (self.worked, self.delay) = (made.worked, made.delay);
        let progress = Progress { produced: made.results, ..self.progress(at) };
        match self.mode {
            Mode::Alone(since) => self.check_alone(since, at, progress),
            Mode::Parallel => self.check_parallel(at, progress, remaining),
            _ => {}
        }
    }

    fn check_parallel(&mut self, at: Position, progress: Progress, remaining: Remaining) {
        if self.is_wrong_pool() {
            self.trusted_until = 2 * self.done;
            self.mode = Mode::Draining(After::Try);
            return;
        }
        let (each, left) = (self.costs.serial(), remaining.expected(self.done));
        let follows_items = self.rate() > 0.0;
        let grown = self.growth.as_mut().and_then(|growth| {
            let leapt = if follows_items { growth.leap(at.now, at.yielded, each, left) } else { None };
            leapt.or_else(|| growth.check(at.now, at.yielded))
        });
        if let Some(threads) = grown {
            self.close_stretch(at);
            self.spread = Spread::default();
            self.plan.iter_mut().for_each(|plan| plan.threads = threads);
            tracing::debug!(target: "amorsize", threads, seconds = at.now, "other threads");
        }
        self.outgrow(at, remaining);
        self.climb(at, progress, remaining);
        let round = self.threads().saturating_mul(self.usual_chunk());
        let judgement = self.watch.as_mut().map_or(Judgement::GoOn, |watch| watch.judge(progress, round));
        tell(judgement, at);
        match judgement {
            Judgement::GoOn | Judgement::Kept => {}
            Judgement::Check if self.costs.item < watch::CHEAP => self.mode = Mode::Draining(After::Probe(at)),
            Judgement::Check => self.mode = Mode::Alone(at),
            Judgement::Refuted { gain } => self.undo(gain, at),
            Judgement::Crowded(crowd) => self.reduce(crowd, at, progress),
        }
    }

    /// Chunks run alone since `since`: back to threads, or to the plain loop.
    fn check_alone(&mut self, since: Position, at: Position, progress: Progress) {
        let judgement = self.watch.as_mut().map_or(Judgement::Kept, |watch| watch.check(at.now));
        tell(judgement, at);
        match judgement {
            Judgement::GoOn | Judgement::Check => {}
            Judgement::Kept => self.go_on(since, at, progress),
            Judgement::Refuted { gain } => self.undo(gain, since),
            Judgement::Crowded(crowd) => {
                self.tally.leave_out(since, at);
                self.reduce(crowd, at, progress);
            }
        }
    }

    /// The plain loop took `each` seconds an item since `since`.
    pub(super) fn probed(&mut self, since: Position, each: f64, at: Position) {
        let judgement = self.watch.as_mut().map_or(Judgement::Kept, |watch| watch.probed(each, at.now));
        tell(judgement, at);
        let progress = self.progress(at);
        match judgement {
            Judgement::Refuted { gain } => {
                self.close_stretch(since);
                self.adopt_loop(gain, at);
            }
            Judgement::Crowded(crowd) => {
                self.tally.leave_out(since, at);
                self.reduce(crowd, at, progress);
            }
            _ => self.go_on(since, at, progress),
        }
    }

    /// Back to threads, which did not count since `since`.
    fn go_on(&mut self, since: Position, at: Position, progress: Progress) {
        self.tally.leave_out(since, at);
        if let Some(watch) = &mut self.watch {
            watch.restart(progress);
        }
        self.mode = Mode::Parallel;
    }

    /// Goes on with fewer threads.
    fn reduce(&mut self, Crowd { threads, inflation, alone }: Crowd, at: Position, progress: Progress) {
        let reason = format!("{} threads made items take {inflation:.0} times as long", self.threads()).into();
        // What the many did to each other is no spread of items.
        self.spread = Spread::default();
        self.costs.item = self.costs.item.min(EXPECTED_INFLATION * alone);
        self.adopt(Verdict { pool: Pool::Cpu, threads, gain: 1.0, reason }, self.origin(), at);
        if let Some(watch) = &mut self.watch {
            watch.restart(progress);
        }
    }

    /// Threads counted until `until`; what they have begun runs out.
    fn undo(&mut self, gain: f64, until: Position) {
        self.close_stretch(until);
        self.mode = Mode::Draining(After::Loop { gain });
    }

    /// Threads that are not in each other's way become more, as long as costs call for that.
    fn climb(&mut self, at: Position, progress: Progress, remaining: Remaining) {
        let Some(each) = self.climb.as_mut().and_then(Climb::is_due) else { return };
        let costs = Costs { item: each, ..self.costs };
        let unfinished = (self.done + self.in_flight).saturating_sub(progress.produced);
        let left = remaining.exact().map_or(PLENTY, |left| left.saturating_add(unfinished));
        let Some((wanted, _)) = choose::threads(&costs, left, &self.options, &self.situation) else { return };
        let Some(threads) = self.climb.as_mut().and_then(|climb| climb.step(wanted, each)) else { return };
        let (before, gain) = (self.threads(), self.gain(&costs, threads, left));
        self.climbed_at = progress.produced + (before * self.usual_chunk()) as u64;
        self.tally.skip(at);
        self.spread = Spread::default();
        self.employ(threads, gain, format!("{before} threads were not in each other's way"));
        if let Some(watch) = &mut self.watch {
            watch.promise(threads, gain);
            watch.restart(progress);
        }
    }

    /// An input of unknown length that has outlasted what earlier runs have had gets the threads that no end is worth.
    fn outgrow(&mut self, at: Position, remaining: Remaining) {
        let Some(watch) = self.watch.as_mut().filter(|_| self.follows && remaining.exact().is_none()) else { return };
        if self.done <= self.settled.0.saturating_mul(2) {
            return;
        }
        self.settled.0 = self.done;
        let threads = self.plan.as_ref().map_or(1, |plan| plan.threads);
        let worth = choose::threads(&self.costs, PLENTY, &self.options, &self.situation);
        if let Some((more, gain)) = worth.filter(|&(more, _)| more > threads) {
            watch.promise(more, gain);
            self.close_stretch(at);
            // More threads may slow each other down: that is no spread of items.
            self.spread = Spread::default();
            self.employ(more, gain, format!("there are more items than earlier runs had, for {more} threads"));
        }
    }

    /// The same plan with so many threads.
    fn employ(&mut self, threads: usize, gain: f64, reason: String) {
        let Some((_, buffer_size)) = self.promise else { return };
        let chunk_size = self.fitting(self.wanted_chunk(None, threads), buffer_size, threads);
        let Some(plan) = &self.plan else { return };
        let reason = reason.into();
        let plan = Plan { threads, chunk_size, expected_speedup: gain, reason, ..plan.clone() };
        tracing::debug!(target: "amorsize", %plan, "other threads");
        self.plan = Some(plan);
    }

    /// Whether a computing function waits, or a waiting one computes: then another trial tells.
    fn is_wrong_pool(&self) -> bool {
        if self.options.pool.is_some() || self.options.threads.is_some() || self.done < self.trusted_until {
            return false;
        }
        match &self.plan {
            Some(plan) if plan.pool == Pool::Blocking => self.costs.blocked < DOUBT_WAITING,
            _ => self.costs.blocked > DOUBT_COMPUTING,
        }
    }

    /// All chunks of a draining run are finished.
    pub(crate) fn drained(&mut self, at: Position) {
        let Mode::Draining(after) = self.mode else { return };
        match after {
            After::Loop { gain } => self.adopt_loop(gain, at),
            After::Probe(since) => self.mode = Mode::Probing(since),
            After::Try => self.try_again(),
        }
    }

    fn adopt_loop(&mut self, gain: f64, at: Position) {
        self.tally.skip(at);
        let threads = self.threads();
        self.refuted = threads;
        let reason = format!("{threads} threads reached only {gain:.2}x of the plain loop, end to end");
        self.adopt(Verdict::serial(reason), self.origin(), at);
    }
}

/// What threads are thought of, for whoever listens.
fn tell(judgement: Judgement, at: Position) {
    if judgement != Judgement::GoOn {
        tracing::trace!(target: "amorsize", ?judgement, seconds = at.now, yielded = at.yielded, "threads are judged");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::choose::Situation;
    use crate::decide::pilot::Step;
    use crate::options::Options;

    const ITEM: f64 = 20e-6;
    const CHUNK: usize = 5;

    /// A run on 64 cores, of so many items, that has begun with threads.
    fn started(items: u64) -> (Pilot, Remaining) {
        let remaining = Remaining { lower: items, upper: Some(items) };
        (started_with(remaining, ITEM), remaining)
    }

    fn started_with(remaining: Remaining, item: f64) -> Pilot {
        let mut pilot = Pilot::new(Options::default(), Situation { cores: 64, ..Situation::TWO_CORES });
        while let Step::Try(items) = pilot.step(Position::default(), remaining, usize::MAX) {
            let seconds = item * items as f64;
            pilot.tried(0.0, Ran { items, seconds, blocked: Some(0.0), result_bytes: 8, ..Ran::default() });
        }
        pilot
    }

    #[test]
    fn a_few_long_items_get_a_thread_each_whether_their_number_is_known_or_bounded() {
        let threads = |remaining| started_with(remaining, 1.0).threads();
        assert_eq!(threads(Remaining { lower: 39, upper: Some(39) }), 39);
        assert_eq!(threads(Remaining { lower: 0, upper: Some(39) }), 39);
        assert_eq!(threads(Remaining { lower: 128, upper: Some(128) }), 64, "two rounds are over before a climb");
    }

    #[test]
    fn chunks_that_ran_before_a_step_say_nothing_of_the_threads_after_it() {
        let (mut pilot, remaining) = started(1_000_000);
        let ahead = 1_000;
        let mut chunks = 0;
        let mut accept = |pilot: &mut Pilot| {
            pilot.ran(Ran { items: CHUNK, seconds: ITEM * CHUNK as f64, result_bytes: 8, ..Ran::default() });
            pilot.consumed(CHUNK, 1e-9);
            chunks += 1;
            let done = chunks * CHUNK as u64;
            let made = Made { results: done + ahead, worked: (done + ahead) as f64 * ITEM, ..Made::default() };
            pilot.check(Position { now: chunks as f64 * 1e-6, yielded: done }, made, remaining);
            done
        };
        while pilot.threads() == 16 {
            accept(&mut pilot);
        }
        let before = pilot.climbed_at;
        assert_eq!((pilot.threads(), before > ahead), (32, true));
        while accept(&mut pilot) < before {
            assert_eq!(pilot.threads(), 32);
        }
        (0..100).for_each(|_| _ = accept(&mut pilot));
        assert_eq!(pilot.threads(), 64);
    }

    /// The threads of a run on 64 cores in which items take so many times as long beside others as alone: at first, and
    /// after some chunks.
    fn threads(inflation: f64) -> (usize, usize) {
        let (mut pilot, remaining) = started(1_000_000);
        let first = pilot.threads();
        let seconds = inflation * ITEM * CHUNK as f64;
        for chunks in 1..=200 {
            pilot.ran(Ran { items: CHUNK, seconds, result_bytes: 8, ..Ran::default() });
            pilot.consumed(CHUNK, 1e-9);
            let made = Made { results: chunks * CHUNK as u64, worked: chunks as f64 * seconds, ..Made::default() };
            let at = Position { now: made.worked / pilot.threads() as f64, yielded: made.results };
            pilot.check(at, made, remaining);
        }
        (first, pilot.threads())
    }

    #[test]
    fn a_quarter_of_many_threads_begins_and_all_follow_unless_they_are_in_each_others_way() {
        assert_eq!(threads(1.0), (16, 64));
        assert_eq!(threads(1.3), (16, 64));
        assert_eq!(threads(10.0).0, 16);
        assert!(threads(10.0).1 <= 16);
    }

    #[test]
    fn a_check_near_the_end_is_over_although_chunks_are_small_there() {
        let (mut pilot, remaining) = started(1_000);
        let run = |pilot: &mut Pilot, items: usize, runner: Runner, now: f64| {
            let seconds = ITEM * items as f64;
            pilot.ran(Ran { items, seconds, result_bytes: 8, runner, ..Ran::default() });
            pilot.consumed(items, 1e-9);
            let made = Made { results: 100, worked: 100.0 * ITEM, ..Made::default() };
            pilot.check(Position { now, yielded: 100 }, made, remaining);
        };
        (0..4).for_each(|_| run(&mut pilot, CHUNK, Runner::Thread, 1e-4));
        pilot.mode = Mode::Alone(Position { now: 1e-4, yielded: 100 });
        assert!(2 < pilot.usual_chunk());
        (1..=40).for_each(|chunk| run(&mut pilot, 1, Runner::Alone, 1e-4 + f64::from(chunk) * ITEM));
        assert!(!matches!(pilot.mode, Mode::Alone(_)));
    }
}
