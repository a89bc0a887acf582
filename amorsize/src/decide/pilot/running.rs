//! Chunks on threads: what they show, and whether they go on.

use crate::decide::chunks::LARGEST_CHUNK;
use crate::decide::costs::{Spread, blend};
use crate::decide::input::Remaining;
use crate::decide::verdict::Verdict;
use crate::decide::waiting::FEW_THREADS;
use crate::decide::waits::Waits;
use crate::decide::watch::{Crowd, Judgement, Progress};
use crate::plan::Pool;
use crate::reason::Reason;

use super::employing::Computing;
use super::{After, Handed, Looped, Made, Mode, Pilot, Position, Ran, Runner};

/// Share of blocked time from which a computing plan is doubted, and below which a waiting one is.
const DOUBT_COMPUTING: f64 = 0.5;
const DOUBT_WAITING: f64 = 0.1;
/// How much longer items take among few threads where many were in each other's way.
const EXPECTED_INFLATION: f64 = 2.0;
/// Ratio to the plain loop's time up to which items of a first chunk are what they were.
const UNDISTURBED: f64 = 1.5;
/// Share of a new observation in the blocked share.
const BLOCKED_RATE: f64 = 0.2;

impl Pilot {
    /// A chunk came back; its results are yielded next.
    pub(crate) fn ran(&mut self, ran: Ran) {
        if ran.items == 0 {
            return;
        }
        if matches!(self.mode, Mode::Trying(_)) {
            return self.tried_beside(ran);
        }
        if ran.runner == Runner::Alone {
            self.computing.iter_mut().for_each(|threads| threads.watch.saw_alone(ran.delay));
            let around = (self.costs.source + self.costs.consumer) * ran.items as f64;
            self.blocking.iter_mut().for_each(|threads| threads.ran_alone(ran.items, ran.seconds + around));
        } else {
            self.tally.ran(ran.items, ran.seconds);
            let done = self.done;
            if let Some(climb) = self.ladder() {
                climb.ran(done, ran.items, ran.running() * ran.items as f64);
            }
        }
        self.done += ran.items as u64;
        self.in_flight = self.in_flight.saturating_sub(ran.items as u64);
        if ran.items >= self.chunk_limit {
            self.chunk_limit = if self.is_as_cheap(ran) { LARGEST_CHUNK } else { ran.items.saturating_mul(2) };
        }
        self.learn_costs(ran);
        self.learn_blocked(ran);
        self.handed = Some(Handed { items: ran.items, computing: ran.computing(), runner: ran.runner });
    }

    /// Whether a first chunk of cheap items bears out what the plain loop has shown of them: no thread is in its way, of
    /// which one has begun.
    fn is_as_cheap(&self, ran: Ran) -> bool {
        let is_known = self.is_too_cheap_to_know() && self.threads() <= FEW_THREADS && !ran.is_undisturbed;
        is_known && ran.running() < UNDISTURBED * self.costs.item
    }

    fn learn_costs(&mut self, ran: Ran) {
        let rate = self.rate();
        let is_cpu = self.computing.is_some();
        // Threads that wait for each other make even items look uneven.
        self.spread.add(ran.items, if is_cpu { ran.computing() } else { ran.each() });
        self.costs.item = blend(self.costs.item, ran.each(), rate);
        self.costs.result_bytes = blend(self.costs.result_bytes, self.bytes(ran), rate);
        self.costs.spread = self.spread.coefficient();
    }

    fn learn_blocked(&mut self, ran: Ran) {
        let is_open = self.waits.is_open();
        if let Some(blocked) = self.waits.outside(ran, self.situation.processors) {
            let rate = if is_open && ran.runner == Runner::Thread { 1.0 } else { BLOCKED_RATE };
            self.costs.blocked += rate * (blocked - self.costs.blocked);
        }
    }

    /// The consumer has taken `each` seconds for each result of the chunk that came back last. What ends a run or was
    /// divided is too small to stand for others; but whoever runs chunks alone waits for each of them.
    pub(super) fn watch_chunk(&mut self, consumer: f64) {
        let Some(Handed { items, computing, runner }) = self.handed.take() else { return };
        let is_whole = runner == Runner::Alone || 2 * items >= self.usual_chunk();
        let Some(Computing { watch, .. }) = self.computing.as_deref_mut() else { return };
        watch.saw(runner);
        if is_whole {
            watch.saw_chunk(items, computing + consumer + self.costs.source, runner);
        }
    }

