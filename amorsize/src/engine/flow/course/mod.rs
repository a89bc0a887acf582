//! What a run has come to, and what the pilot is told of it: all of the [flow](super) that knows nothing of items,
//! results and the function. (Generic code is compiled once more for each function, this is not.)
//!
//! - here: what was taken and yielded, the plain loop, the end
//! - [`beginning`]: what earlier runs say, and each step
//! - [`threads`]: where tickets go, and how long the consumer waits

mod beginning;
mod threads;

use std::panic::Location;
use std::time::{Duration, Instant};

use super::tickets::Tickets;
use crate::consumers;
use crate::decide::input::Remaining;
use crate::decide::observed::{Made, Position, Ran};
use crate::decide::pace::Pace;
use crate::decide::pilot::Pilot;
use crate::decide::refill::Refill;
use crate::decide::situation::{Kind, Owns, Situation};
use crate::engine::chunk::{Batch, BatchCost, How, Room};
use crate::engine::clock::Delays;
use crate::engine::heap::{self, Upkeep};
use crate::engine::queue::Standing;
use crate::engine::wake;
use crate::fingerprint::Identity;
use crate::learn::experience::Experience;
use crate::machine;
use crate::options::Options;
use crate::quiet::quietly;
use crate::report::Report;
use threads::Configured;
pub(super) use threads::Ticket;

/// See the module.
pub(crate) struct Course {
    pub(super) pilot: Box<Pilot>,
    experience: Experience,
    /// What the queue was told.
    configured: Option<Configured>,
    pub(super) tickets: Tickets,
    /// Results that the stream was given before somebody wanted to see the plan, and has not yielded: while it is
    /// made.
    pub(super) unread: usize,
    /// How many items that were pulled ahead are lent to the plain loop.
    pub(super) lent: usize,
    /// Results of a trial that are not yet yielded.
    backlog: u64,
    pub(super) exhausted: bool,
    /// The function's panic is on its way to the consumer, if it is not there: nothing that comes after it is ever
    /// seen.
    pub(super) has_panicked: bool,
    pub(super) began: Option<Instant>,
    /// Time that does not count, since later runs do not have to spend it again: starting a pool.
    pub(super) set_up: Duration,
    ended: Option<Instant>,
    /// The stream was dropped before its end.
    is_left: bool,
    /// When the consumer was given how many results that it now comes back from.
    handed: Option<(Instant, usize)>,
    /// The plain loop, while it runs.
    pace: Option<Pace>,
    /// The plain loop runs what was pulled ahead.
    is_ahead: bool,
    pub(super) upkeep: Upkeep,
    /// The consumer's.
    pub(super) delays: Delays,
    /// Items taken from the source, without those that are lent.
    pub(super) pulled: u64,
    pub(super) accepted: u64,
    pub(super) waits: u64,
}

impl Course {
    /// The course of a run that begins here, at `place`.
    pub(crate) fn begin(identity: Identity, place: &'static Location<'static>, options: &Options, kind: Kind) -> Self {
        let experience = Experience::new(identity, place, options);
        let pilot = Box::new(Pilot::new(options.clone(), Situation::here(kind)).of(identity.site.name));
        Self {
            upkeep: Upkeep::of_consumer(pilot.situation().owns != Owns::Nothing),
            delays: Delays::default(),
            pilot,
            experience,
            configured: None,
            tickets: Tickets::default(),
            unread: 0,
            lent: 0,
            backlog: 0,
            exhausted: false,
            has_panicked: false,
            began: None,
            set_up: Duration::ZERO,
            ended: None,
            is_left: false,
            handed: None,
            pace: None,
            is_ahead: false,
            pulled: 0,
            accepted: 0,
            waits: 0,
        }
    }

    /// What is believed of what the source says of its rest, with so many items that were pulled `ahead` of it.
    pub(super) fn remaining(&self, hint: impl FnOnce() -> (usize, Option<usize>), ahead: usize) -> Remaining {
        let remaining = if self.exhausted { Remaining::NONE } else { Remaining::from_hint(hint()) };
        self.experience.believed(remaining).and(ahead as u64)
    }

