//! The first item of a function of which nothing is known, and what threads do while the consumer runs it.

use super::{Chunk, Engine};
use crate::decide::early::{self, Seen};
use crate::decide::observed::{Clocks, Runner};
use crate::decide::timing::THREAD_START;
use crate::decide::verdict::FIRST_BLOCKING_THREADS;

/// Items that were pulled ahead.
struct Ahead {
    /// When the first item begins and ends.
    begin: f64,
    finish: f64,
    /// The next item that a thread takes, and where they end.
    next: u64,
    end: u64,
    /// Items that there may be in all.
    items: u64,
    /// Seconds since the beginning at which somebody looks in next.
    look: f64,
}

impl Engine<'_> {
    /// Runs the first item while others, pulled ahead, are for threads that somebody wakes; false where there are none.
    pub(super) fn first_item(&mut self) -> bool {
        let (start, source) = (self.pulled, self.world.source);
        let count = (self.pilot.items_ahead() as u64).min(self.left().saturating_sub(1));
        if count == 0 {
            return false;
        }
        let clocks = self.pilot.clocks();
        let items = self.remaining().upper.unwrap_or(u64::MAX);
        self.pulled += 1 + count;
        self.now += source * (1 + count) as f64;
        self.pilot.pulled_ahead(count as usize, source);
        let begin = self.now;
        let finish =
            self.execute(&Chunk { start, len: 1, pushed: begin, clocks, expected: 0.0 }, begin, 1, Runner::Consumer);
        self.helped = (begin, finish);
        self.threads = vec![begin + self.world.wake; self.pilot.threads().saturating_sub(1)];
        let look = early::first_look(self.world.cores);
        let mut ahead = Ahead { begin, finish, next: start + 1, end: start + 1 + count, items, look };
        if self.go_ahead(&mut ahead) {
            self.pilot.found_waiting(self.threads.len());
            let blocked = self.world.blocked(1);
            if let Some(done) = self.done.get_mut(&start) {
                (done.blocked, done.clocks) = (done.blocked.or(Some(blocked)), Clocks::All);
            }
        }
        self.now = finish;
        let taken = (ahead.next - start - 1) as usize;
        self.pilot.took_ahead(taken, source * taken as f64);
        self.accept(start);
        self.hand_over_ahead(ahead);
        true
    }

    /// Lets threads take items until the first one ends; whether all were found waiting.
    fn go_ahead(&mut self, ahead: &mut Ahead) -> bool {
        let mut waits = false;
        while ahead.next < ahead.end {
            let free = self.threads.iter().copied().fold(f64::MAX, f64::min);
            let look = ahead.begin + ahead.look;
            if free.min(look) >= ahead.finish {
                break;
            }
            if look <= free {
                waits = self.look_in(ahead);
                ahead.look = if waits { f64::MAX } else { early::next_look(ahead.look) };
            } else {
                self.take_ahead(ahead, free);
            }
        }
        waits
    }

    /// Wakes the threads that the first item is worth by now; whether all who run one wait.
    fn look_in(&mut self, ahead: &Ahead) -> bool {
        let now = ahead.begin + ahead.look;
        let most = |threads: usize, present: usize| threads.min((ahead.end - ahead.next) as usize + present);
        let waits = early::waiting_share(&self.see(ahead.begin, now)).is_some();
        if waits {
            let most = most(FIRST_BLOCKING_THREADS, self.threads.len());
            while self.threads.len() < most {
                self.threads.push(now + THREAD_START * self.threads.len() as f64);
            }
        } else {
            let threads = early::threads(ahead.look, self.world.cores, ahead.items) - 1;
            let most = most(threads, self.threads.len()).max(self.threads.len());
            self.threads.resize(most, now + self.world.wake);
        }
        waits
    }

    /// Has the thread that is free at `free` take an item.
    fn take_ahead(&mut self, ahead: &mut Ahead, free: f64) {
        let thread = self.threads.iter().position(|&thread| thread == free).unwrap_or(0);
        let clocks = if self.done.len() == 1 { Clocks::All } else { Clocks::Wall };
        let running = 1 + self.running(free);
        let chunk = Chunk { start: ahead.next, len: 1, pushed: free, clocks, expected: 0.0 };
        self.threads[thread] = self.execute(&chunk, free, running, Runner::Thread);
        ahead.next += 1;
    }

    /// How somebody finds those who have run the first items since `begin`, at a moment.
    fn see(&self, begin: f64, at: f64) -> Vec<Seen> {
        let computing = self.world.computing * self.today;
        let see = |since: f64| Seen { since, used: since.min(computing), sleeps: since > computing };
        let started = self.threads.iter().take(1).filter(|&&free| free > at).map(|_| begin + self.world.wake);
        std::iter::once(begin).chain(started).map(|start| see(at - start)).collect()
    }

    /// What no thread has taken goes the usual way.
    fn hand_over_ahead(&mut self, Ahead { mut next, end, .. }: Ahead) {
        while next < end {
            let clocks = self.pilot.clocks();
            let len = self.pilot.chunk_ahead((end - next) as usize) as u64;
            self.pilot.pulled(len as usize, self.world.source * len as f64);
            let expected = self.pilot.costs().item * len as f64;
            self.queue.push_back(Chunk { start: next, len, pushed: self.now, clocks, expected });
            next += len;
        }
    }
}
