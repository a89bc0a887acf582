//! One run of the pilot in virtual time: a consumer, threads that take chunks from a queue, and a clock that moves from
//! event to event. What the real engine does with locks and pools is here a handful of delays.

mod first;
mod threads;

use std::collections::{BTreeMap, VecDeque};

use crate::decide::input::Remaining;
use crate::decide::observed::{Clocks, Looped, Made, Position, Ran, Runner};
use crate::decide::pilot::{Pilot, Step};
use crate::decide::refill::{Refill, Refilled, There};
use crate::decide::tally::Stretch;

use super::chance::Chance;
use super::world::World;

/// Looks at the clock in a stretch of the plain loop.
const LOOKS: u64 = 30;
/// Seconds of waiting after which the consumer has fallen asleep.
const ASLEEP: f64 = 20e-6;
/// When a thread that sleeps was last awake.
const SLEEPING: f64 = -1.0;

/// What a run took, and what it recorded.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Seconds of the run, as on a day when the machine is at its fastest.
    pub(super) seconds: f64,
    pub(super) stretches: Vec<Stretch>,
}

#[derive(Clone, Copy, Debug)]
struct Chunk {
    start: u64,
    len: u64,
    pushed: f64,
    clocks: Clocks,
    /// Seconds that it is thought to take.
    expected: f64,
}

#[derive(Clone, Copy, Debug)]
struct Done {
    len: u64,
    seconds: f64,
    finish: f64,
    clocks: Clocks,
    blocked: Option<f64>,
    runner: Runner,
}

struct Engine<'a> {
    world: &'a World,
    pilot: Pilot,
    chance: Chance,
    /// How fast the machine is today.
    today: f64,
    now: f64,
    pulled: u64,
    accepted: u64,
    queue: VecDeque<Chunk>,
    /// What is left of chunks that are handed in, to be queued by then.
    rests: Vec<Chunk>,
    /// When each thread is free.
    threads: Vec<f64>,
    /// When the first thread begins.
    manned: f64,
    /// Threads that there may be.
    most: usize,
    /// When the consumer last ran a chunk itself.
    helped: (f64, f64),
    done: BTreeMap<u64, Done>,
    /// Seconds of accepted chunks.
    worked: f64,
}

/// Lets a pilot lead a run over the whole input.
pub(super) fn run(world: &World, pilot: Pilot, seed: u64) -> Outcome {
    let mut chance = Chance::new(seed);
    let today = 1.0 + 0.02 * chance.normal().abs();
    let mut engine = Engine {
        world,
        pilot,
        chance,
        today,
        now: 0.0,
        pulled: 0,
        accepted: 0,
        queue: VecDeque::new(),
        rests: Vec::new(),
        threads: Vec::new(),
        manned: f64::MAX,
        most: 1,
        helped: (0.0, 0.0),
        done: BTreeMap::new(),
        worked: 0.0,
    };
    while engine.accepted < world.items {
        engine.step();
    }
    let at = engine.at();
    Outcome { seconds: engine.now / today, stretches: engine.pilot.finish(at) }
}

