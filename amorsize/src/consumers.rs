//! Which threads of this process are at work as consumers of streams: each does the work of a plain loop at least, so
//! where there are as many as processors, threads beside them only take turns with them.
//!
//! A consumer says for how long it will be busy at most, since nobody tells when it goes to do something else; a stream
//! that is kept and not read is forgotten after that. Streams of the same thread are one consumer: one is the source of
//! the other, or is run by its function. Nor is a stream of its own what a function runs on a thread of another stream:
//! it does that one's work.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::epoch::nanos;

/// Places for consumers. Of more at the same time some share one, and count as one: there are enough by then.
const SEATS: usize = 256;

/// When consumers are at work, by their seats.
struct Seats {
    /// [Nanoseconds](nanos) until when whoever has the seat is at work at most; 0: nobody is.
    busy_until: [AtomicU64; SEATS],
    /// Seats that were given away so far, some more than once.
    given: AtomicUsize,
}

static HERE: Seats = Seats::new();

thread_local! {
    static SEAT: Cell<Option<usize>> = const { Cell::new(None) };
    /// The thread runs chunks of a stream whose consumer is another thread.
    static HELPS: Cell<bool> = const { Cell::new(false) };
}

impl Seats {
    const fn new() -> Self {
        Self { busy_until: [const { AtomicU64::new(0) }; SEATS], given: AtomicUsize::new(0) }
    }

    fn take(&self) -> usize {
        self.given.fetch_add(1, Relaxed) % SEATS
    }

    fn tell(&self, seat: usize, until: u64) {
        self.busy_until[seat].store(until, Relaxed);
    }

    /// Seats besides one's own of which somebody is at work `now`.
    fn others(&self, own: Option<usize>, now: u64) -> usize {
        let taken = self.given.load(Relaxed).min(SEATS);
        (0..taken).filter(|&seat| Some(seat) != own && self.busy_until[seat].load(Relaxed) > now).count()
    }
}

/// The calling thread is the consumer of a stream, and busy with that from `now` on for so long at most, or not at all.
pub(crate) fn tell(now: Instant, most: Option<Duration>) {
    if HELPS.get() {
        return;
    }
    let seat = SEAT.get().unwrap_or_else(|| {
        let seat = HERE.take();
        SEAT.set(Some(seat));
        seat
    });
    HERE.tell(seat, most.map_or(0, |most| nanos(now + most)));
}

/// The calling thread's stream has ended, or waits.
pub(crate) fn rest() {
    if let Some(seat) = SEAT.get().filter(|_| !HELPS.get()) {
        HERE.tell(seat, 0);
    }
}

/// Other threads that are consumers at work `now`.
pub(crate) fn others(now: Instant) -> usize {
    HERE.others(SEAT.get(), nanos(now))
}

/// The calling thread runs chunks for somebody else's stream until this is dropped.
pub(crate) struct Helping {
    helped_before: bool,
}

impl Helping {
    pub(crate) fn begin() -> Self {
        Self { helped_before: HELPS.replace(true) }
    }
}

impl Drop for Helping {
    fn drop(&mut self) {
        HELPS.set(self.helped_before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_at_work_is_known_until_they_rest_or_should_have_been_heard_of() {
        let seats = Seats::new();
        let [one, other] = [seats.take(), seats.take()];
        let seen = |now| [None, Some(one), Some(other)].map(|own| seats.others(own, now));
        assert_eq!(seen(0), [0, 0, 0]);
        seats.tell(one, 100);
        seats.tell(other, 200);
        assert_eq!([seen(99), seen(100), seen(200)], [[2, 1, 1], [1, 1, 0], [0, 0, 0]]);
        seats.tell(other, 0);
        assert_eq!(seen(0), [1, 0, 1]);
    }

    #[test]
    fn more_consumers_than_seats_count_as_fewer() {
        let seats = Seats::new();
        (0..3 * SEATS).for_each(|_| seats.tell(seats.take(), 1));
        assert_eq!(seats.others(None, 0), SEATS);
    }

    #[test]
    fn what_a_function_runs_on_a_thread_of_another_stream_is_no_stream_of_its_own() {
        let now = Instant::now();
        let most = Some(Duration::from_secs(1));
        std::thread::spawn(move || {
            let helping = Helping::begin();
            drop(Helping::begin());
            tell(now, most);
            assert_eq!(SEAT.get(), None);
            drop(helping);
            tell(now, most);
            assert!(SEAT.get().is_some_and(|seat| HERE.busy_until[seat].load(Relaxed) > nanos(now)));
            rest();
            assert!(SEAT.get().is_some_and(|seat| HERE.busy_until[seat].load(Relaxed) == 0));
        })
        .join()
        .expect("all as thought");
    }
}
