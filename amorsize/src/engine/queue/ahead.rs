//! Items that were pulled ahead, while the consumer runs the first one and can decide nothing: whoever looks in has
//! threads take them one by one. What none has taken by then goes back to the consumer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Queue;
use super::staff::Staff;
use super::state::State;
use crate::decide::early::Pinned;
use crate::decide::observed::Clocks;
use crate::engine::asleep::Watched;
use crate::engine::chunk::{Chunk, Room, with_room};

/// Most threads that are looked at.
const MOST_SEEN: usize = 4;

/// See the module.
pub(super) struct Ahead {
    /// Source index of the first of these items.
    next: u64,
    taken: usize,
    /// Since when the first item runs.
    since: Instant,
    terms: Terms,
    /// The limit of threads for later.
    limit: usize,
    /// Whether threads of the pool that all share may take part: the consumer is in none of its own.
    is_shared: bool,
    /// Somebody was asked to look in.
    is_watched: bool,
    /// Some of those who run the first items.
    runners: Vec<Watched>,
    waiting_share: Option<f64>,
}

/// What the consumer hands over with the items.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Threads that may compute at the same time, as far as is known.
    pub(crate) cores: usize,
    /// Items that there may be in all.
    pub(crate) items: u64,
    /// Most threads, the consumer among them.
    pub(crate) most: usize,
    /// What the user states of threads.
    pub(crate) pinned: Pinned,
    /// Bytes of results that may be made ahead.
    pub(crate) bytes: usize,
    /// Most tickets that the consumer launches. With none it asks somebody to look in; otherwise the first thread
    /// does.
    pub(crate) tickets: usize,
}

/// What is left when the consumer comes back.
pub(crate) struct Left<I> {
    pub(crate) items: VecDeque<I>,
    pub(crate) taken: usize,
    pub(crate) waiting: Option<FoundWaiting>,
}

/// The function was found waiting for this share of its time, and has got so many threads for that, since this epoch.
#[derive(Clone, Copy)]
pub(crate) struct FoundWaiting {
    pub(crate) share: f64,
    pub(crate) threads: usize,
    pub(crate) epoch: u32,
}

/// What whoever looks in finds.
pub(crate) struct Found {
    /// For how long the first item has run.
    pub(crate) since: Duration,
    pub(crate) terms: Terms,
    pub(crate) is_shared: bool,
    pub(crate) runners: Vec<Watched>,
}

/// What became of items that were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// There is a ticket, whose thread comes for them.
    Alone,
    /// A ticket was claimed for them, which the caller launches.
    WithTicket,
    /// The function was found waiting, and threads for that have what there is: nothing more is to be added.
    WhereTheyWait,
}

/// Tickets to launch.
#[derive(Clone, Copy)]
pub(crate) struct Claimed {
    pub(crate) tickets: usize,
    pub(crate) epoch: u32,
}

impl Ahead {
    /// Whether more of so many items may be run.
    fn has_work(&self, items: usize) -> bool {
        items > 0 && self.terms.bytes > 0
    }

    /// The place in the source of the next item, which is taken.
    fn take_place(&mut self) -> u64 {
        let place = self.next;
        self.next += 1;
        place
    }
}

impl Staff {
    /// How many tickets were claimed for what may be taken from now on, which is so many items.
    fn open_ahead(&mut self, next: u64, items: usize, terms: Terms) -> usize {
        let tickets = terms.tickets.min(items);
        self.tickets += tickets;
        self.ahead = Some(Box::new(Ahead {
            next,
            taken: 0,
            since: Instant::now(),
            terms,
            limit: self.limit,
            is_shared: rayon::current_thread_index().is_none(),
            is_watched: terms.tickets == 0,
            runners: Vec::new(),
            waiting_share: None,
        }));
        tickets
    }

    /// The consumer runs the first item.
    fn run_ahead(&mut self) {
        self.running += 1;
        if let Some(ahead) = &mut self.ahead {
            ahead.since = Instant::now();
            ahead.runners.extend(Watched::here());
        }
    }

