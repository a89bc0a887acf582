//! Looks in on the first items of a stream while its consumer runs one, and launches the threads that those are worth.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::asleep::{Watched, others_running};
use super::launch::{self, AnyQueue};
use super::queue::{Claimed, Found};
use super::target::Slot;
use crate::alarm::{self, Job};
use crate::decide::early::{self, Seen};
use crate::decide::situation::{Kind, Situation};
use crate::decide::verdict::FIRST_BLOCKING_THREADS;
use crate::decide::waits;
use crate::pool::{self, start_global};
use crate::quiet::drop_quietly;

/// Looks in on a queue from now on, ever more seldom, as long as its consumer runs the first item; where there are, as
/// far as is known, so many cores.
pub(super) fn look_after(queue: Weak<dyn AnyQueue>, cores: usize) {
    let job: Job = Box::new(move || look(&queue));
    alarm::call(Instant::now() + Duration::from_secs_f64(early::first_look(cores)), job);
}

/// Looks in on a queue; when to look again.
fn look(queue: &Weak<dyn AnyQueue>) -> Option<Instant> {
    let queue = queue.upgrade()?;
    let again = queue.find_ahead().and_then(|found| help(&queue, &found));
    // May be the last owner of what the function captured.
    drop_quietly(queue);
    again
}

/// Launches what the first item is worth by now; when to look again.
fn help(queue: &Arc<dyn AnyQueue>, found: &Found) -> Option<Instant> {
    let Found { since, terms, is_shared, ref runners } = *found;
    let seconds = since.as_secs_f64();
    let seen: Option<Vec<Seen>> = runners.iter().map(Watched::see).collect();
    let share = seen.and_then(|seen| early::waiting_share(&seen));
    let share = share.filter(|_| !waits::may_be_for_itself(others_running() as f64, terms.cores as f64));
    if let Some(share) = terms.pinned.waiting_share(share) {
        let threads = terms.pinned.threads.unwrap_or(FIRST_BLOCKING_THREADS.min(terms.most));
        if let Some(claimed) = queue.claim_waiting(threads, share) {
            tracing::debug!(target: "amorsize", threads, seconds, "all who run the first items wait");
            hand_over(queue, claimed, || pool::blocking_crew(threads).map(Slot::from));
            return None;
        }
    }
    if let Some(threads) = terms.pinned.threads.filter(|_| is_shared) {
        hand_over(queue, queue.claim_ahead(threads), || pool::cpu_crew(threads).map(Slot::from));
        return None;
    }
    if is_shared {
        let cores = Situation::seen(Kind::default()).cores;
        let threads = early::threads(seconds, cores, terms.items).min(terms.most);
        if threads > 1 && start_global() {
            hand_over(queue, queue.claim_ahead(threads), || Some(Slot::CURRENT));
        }
    }
    Some(Instant::now() + Duration::from_secs_f64(early::next_look(seconds)) - since)
}

fn hand_over(queue: &Arc<dyn AnyQueue>, claimed: Claimed, slot: impl Fn() -> Option<Slot>) {
    let Claimed { tickets, epoch } = claimed;
    for _ in 0..tickets {
        match slot() {
            Some(slot) => launch::launch(slot, Arc::clone(queue), epoch),
            None => queue.return_ticket(epoch),
        }
    }
}