    /// Items taken from the source by the flow.
    pub(super) fn taken(&self) -> u64 {
        self.pulled + self.lent as u64
    }

    /// Items taken from the source and not yet handed to the stream.
    pub(super) fn in_flight(&self) -> u64 {
        self.taken() - self.accepted
    }

    /// Items taken from the source and not yet yielded, without those `ahead` that can still be taken as if from it.
    pub(super) fn held(&self, ahead: usize) -> usize {
        self.in_flight() as usize + self.unread - ahead
    }

    /// Source index of the next result that is to be had.
    pub(super) fn next_result(&self) -> u64 {
        self.accepted + self.backlog
    }

    /// So many results of a trial are kept until they are asked for.
    pub(super) fn keep(&mut self, results: usize) {
        self.backlog += results as u64;
    }

    /// So many of those that were kept are on their way to the consumer.
    pub(super) fn take_kept(&mut self, results: usize) {
        self.backlog -= results as u64;
    }

    /// How chunks of so many items are run.
    pub(super) fn how(&self, items: usize) -> How {
        let seconds = self.pilot.costs().item * items as f64;
        How {
            clocks: self.pilot.clocks(),
            stride: self.pilot.stride(),
            expected: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            has_pinned_size: self.pilot.options().chunk_size.is_some(),
        }
    }

    pub(super) fn room(&self) -> Room {
        if self.pilot.is_like_loop() { Room::LikeLoop } else { Room::Exact }
    }

    /// The run is over: what it teaches is left behind.
    pub(super) fn close(&mut self) {
        if self.ended.is_none() {
            consumers::rest();
            let now = Instant::now();
            self.ended = Some(now);
            // Whoever listens to what is told then may panic, and this may be a drop.
            quietly(|| self.leave_experience(now));
        }
    }

    /// The run is over, and teaches nothing: how far it came and what it took is not known.
    pub(super) fn interrupt(&mut self, has_item: bool) {
        self.pulled += u64::from(has_item);
        consumers::rest();
        self.ended.get_or_insert_with(Instant::now);
        self.pace = None;
    }

    /// The run is over, before the plain loop came to its end; `left` items of it were not run.
    pub(super) fn abandon(&mut self, left: usize) {
        self.looped(Instant::now(), left);
        self.pace = None;
        self.is_left = !self.exhausted || self.in_flight() > 0;
    }

    fn leave_experience(&mut self, now: Instant) {
        let Some(began) = self.began else { return };
        let at = self.position_at(now);
        wake::forwent(self.pilot.forgone());
        let stretches = self.pilot.finish(at);
        self.experience.leave(&stretches, self.accepted, self.is_left, now - began);
    }

    pub(super) fn report(&self, looped: u64, unread: u64) -> Report {
        let plan = self.pilot.plan().cloned();
        let since = |began: Instant| self.ended.unwrap_or_else(Instant::now) - began;
        let (items_in, items_out) = (self.taken() + looped, self.accepted + looped - unread);
        // A window that has just become smaller is still full of what was taken before.
        let buffer_size = self.pilot.bound_now().max((items_in - items_out) as usize).max(1);
        Report {
            threads: self.pilot.threads(),
            chunk_size: self.pilot.usual_chunk(),
            buffer_size,
            plan,
            items_in,
            items_out,
            elapsed: self.began.map_or(Duration::ZERO, since),
            item_time: Duration::from_secs_f64(self.pilot.item_time(self.ended.is_some())),
            waits: self.waits,
            plans: self.pilot.plans(),
        }
    }

    pub(super) fn position(&mut self) -> Position {
        self.position_at(Instant::now())
    }

    fn position_at(&mut self, now: Instant) -> Position {
        let began = *self.began.get_or_insert(now);
        let running = (now - began).saturating_sub(self.set_up);
        Position { now: running.as_secs_f64(), yielded: self.accepted }
    }