impl Engine<'_> {
    fn at(&self) -> Position {
        Position { now: self.now, yielded: self.accepted }
    }

    fn left(&self) -> u64 {
        self.world.items - self.pulled
    }

    fn remaining(&self) -> Remaining {
        self.world.remaining(self.left())
    }

    fn step(&mut self) {
        let (at, remaining) = (self.at(), self.remaining());
        let in_flight = (self.pulled - self.accepted) as usize;
        let room = if self.left() == 0 { 0 } else { self.pilot.trial_room(in_flight) };
        match self.pilot.step(at, remaining, room) {
            Step::Try(items) => self.try_batch(items as u64),
            Step::Look => unreachable!("nothing is a guess here"),
            Step::Loop(items) => self.plain_loop(items as u64),
            Step::Parallel => {
                if !self.next_batch() {
                    let at = self.at();
                    self.pilot.drained(at);
                }
            }
        }
    }

    /// What these clocks tell of how long items among so many threads are blocked.
    fn blocked(&self, clocks: Clocks, threads: usize) -> Option<f64> {
        let blocked = self.world.blocked(threads);
        let is_known = match clocks {
            Clocks::Wall => false,
            Clocks::Cpu => blocked == 0.0,
            Clocks::All => true,
        };
        is_known.then_some(blocked)
    }

    fn pull(&mut self, items: u64) -> (u64, u64) {
        let chunk = (self.pulled, items.min(self.left()));
        self.pulled += chunk.1;
        chunk
    }

    fn try_batch(&mut self, items: u64) {
        let clocks = self.pilot.clocks();
        let (start, len) = self.pull(items);
        let seconds = self.function(start, len, 1);
        let source = self.world.source * len as f64;
        self.now += source + seconds;
        let blocked = self.blocked(clocks, 1);
        let ran =
            Ran { items: len as usize, seconds, clocks, blocked, result_bytes: self.world.bytes, ..Ran::default() };
        self.pilot.tried(source, ran);
        self.consume(len);
    }

    fn consume(&mut self, items: u64) {
        let seconds = self.world.consumer * items as f64;
        self.now += seconds;
        self.accepted += items;
        self.pilot.consumed(items as usize, seconds);
    }

    fn plain_loop(&mut self, items: u64) {
        let (start, len) = self.pull(items);
        let around = self.world.source + self.world.consumer;
        let (mut seconds, mut done) = (0.0, 0);
        let look = len.div_ceil(LOOKS).max(1);
        while done < len {
            let few = look.min(len - done);
            let took = self.function(start + done, few, 1) + around * few as f64;
            seconds += took;
            done += few;
        }
        self.now += seconds;
        self.accepted += len;
        let (at, remaining) = (self.at(), self.remaining());
        self.pilot.looped(Looped { items: len as usize, seconds }, at, remaining);
    }

    /// Yields the next chunk of results; false when nothing is in flight.
    fn next_batch(&mut self) -> bool {
        if self.first_item() {
            return true;
        }
        loop {
            let helps = self.pilot.waiting().helps;
            self.configure(self.pilot.threads() - usize::from(helps && self.pilot.threads() > 1));
            self.advance();
            let ready = self.ready();
            let refilled = self.refill(ready.is_some());
            self.advance();
            if let Some(start) = ready {
                self.accept(start);
                return true;
            }
            if self.pulled == self.accepted {
                return false;
            }
            if refilled == Refilled::Slowly {
                continue;
            }
            if !helps || !self.help() {
                self.wait();
            }
        }
    }

    /// The chunk of results that can be yielded now.
    fn ready(&self) -> Option<u64> {
        self.next_finish().filter(|&(_, finish)| finish <= self.now).map(|(start, _)| start)
    }

    /// The chunk of results that is yielded next, if it runs already, and when it ends.
    fn next_finish(&self) -> Option<(u64, f64)> {
        if self.pilot.plan().is_none_or(|plan| plan.ordered) {
            return self.done.get(&self.accepted).map(|done| (self.accepted, done.finish));
        }
        let first = self.done.iter().min_by(|a, b| a.1.finish.total_cmp(&b.1.finish));
        first.map(|(&start, done)| (start, done.finish))
    }

    fn is_alone(&self) -> bool {
        self.pilot.concurrency() == 0
    }

    fn refill(&mut self, has_results: bool) -> Refilled {
        let has_work = !self.queue.is_empty() || self.has_finished_more(has_results);
        let mut refill = self.pilot.refill(self.queue.len(), There { has_results, has_work });
        if let Some(refilled) = refill.begun() {
            return refilled;
        }
        let begin = self.now;
        while refill.goes_on(|| self.now - begin) {
            let room = self.pilot.window().saturating_sub((self.pulled - self.accepted) as usize);
            let size = Refill::size(self.pilot.chunk(self.remaining()), room, self.pulled - self.accepted);
            let Some(size) = size.filter(|_| self.left() > 0) else { return Refilled::All };
            let clocks = self.pilot.clocks();
            let (start, len) = self.pull(size as u64);
            let seconds = self.world.source * len as f64;
            self.now += seconds + self.world.transfer * len as f64 + 0.25 * self.world.hand_over;
            self.pilot.pulled(len as usize, seconds);
            let expected = self.pilot.costs().item * len as f64;
            self.queue.push_back(Chunk { start, len, pushed: self.now, clocks, expected });
            self.start_thread();
            self.advance();
            if let Some(refilled) = refill.pulled(seconds) {
                return refilled;
            }
        }
        Refilled::Enough
    }

    /// Results that are there behind those that come next.
    fn has_finished_more(&self, has_results: bool) -> bool {
        let finished = self.done.values().filter(|done| done.finish <= self.now);
        finished.count() > usize::from(has_results)
    }

    fn accept(&mut self, start: u64) {
        let Some(done) = self.done.remove(&start) else { return };
        self.now += 0.25 * self.world.hand_over;
        let (items, seconds, result_bytes) = (done.len as usize, done.seconds, self.world.bytes);
        self.worked += done.seconds;
        let Done { clocks, blocked, runner, .. } = done;
        let is_undisturbed = done.finish <= self.manned;
        self.pilot.ran(Ran { items, seconds, clocks, blocked, result_bytes, runner, is_undisturbed, ..Ran::default() });
        let at = self.at();
        let finished = self.done.values().filter(|done| done.finish <= self.now);
        let (ready, seconds) = finished.fold((0, 0.0), |(len, sum), done| (len + done.len, sum + done.seconds));
        let remaining = self.remaining();
        let (results, worked) = (self.accepted + done.len + ready, self.worked + seconds);
        self.pilot.check(at, Made { results, worked, ..Made::default() }, remaining);
        self.consume(done.len);
    }

    /// The consumer runs a waiting chunk itself.
    fn help(&mut self) -> bool {
        if self.is_alone() {
            // Threads finish what they run first.
            self.now = self.threads.iter().copied().fold(self.now, f64::max);
        }
        let Some(mut chunk) = self.queue.pop_front() else { return false };
        let alone = self.pilot.chunk_alone().max(1) as u64;
        if self.is_alone() && chunk.len > alone {
            self.queue.push_front(Chunk { start: chunk.start + alone, len: chunk.len - alone, ..chunk });
            chunk.len = alone;
        }
        let begin = self.now;
        let running = 1 + self.running(begin);
        let runner = if self.is_alone() { Runner::Alone } else { Runner::Consumer };
        self.now = self.execute(&chunk, begin, running, runner);
        self.helped = (begin, self.now);
        true
    }

    /// Moves the clock to the next result, or to where a thread takes the chunk that it needs.
    fn wait(&mut self) {
        let until = match (self.next_finish(), self.queue.front()) {
            (Some((_, finish)), _) => finish,
            (None, Some(chunk)) => self.next_start(chunk).1,
            (None, None) => self.done.values().map(|done| done.finish).fold(f64::MAX, f64::min),
        };
        let slept = until - self.now > ASLEEP;
        while let Some(chunk) = self.queue.front() {
            let start = self.next_start(chunk).1;
            if start > until {
                break;
            }
            self.now = self.now.max(start);
            self.advance();
        }
        self.now = self.now.max(until) + if slept { 0.1 * self.world.wake } else { 0.0 };
    }
}