    /// Where the next of so many items that were pulled ahead is in the source, for a thread that takes it, and the
    /// clocks to be read around it.
    fn take_ahead(&mut self, items: usize) -> Option<(u64, Clocks)> {
        let ahead = self.ahead.as_mut().filter(|ahead| ahead.has_work(items))?;
        // One of them tells whether the function waits, if the first one cannot.
        let clocks = if ahead.taken == 0 { Clocks::All } else { Clocks::Wall };
        ahead.taken += 1;
        Some((ahead.take_place(), clocks))
    }

    /// Items were added, and there are so many now; what becomes of them.
    fn add_ahead(&mut self, items: usize) -> Added {
        let Some(ahead) = &self.ahead else { unreachable!("only the consumer closes it") };
        if ahead.waiting_share.is_some() {
            return Added::WhereTheyWait;
        }
        if !ahead.has_work(items) || self.tickets >= ahead.terms.tickets {
            return Added::Alone;
        }
        self.tickets += 1;
        Added::WithTicket
    }

    /// Where the item is in the source, of so many, that the consumer is about to run.
    fn take_first(&mut self, items: usize) -> Option<u64> {
        let is_full = self.running >= self.limit;
        let ahead = self.ahead.as_mut()?;
        let is_first = ahead.taken == 0;
        if items == 0 || (!is_first && (is_full || ahead.waiting_share.is_some() || !ahead.has_work(items))) {
            return None;
        }
        let place = ahead.take_place();
        self.run_ahead();
        Some(place)
    }

    /// The consumer has run the first item: how many others threads have taken, and what was found out.
    fn close_ahead(&mut self) -> Option<(usize, Option<FoundWaiting>)> {
        let Ahead { taken, limit, waiting_share, .. } = *self.ahead.take()?;
        let (threads, epoch) = (self.limit, self.epoch);
        let waiting = waiting_share.map(|share| FoundWaiting { share, threads, epoch });
        if waiting.is_none() {
            self.limit = limit;
        }
        Some((taken, waiting))
    }

    /// Counts results of so many bytes that were made; or of any number, where what follows is never seen.
    pub(super) fn count_ahead(&mut self, bytes: usize) {
        self.ahead.iter_mut().for_each(|ahead| ahead.terms.bytes = ahead.terms.bytes.saturating_sub(bytes));
    }

    /// Notes that the calling thread runs an item, or none any more; how many cores there are, if it is to have
    /// somebody look in.
    pub(super) fn sign_ahead(&mut self, runs: bool) -> Option<usize> {
        let ahead = self.ahead.as_mut()?;
        if let Some(this) = Watched::here() {
            ahead.runners.retain(|runner| !runner.is(&this));
            if runs && ahead.runners.len() < MOST_SEEN {
                ahead.runners.push(this);
            }
        }
        (runs && !std::mem::replace(&mut ahead.is_watched, true)).then_some(ahead.terms.cores)
    }

    /// How long the first item has run, as long as there is something to do for others, of so many items.
    fn find_ahead(&self, items: usize) -> Option<Found> {
        let ahead = self.ahead.as_ref().filter(|ahead| ahead.has_work(items) && ahead.waiting_share.is_none())?;
        let Ahead { terms, is_shared, .. } = **ahead;
        Some(Found { since: ahead.since.elapsed(), terms, is_shared, runners: ahead.runners.clone() })
    }

    /// Tickets for as many more threads as make `threads`, the consumer among them, if there are so many items.
    fn claim_ahead(&mut self, items: usize, threads: usize) -> Claimed {
        let epoch = self.epoch;
        if self.ahead.is_none() {
            return Claimed { tickets: 0, epoch };
        }
        let tickets = (threads.saturating_sub(1)).saturating_sub(self.tickets).min(items);
        self.tickets += tickets;
        self.limit = self.limit.max(threads);
        Claimed { tickets, epoch }
    }

