//! Looks in on the first items of a stream while its consumer runs one, and launches the threads that those are worth.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::asleep::{Watched, others_running};
use super::launch::{Detached, Launch};
use super::queue::{Claimed, Found, Queue};
use super::target::Slot;
use crate::alarm::{self, Job};
use crate::decide::early::{self, Seen};
use crate::decide::situation::{Kind, Situation};
use crate::decide::verdict::FIRST_BLOCKING_THREADS;
use crate::decide::waits;
use crate::pool::{self, start_global};
use crate::quiet::drop_quietly;
use crate::work::Work;

/// A stream that can be looked in on: its queue, whatever is in it.
trait Stream: Send + Sync {
    fn find_ahead(&self) -> Option<Found>;
    fn claim_ahead(&self, threads: usize) -> Claimed;
    fn claim_waiting(&self, threads: usize, share: f64) -> Option<Claimed>;
    fn return_ticket(&self, epoch: u32);
    fn launch(self: Arc<Self>, slot: Slot, epoch: u32) -> bool;
}

impl<W, I, R> Stream for Queue<W, I, R>
where
    W: Work<I, Output = R> + Send + Sync + 'static,
    I: Send + 'static,
    R: Send + 'static,
{
    fn find_ahead(&self) -> Option<Found> {
        self.find_ahead()
    }

    fn claim_ahead(&self, threads: usize) -> Claimed {
        self.claim_ahead(threads)
    }

    fn claim_waiting(&self, threads: usize, share: f64) -> Option<Claimed> {
        self.claim_waiting(threads, share)
    }

    fn return_ticket(&self, epoch: u32) {
        self.return_ticket(epoch);
    }

    fn launch(self: Arc<Self>, slot: Slot, epoch: u32) -> bool {
        Detached.launch(slot, self, epoch)
    }
}

/// Looks in on a queue from now on, ever more seldom, as long as its consumer runs the first item; where there are, as
/// far as is known, so many cores.
pub(super) fn look_after<W, I, R>(queue: &Arc<Queue<W, I, R>>, cores: usize)
where
    W: Work<I, Output = R> + Send + Sync + 'static,
    I: Send + 'static,
    R: Send + 'static,
{
    call(Arc::downgrade(queue) as _, cores);
}

fn call(stream: Weak<dyn Stream>, cores: usize) {
    let job: Job = Box::new(move || look(&stream));
    alarm::call(Instant::now() + Duration::from_secs_f64(early::first_look(cores)), job);
}

/// Looks in on a stream; when to look again.
fn look(stream: &Weak<dyn Stream>) -> Option<Instant> {
    let stream = stream.upgrade()?;
    let again = stream.find_ahead().and_then(|found| help(&stream, &found));
    // May be the last owner of what the function captured.
    drop_quietly(stream);
    again
}

/// Launches what the first item is worth by now; when to look again.
fn help(stream: &Arc<dyn Stream>, found: &Found) -> Option<Instant> {
    let Found { since, terms, is_shared, ref runners } = *found;
    let seconds = since.as_secs_f64();
    let seen: Option<Vec<Seen>> = runners.iter().map(Watched::see).collect();
    let share = seen.and_then(|seen| early::waiting_share(&seen));
    let share = share.filter(|_| !waits::may_be_for_itself(others_running() as f64, terms.cores as f64));
    if let Some(share) = terms.pinned.waiting_share(share) {
        let threads = terms.pinned.threads.unwrap_or(FIRST_BLOCKING_THREADS.min(terms.most));
        if let Some(claimed) = stream.claim_waiting(threads, share) {
            tracing::debug!(target: "amorsize", threads, seconds, "all who run the first items wait");
            launch(stream, claimed, || pool::blocking_crew(threads).map(Slot::from));
            return None;
        }
    }
    if let Some(threads) = terms.pinned.threads.filter(|_| is_shared) {
        launch(stream, stream.claim_ahead(threads), || pool::cpu_crew(threads).map(Slot::from));
        return None;
    }
    if is_shared {
        let cores = Situation::seen(Kind::default()).cores;
        let threads = early::threads(seconds, cores, terms.items).min(terms.most);
        if threads > 1 && start_global() {
            launch(stream, stream.claim_ahead(threads), || Some(Slot::CURRENT));
        }
    }
    Some(Instant::now() + Duration::from_secs_f64(early::next_look(seconds)) - since)
}

fn launch(stream: &Arc<dyn Stream>, claimed: Claimed, slot: impl Fn() -> Option<Slot>) {
    let Claimed { tickets, epoch } = claimed;
    for _ in 0..tickets {
        let is_launched = slot().is_some_and(|slot| Arc::clone(stream).launch(slot, epoch));
        if !is_launched {
            stream.return_ticket(epoch);
        }
    }
}