    /// A chunk of `items` was pulled in `seconds`.
    pub(crate) fn pulled(&mut self, items: usize, seconds: f64) {
        self.clocked(items);
        self.own += seconds;
        self.silence.pulled(items, seconds, self.costs.item);
        self.in_flight += items as u64;
        self.tally.pulled(items, seconds);
        let rate = if matches!(self.mode, Mode::Trying(_)) { 1.0 } else { self.rate() };
        self.costs.source = blend(self.costs.source, seconds / items as f64, rate);
    }

    /// Looks at a parallel run between two chunks.
    pub(crate) fn check(&mut self, at: Position, made: Made, remaining: Remaining) {
        self.made = made;
        let progress = self.progress(at);
        match self.mode {
            Mode::Alone(since) => self.check_alone(since, at, progress),
            Mode::Parallel => self.check_parallel(at, progress, remaining),
            Mode::Draining(After::Doubt(since)) => self.check_waiting_alone(since, at),
            _ => {}
        }
    }

    fn check_parallel(&mut self, at: Position, progress: Progress, remaining: Remaining) {
        if self.is_wrong_pool() {
            return self.change_pool(at, remaining);
        }
        self.grow(at, remaining);
        if self.raises_doubt(progress) {
            self.mode = Mode::Draining(After::Doubt(at));
            return;
        }
        self.leave_ahead_behind(at);
        self.outgrow(at, remaining);
        self.climb(at, progress, remaining);
        let round = self.threads().saturating_mul(self.usual_chunk());
        let left = self.costs.serial() * remaining.and(self.in_flight).expected(self.done) as f64;
        let judge = |threads: &mut Box<Computing>| threads.watch.judge(progress, round, left);
        let judgement = self.computing.as_mut().map_or(Judgement::GoOn, judge);
        self.tell(judgement, at);
        match judgement {
            Judgement::GoOn | Judgement::Kept => {}
            Judgement::Check if self.is_probed() => self.mode = Mode::Draining(After::Probe(at)),
            Judgement::Check => self.mode = Mode::Alone(at),
            Judgement::Refuted { gain } => self.undo(gain, at),
            Judgement::Crowded(crowd) => self.reduce(crowd, at, progress),
        }
    }

    /// A computing function waits, or a waiting one computes.
    fn change_pool(&mut self, at: Position, remaining: Remaining) {
        self.trusted_until = 2 * self.done;
        match self.verdict(remaining) {
            // What was handed over for the others is for more of those that wait.
            verdict if self.waits == Waits::Surely && verdict.pool == Pool::Blocking => {
                self.settle(verdict, self.origin(), remaining.expected(self.done), at);
            }
            // A plain loop may not begin before that has come back.
            _ => self.mode = Mode::Draining(After::Try),
        }
    }

    /// Whether threads are held against a stretch of the plain loop.
    fn is_probed(&self) -> bool {
        self.computing.as_ref().is_some_and(|threads| threads.watch.needs_probe(self.costs.item))
    }