    /// The function waits for this share of its time: tickets for so many threads of another pool, those that run an
    /// item already among them, if there are so many items.
    fn claim_waiting(&mut self, items: usize, threads: usize, share: f64) -> Option<Claimed> {
        let more = threads.checked_sub(self.running).filter(|&more| more > 0)?;
        self.ahead.as_mut()?.waiting_share = Some(share);
        let tickets = more.min(items);
        self.limit = threads;
        self.epoch += 1;
        self.tickets = tickets;
        self.awaited = None;
        Some(Claimed { tickets, epoch: self.epoch })
    }
}

impl<I, R> State<I, R> {
    /// The next item that was pulled ahead.
    pub(super) fn take_ahead(&mut self) -> Option<Chunk<I, R>> {
        let (start, clocks) = self.staff.take_ahead(self.ahead.len())?;
        let mut items = with_room(1, Room::Apart);
        items.extend(self.ahead.pop_front());
        Some(Chunk::apart(start, items, clocks, false))
    }

    fn open_ahead(&mut self, next: u64, items: VecDeque<I>, terms: Terms) -> usize {
        self.ahead = items;
        self.staff.open_ahead(next, self.ahead.len(), terms)
    }
}

impl<W, I, R> Queue<W, I, R> {
    /// The consumer is about to run the first item; those that follow on it, from `next` on, may be taken meanwhile.
    /// How many tickets were claimed for that, which the caller launches. [`Queue::close_ahead`] must follow.
    pub(crate) fn open_ahead(&self, next: u64, items: VecDeque<I>, terms: Terms) -> usize {
        let mut state = self.lock();
        let tickets = state.open_ahead(next, items, terms);
        state.staff.run_ahead();
        tickets
    }

    /// Threads may take the first item and those that follow on it, from `first` on, while the consumer pulls more.
    /// How many tickets were claimed for that, which the caller launches. [`Queue::close_ahead`] must follow.
    pub(crate) fn offer_ahead(&self, first: u64, items: VecDeque<I>, terms: Terms) -> usize {
        self.lock().open_ahead(first, items, terms)
    }

    /// Adds what was pulled while the first item is offered, or run; what became of it.
    pub(crate) fn add_ahead(&self, items: impl IntoIterator<Item = I>) -> Added {
        let mut state = self.lock();
        state.ahead.extend(items);
        let items = state.ahead.len();
        state.staff.add_ahead(items)
    }

    /// The item that the consumer is about to run, with its place in the source: the first one, or the next if threads
    /// have taken that. None where they take all that there is, since the function waits, or as many run as may.
    pub(crate) fn take_first(&self) -> Option<(u64, I)> {
        let mut state = self.lock();
        let items = state.ahead.len();
        let place = state.staff.take_first(items)?;
        state.ahead.pop_front().map(|item| (place, item))
    }

    /// The consumer has run the first item.
    pub(crate) fn close_ahead(&self) -> Option<Left<I>> {
        let mut state = self.lock();
        let (taken, waiting) = state.staff.close_ahead()?;
        Some(Left { items: std::mem::take(&mut state.ahead), taken, waiting })
    }

    /// How long the first item has run, as long as it does and there is something to do for others.
    pub(crate) fn find_ahead(&self) -> Option<Found> {
        let state = self.lock();
        state.staff.find_ahead(state.ahead.len())
    }

    /// Tickets for as many more threads as make `threads`, the consumer among them.
    pub(crate) fn claim_ahead(&self, threads: usize) -> Claimed {
        let mut state = self.lock();
        let items = state.ahead.len();
        state.staff.claim_ahead(items, threads)
    }

    /// The function waits for this share of its time: tickets for so many threads of another pool, those that run an
    /// item already among them. `None` where as many run already.
    pub(crate) fn claim_waiting(&self, threads: usize, share: f64) -> Option<Claimed> {
        let mut state = self.lock();
        let items = state.ahead.len();
        state.staff.claim_waiting(items, threads, share)
    }
}
