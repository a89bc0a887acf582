//! The threads, and how long they take: which one takes a chunk, when, and when that ends.

use super::{ASLEEP, Chunk, Done, Engine, SLEEPING};
use crate::decide::cut::Cut;
use crate::decide::observed::{Clocks, Runner};
use crate::decide::timing::THREAD_START;
use crate::plan::Pool;

/// Deviation of a chunk's time from what it should be.
const JITTER: f64 = 0.02;

impl Engine<'_> {
    /// Seconds of the function for a chunk while so many threads run.
    pub(super) fn function(&mut self, start: u64, len: u64, threads: usize) -> f64 {
        let slowness = self.slowness();
        self.at_best(start, len, threads) * slowness
    }

    fn at_best(&self, start: u64, len: u64, threads: usize) -> f64 {
        let apart = !self.pilot.is_looping() && self.pilot.plan().is_some() && !self.pilot.waiting().helps;
        self.world.run(start, len, threads, apart)
    }

    fn slowness(&mut self) -> f64 {
        self.today * (1.0 + JITTER * self.chance.normal().abs())
    }

    /// Items of a chunk that are run before what there is is handed in, and the seconds that they take.
    fn front(&mut self, chunk: &Chunk, threads: usize) -> (u64, f64) {
        let slowness = self.slowness();
        let mut cut = Cut::of_chunk(chunk.expected, self.pilot.options().chunk_size.is_some());
        let (mut ran, mut seconds) = (0, 0.0);
        while ran < chunk.len {
            let few = (cut.items() as u64).min(chunk.len - ran);
            seconds += self.at_best(chunk.start + ran, few, threads) * slowness;
            ran += few;
            if cut.check(seconds) {
                break;
            }
        }
        (ran, seconds)
    }

    pub(super) fn configure(&mut self, threads: usize) {
        self.most = threads.max(1);
        self.threads.truncate(self.most);
        if self.pilot.plan().is_none_or(|plan| plan.pool != Pool::Blocking) {
            self.threads.resize(self.most, SLEEPING);
        }
        while self.ready().is_none() && self.start_thread() {}
    }

    /// Threads that wait are started one by one, when there is work for one more.
    pub(super) fn start_thread(&mut self) -> bool {
        let is_idle = |&free: &f64| free <= self.now;
        let starts = self.threads.len() < self.most
            && self.threads.iter().filter(|free| is_idle(free)).count() < self.queue.len();
        if starts {
            self.now += THREAD_START;
            self.threads.push(self.now);
        }
        starts
    }

    /// Lets threads take every chunk that they would have taken by now.
    pub(super) fn advance(&mut self) {
        self.queue_rests();
        if self.is_alone() {
            return;
        }
        while let Some(&chunk) = self.queue.front() {
            let (thread, start) = self.next_start(&chunk);
            if start > self.now {
                return;
            }
            self.queue.pop_front();
            let running = 1 + self.running(start);
            self.threads[thread] = self.execute(&chunk, start, running, Runner::Thread);
            self.queue_rests();
        }
    }

    /// Queues by their places what has been handed in by now.
    fn queue_rests(&mut self) {
        let now = self.now;
        for rest in self.rests.extract_if(.., |rest| rest.pushed <= now) {
            let place = self.queue.partition_point(|chunk| chunk.start < rest.start);
            self.queue.insert(place, rest);
        }
    }

    /// Threads that run at a moment, the consumer's included.
    pub(super) fn running(&self, at: f64) -> usize {
        let helps = (self.helped.0..self.helped.1).contains(&at);
        self.threads.iter().filter(|&&free| free > at).count() + usize::from(helps)
    }

    /// Which thread takes a chunk, and when: one that has slept must wake up first.
    pub(super) fn next_start(&self, chunk: &Chunk) -> (usize, f64) {
        let free = |&thread: &usize| self.threads[thread];
        let thread = (0..self.threads.len()).min_by(|a, b| free(a).total_cmp(&free(b))).unwrap_or(0);
        let idle = chunk.pushed - self.threads[thread];
        let delay = if idle > ASLEEP { self.world.wake } else { 0.0 };
        (thread, self.threads[thread].max(chunk.pushed + delay))
    }

    /// Runs a chunk from `start` on; when it ends.
    pub(super) fn execute(&mut self, chunk: &Chunk, start: f64, running: usize, runner: Runner) -> f64 {
        let (len, seconds) = self.front(chunk, running);
        let finish = start + seconds + 0.5 * self.world.hand_over;
        if runner == Runner::Thread {
            self.manned = self.manned.min(start);
        }
        let (clocks, blocked) = (chunk.clocks, self.blocked(chunk.clocks, running));
        self.done.insert(chunk.start, Done { len, seconds, finish, clocks, blocked, runner });
        if len < chunk.len {
            let (start, len) = (chunk.start + len, chunk.len - len);
            self.rests.push(Chunk { start, len, pushed: finish, clocks: Clocks::Wall, expected: 0.0 });
        }
        finish
    }
}
