//! Items that were pulled ahead, while the consumer runs the first one and can decide nothing: whoever looks in has
//! threads take them one by one. What none has taken by then goes back to the consumer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Queue;
use super::state::State;
use crate::decide::early::Pinned;
use crate::decide::observed::Clocks;
use crate::engine::asleep::Watched;
use crate::engine::chunk::{Chunk, Room, with_room};

/// Most threads that are looked at.
const MOST_SEEN: usize = 4;

/// See the module.
pub(super) struct Ahead<I> {
    items: VecDeque<I>,
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

impl<I> Ahead<I> {
    fn has_work(&self) -> bool {
        !self.items.is_empty() && self.terms.bytes > 0
    }

    /// The items that nobody will run.
    pub(super) fn into_items(self) -> VecDeque<I> {
        self.items
    }

    fn take<R>(&mut self) -> Option<Chunk<I, R>> {
        if !self.has_work() {
            return None;
        }
        let item = self.items.pop_front()?;
        // One of them tells whether the function waits, if the first one cannot.
        let clocks = if self.taken == 0 { Clocks::All } else { Clocks::Wall };
        let start = self.next;
        self.next += 1;
        self.taken += 1;
        let mut items = with_room(1, Room::Apart);
        items.push(item);
        Some(Chunk::apart(start, items, clocks, false))
    }
}

impl<I, R> State<I, R> {
    /// How many tickets were claimed for what may be taken from now on.
    fn open_ahead(&mut self, next: u64, items: VecDeque<I>, terms: Terms) -> usize {
        let tickets = terms.tickets.min(items.len());
        self.tickets += tickets;
        self.ahead = Some(Box::new(Ahead {
            items,
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

    /// The next item that was pulled ahead.
    pub(super) fn take_ahead(&mut self) -> Option<Chunk<I, R>> {
        self.ahead.as_mut().and_then(|ahead| ahead.take())
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
}

impl<W, I, R> Queue<W, I, R> {
    /// The consumer is about to run the first item; those that follow on it, from `next` on, may be taken meanwhile.
    /// How many tickets were claimed for that, which the caller launches. [`Queue::close_ahead`] must follow.
    pub(crate) fn open_ahead(&self, next: u64, items: VecDeque<I>, terms: Terms) -> usize {
        let mut state = self.lock();
        let tickets = state.open_ahead(next, items, terms);
        state.run_ahead();
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
        let tickets = state.tickets;
        let Some(ahead) = &mut state.ahead else { unreachable!("only the consumer closes it") };
        ahead.items.extend(items);
        if ahead.waiting_share.is_some() {
            return Added::WhereTheyWait;
        }
        if !ahead.has_work() || tickets >= ahead.terms.tickets {
            return Added::Alone;
        }
        state.tickets += 1;
        Added::WithTicket
    }

    /// The item that the consumer is about to run, with its place in the source: the first one, or the next if threads
    /// have taken that. None where they take all that there is, since the function waits, or as many run as may.
    pub(crate) fn take_first(&self) -> Option<(u64, I)> {
        let mut state = self.lock();
        let is_full = state.running >= state.limit;
        let ahead = state.ahead.as_mut()?;
        let is_first = ahead.taken == 0;
        if !is_first && (is_full || ahead.waiting_share.is_some() || !ahead.has_work()) {
            return None;
        }
        let item = (ahead.next, ahead.items.pop_front()?);
        ahead.next += 1;
        state.run_ahead();
        Some(item)
    }

    /// The consumer has run the first item.
    pub(crate) fn close_ahead(&self) -> Option<Left<I>> {
        let mut state = self.lock();
        let Ahead { items, taken, limit, waiting_share, .. } = *state.ahead.take()?;
        let (threads, epoch) = (state.limit, state.epoch);
        let waiting = waiting_share.map(|share| FoundWaiting { share, threads, epoch });
        if waiting.is_none() {
            state.limit = limit;
        }
        Some(Left { items, taken, waiting })
    }

    /// How long the first item has run, as long as it does and there is something to do for others.
    pub(crate) fn find_ahead(&self) -> Option<Found> {
        let state = self.lock();
        let ahead = state.ahead.as_ref().filter(|ahead| ahead.has_work() && ahead.waiting_share.is_none())?;
        let Ahead { terms, is_shared, .. } = **ahead;
        Some(Found { since: ahead.since.elapsed(), terms, is_shared, runners: ahead.runners.clone() })
    }

    /// Tickets for as many more threads as make `threads`, the consumer among them.
    pub(crate) fn claim_ahead(&self, threads: usize) -> Claimed {
        let mut state = self.lock();
        let epoch = state.epoch;
        let wanted = (threads.saturating_sub(1)).saturating_sub(state.tickets);
        let Some(ahead) = &mut state.ahead else { return Claimed { tickets: 0, epoch } };
        let tickets = wanted.min(ahead.items.len());
        state.tickets += tickets;
        state.limit = state.limit.max(threads);
        Claimed { tickets, epoch }
    }

    /// The function waits for this share of its time: tickets for so many threads of another pool, those that run an
    /// item already among them. `None` where as many run already.
    pub(crate) fn claim_waiting(&self, threads: usize, share: f64) -> Option<Claimed> {
        let mut state = self.lock();
        let more = threads.checked_sub(state.running).filter(|&more| more > 0)?;
        let ahead = state.ahead.as_mut()?;
        ahead.waiting_share = Some(share);
        let tickets = more.min(ahead.items.len());
        state.limit = threads;
        state.epoch += 1;
        state.tickets = tickets;
        state.awaited = None;
        Some(Claimed { tickets, epoch: state.epoch })
    }
}