    /// Chunks run alone since `since`: back to threads, or to the plain loop.
    fn check_alone(&mut self, since: Position, at: Position, progress: Progress) {
        let judgement = self.computing.as_mut().map_or(Judgement::Kept, |threads| threads.watch.check(at.now));
        self.tell(judgement, at);
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

    /// A stretch of the plain loop that runs instead of threads since `since`.
    pub(super) fn probed(&mut self, since: Position, looped: Looped, at: Position) {
        let Looped { items, seconds } = looped;
        let probed = |threads: &mut Box<Computing>| threads.watch.probed(items, seconds, at.now);
        let judgement = self.computing.as_mut().map_or(Judgement::Kept, probed);
        self.tell(judgement, at);
        let progress = self.progress(at);
        match judgement {
            Judgement::GoOn => {}
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
    pub(super) fn go_on(&mut self, since: Position, at: Position, progress: Progress) {
        self.tally.leave_out(since, at);
        if let Some(Computing { watch, climb, .. }) = self.computing.as_deref_mut() {
            climb.iter_mut().for_each(|climb| climb.rebase(watch.plain_item()));
            watch.restart(progress);
        }
        self.mode = Mode::Parallel;
    }

    /// Goes on with fewer threads.
    fn reduce(&mut self, Crowd { threads, inflation, alone }: Crowd, at: Position, progress: Progress) {
        let before = self.threads();
        let why = move || format!("{before} threads made items take {inflation:.0} times as long");
        let reason = Reason::when_read(why);
        // What the many did to each other is no spread of items.
        self.spread = Spread::default();
        self.costs.item = self.costs.item.min(EXPECTED_INFLATION * alone);
        self.adopt(Verdict { pool: Pool::Cpu, threads, gain: 1.0, reason }, self.origin(), at);
        self.computing.iter_mut().for_each(|threads| threads.watch.restart(progress));
    }

    /// Threads counted until `until`; what they have begun runs out.
    fn undo(&mut self, gain: f64, until: Position) {
        self.close_stretch(until);
        self.mode = Mode::Draining(After::Loop { gain });
    }

    /// Whether a computing function waits, or a waiting one computes: then another trial tells.
    fn is_wrong_pool(&self) -> bool {
        if self.options.pool.is_some() || self.options.threads.is_some() || self.done < self.trusted_until {
            return false;
        }
        match &self.plan {
            // Starting many threads keeps processors busy: it is not for that that they are given up.
            Some(plan) if plan.pool == Pool::Blocking => self.costs.blocked < DOUBT_WAITING && !self.waits.is_open(),
            _ => self.costs.blocked > DOUBT_COMPUTING,
        }
    }

    /// Goes on to what was waited for, since nothing is in flight any more.
    pub(crate) fn drained(&mut self, at: Position) {
        self.in_flight = 0;
        let Mode::Draining(after) = self.mode else { return };
        match after {
            After::Loop { gain } => self.adopt_loop(gain, at),
            After::Probe(since) => self.mode = Mode::Probing(since),
            After::Doubt(since) => self.mode = Mode::Doubting(since),
            After::GiveWay(since) => self.mode = Mode::GivingWay(since),
            After::Try => self.try_again(),
        }
    }

    pub(super) fn adopt_loop(&mut self, gain: f64, at: Position) {
        self.tally.skip(at);
        let threads = self.threads();
        self.refuted = threads;
        let why = move || format!("{threads} threads reached only {gain:.2}x of the plain loop, end to end");
        self.adopt(Verdict::serial(Reason::when_read(why)), self.origin(), at);
    }

    /// Tells whoever listens what is thought of threads.
    fn tell(&self, judgement: Judgement, at: Position) {
        if judgement != Judgement::GoOn {
            let Position { now: seconds, yielded } = at;
            tracing::trace!(target: "amorsize", function = self.function, ?judgement, seconds, yielded, "threads are judged");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::employing::tests::{CHUNK, ITEM, started, started_in};
    use super::super::trying::tests::{exactly, lead};
    use super::*;
    use crate::decide::pilot::Step;
    use crate::decide::situation::{Owns, Situation};
    use crate::options::Options;

    #[test]
    fn threads_that_free_what_others_made_begin_with_little_and_are_held_against_the_loop() {
        let begun = |owns, item: f64| {
            let situation = Situation { owns, ..Situation::TWO_CORES };
            let pilot = started_in(situation, Remaining { lower: 1_000_000, upper: Some(1_000_000) }, item);
            assert_eq!(pilot.plan().map(|plan| plan.pool), Some(Pool::Cpu));
            (pilot.window(), pilot.is_probed())
        };
        let [(little, is_probed), (usual, _)] = [Owns::Anything, Owns::Nothing].map(|owns| begun(owns, 1e-6));
        assert!(is_probed && 2 * little < usual, "{little} {usual}");
        assert!(!begun(Owns::Anything, 10e-6).1, "a few items of the loop say too little");
        assert!(!begun(Owns::Nothing, 1e-6).1);
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

    #[test]
    fn chunks_of_cheap_items_are_whole_once_one_took_what_the_loop_did() {
        const EACH: f64 = 100e-9;
        let left = exactly(1 << 30);
        let chunks = |times: f64, is_undisturbed| {
            let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
            lead(&mut pilot, EACH, left);
            pilot.looped(Looped { items: 300, seconds: 300.0 * EACH }, Position::default(), left);
            assert_eq!(pilot.step(Position::default(), left, usize::MAX), Step::Parallel);
            let first = pilot.chunk(left);
            pilot.pulled(first, 1e-9);
            let seconds = times * EACH * first as f64;
            let blocked = Some(0.0);
            pilot.ran(Ran { items: first, seconds, blocked, result_bytes: 8, is_undisturbed, ..Ran::default() });
            [first, pilot.chunk(left)]
        };
        let [first, second] = chunks(1.0, false);
        assert!(first <= 250 && second >= 3 * first, "{first}, {second}: 25 and 100 µs");
        for (times, is_undisturbed) in [(2.0, false), (1.0, true)] {
            let [first, second] = chunks(times, is_undisturbed);
            assert!(second <= 2 * first, "{first}, {second}: a lock, perhaps");
        }
    }
}
