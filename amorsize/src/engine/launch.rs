//! How a ticket gets to a thread: detached onto a pool for owned items, or bound to a [scope](super::scope) for
//! borrowed ones.

use std::cell::Cell;
use std::sync::{Arc, Weak};

use super::lookout;
use super::queue::{Claimed, Found, Queue};
use super::target::Slot;
use crate::decide::pilot::Beside;
use crate::pool::{Post, is_running};
use crate::quiet::drop_quietly;
use crate::work::Work;

/// Takes tickets to threads: jobs that run chunks of one stream while there are any.
#[diagnostic::on_unimplemented(
    message = "`{W}` cannot be run over items of type `{I}` on other threads",
    label = "function, items and results must be `Send`, and for a stream that is kept own their data"
)]
pub trait Launch<W: Work<I>, I> {
    /// Whether the caller has to wait until its tickets were taken.
    const WAITS: bool;

    /// Hands over a ticket of a queue; false if no thread can be had.
    fn launch(&self, slot: Slot, queue: Arc<Queue<W, I, W::Output>>, epoch: u32) -> bool;

    /// Starts a thread for a ticket; false if none can be had.
    fn start_own(&self, queue: Arc<Queue<W, I, W::Output>>, epoch: u32) -> bool;

    /// Who there is for the first items of a function of which nothing is known. `is_pinned`: the options ask for
    /// threads.
    fn beside(&self, is_pinned: bool) -> Beside;

    /// Has somebody look in on the first item while its caller runs it, where there are so many cores: unless that
    /// somebody would have to be waited for.
    fn look_after(&self, queue: &Arc<Queue<W, I, W::Output>>, cores: usize);
}

/// Takes tickets of owned items to threads: jobs that outlive nothing.
#[derive(Clone, Copy, Debug)]
pub struct Detached;

impl<W, I> Launch<W, I> for Detached
where
    W: Work<I, Output: Send + 'static> + Send + Sync + 'static,
    I: Send + 'static,
{
    const WAITS: bool = false;

    fn launch(&self, slot: Slot, queue: Arc<Queue<W, I, W::Output>>, epoch: u32) -> bool {
        launch(slot, queue, epoch);
        true
    }

    /// Starts none: nobody waits for a pool's threads here.
    fn start_own(&self, _: Arc<Queue<W, I, W::Output>>, _: u32) -> bool {
        false
    }

    fn beside(&self, _: bool) -> Beside {
        if is_running() { Beside::Thread } else { Beside::Lookout }
    }

    fn look_after(&self, queue: &Arc<Queue<W, I, W::Output>>, cores: usize) {
        lookout::look_after(Arc::downgrade(queue) as _, cores);
    }
}

/// A queue as those see it who know nothing of its items, results and function: the tickets of a stream that is kept,
/// and whoever looks in on it.
pub(super) trait AnyQueue: Send + Sync {
    fn take_turn(&self, epoch: u32, look_after: &dyn Fn(usize)) -> bool;
    fn return_ticket(&self, epoch: u32);
    fn find_ahead(&self) -> Option<Found>;
    fn claim_ahead(&self, threads: usize) -> Claimed;
    fn claim_waiting(&self, threads: usize, share: f64) -> Option<Claimed>;
}

impl<W, I, R> AnyQueue for Queue<W, I, R>
where
    W: Work<I, Output = R> + Send + Sync,
    I: Send,
    R: Send,
{
    fn take_turn(&self, epoch: u32, look_after: &dyn Fn(usize)) -> bool {
        self.take_turn(epoch, look_after)
    }

    fn return_ticket(&self, epoch: u32) {
        self.return_ticket(epoch);
    }

    fn find_ahead(&self) -> Option<Found> {
        self.find_ahead()
    }

    fn claim_ahead(&self, threads: usize) -> Claimed {
        self.claim_ahead(threads)
    }

    fn claim_waiting(&self, threads: usize, share: f64) -> Option<Claimed> {
        self.claim_waiting(threads, share)
    }
}

/// Hands over a ticket of a stream that is kept.
pub(super) fn launch(Slot { target, post }: Slot, queue: Arc<dyn AnyQueue>, epoch: u32) {
    target.spawn(move || take_turn(queue, epoch, post));
}

thread_local! {
    /// The calling thread runs a job that waited for the turn of a ticket to end.
    static GIVES_WAY: Cell<bool> = const { Cell::new(false) };
}

/// Runs chunks on a pool's thread for a turn, and has the next turn come after whatever else the thread has to do: what
/// waits for it on its stack, and one job that waits in the pool. Never unwinds. A crew's ticket is at its post until
/// it ends.
fn take_turn(queue: Arc<dyn AnyQueue>, epoch: u32, _post: Option<Post>) {
    let stream = Arc::downgrade(&queue);
    let goes_on = queue.take_turn(epoch, &|cores| lookout::look_after(Weak::clone(&stream), cores));
    // May be the last owner of what the function captured, which is not kept while others have their turn.
    drop_quietly(queue);
    if goes_on {
        // What is run there may be another stream's ticket, whose turn ends here too: one on top of the other is
        // enough.
        if !GIVES_WAY.replace(true) {
            rayon::yield_now();
            GIVES_WAY.set(false);
        }
        if let Some(queue) = stream.upgrade() {
            rayon::spawn(move || take_turn(queue, epoch, _post));
        }
    }
}

/// Runs chunks; returns when none waits, or when `epoch` has passed. Never unwinds.
pub(super) fn serve<W: Work<I>, I>(queue: Arc<Queue<W, I, W::Output>>, epoch: u32) {
    queue.run_ticket(epoch);
    drop_quietly(queue);
}