    /// Tells the pilot what the consumer did since the last call.
    pub(super) fn settle_account(&mut self, called: Instant, remaining: Remaining) {
        if self.began.is_none() {
            return;
        }
        let at = self.position_at(called);
        if let Some((handed, items)) = self.handed.take() {
            self.pilot.consumed(items, (called - handed).as_secs_f64());
        }
        if let Some(looped) = self.pace.take().and_then(|pace| pace.total(called)) {
            if self.is_ahead {
                self.pilot.looped_ahead(looped, at, remaining);
            } else {
                self.pilot.looped(looped, at, remaining);
            }
        }
    }

    /// The plain loop goes on at its pace, without asking anybody; `left` items of it were not run. How many more it
    /// may run.
    pub(super) fn go_on(&mut self, now: Instant, left: usize) -> Option<usize> {
        self.looped(now, left).map(|items| self.grant(items))
    }

    /// The plain loop is back from what it was granted, but for `left` items; how many more it is to run.
    fn looped(&mut self, now: Instant, left: usize) -> Option<usize> {
        let pace = self.pace.as_mut()?;
        let ran = (pace.granted() - left) as u64;
        self.pulled += ran;
        self.accepted += ran;
        pace.ran(ran as usize, now).filter(|_| self.is_ahead || !self.exhausted)
    }

    /// Begins with a plain loop: of those items that were pulled `ahead`, if there are any. How many it may run.
    pub(super) fn begin_loop(&mut self, items: usize, ahead: usize) -> usize {
        self.is_ahead = ahead > 0;
        let items = if self.is_ahead { ahead } else { items };
        let granted = self.pace.insert(Pace::new(items, self.pilot.costs().serial(), Instant::now())).granted();
        self.grant(granted)
    }

    /// The plain loop may run so many items, of the source or of what was pulled ahead of it.
    fn grant(&mut self, items: usize) -> usize {
        if self.is_ahead {
            self.lent = items;
            self.pulled -= items as u64;
        }
        items
    }

    /// The plain loop takes no more of what was lent to it.
    pub(super) fn take_back(&mut self) {
        self.pulled += std::mem::take(&mut self.lent) as u64;
    }

    /// The consumer is given so many results.
    pub(super) fn hand_over(&mut self, results: usize) {
        self.accepted += results as u64;
        if results > 0 {
            self.handed = Some((Instant::now(), results));
        }
    }

    /// How large the next chunk is, where so many items were pulled `ahead`; `None` while there is no room.
    pub(super) fn next_size(&self, remaining: Remaining, ahead: usize) -> Option<usize> {
        let (wanted, room) = (self.pilot.chunk(remaining), self.pilot.room(self.held(ahead)));
        Refill::size(wanted, room, self.in_flight() - ahead as u64)
    }

    /// Nothing is in flight any more.
    pub(super) fn drained(&mut self) {
        if self.pilot.situation().owns != Owns::Nothing {
            heap::settle();
        }
        let at = self.position();
        self.pilot.drained(at);
    }

    pub(super) fn look_at_memory(&mut self, now: Instant) {
        let Position { now, .. } = self.position_at(now);
        if self.pilot.wants_memory(now) {
            self.pilot.saw_memory(now, machine::memory());
        }
    }

    /// Results have come back from a thread, or from the consumer's own.
    pub(super) fn observe(&mut self, chunk: Ran, standing: Standing, remaining: Remaining) {
        self.pilot.ran(Ran { is_undisturbed: !standing.is_manned, ..chunk });
        let at = self.position();
        let results = self.next_result() + chunk.items as u64 + standing.ready;
        let made = Made { results, worked: standing.worked.as_secs_f64(), delay: standing.delay };
        self.pilot.check(at, made, remaining);
    }
}

/// What the pilot is told of finished results.
pub(super) fn ran<R>(batch: &Batch<R>) -> Ran {
    ran_so(batch.results.len(), &batch.cost)
}

fn ran_so(items: usize, cost: &BatchCost) -> Ran {
    let &BatchCost { elapsed, clocks, delay, result_bytes, runner } = cost;
    let (blocked, busy) = (elapsed.blocked_share(), elapsed.busy());
    let seconds = elapsed.wall.as_secs_f64();
    Ran { items, seconds, clocks, blocked, busy, delay, result_bytes, runner, is_undisturbed: false }
}
