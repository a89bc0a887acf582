//! How a ticket gets to a thread: detached onto a pool for owned items, or bound to a scope for borrowed ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::queue::Queue;
use crate::work::Work;

/// A job that runs chunks of one stream while there are any.
pub trait Ticket: Send + Sync {
    /// Runs chunks; returns when none waits. Never unwinds.
    fn serve(self: Arc<Self>);
}

impl<W, I, R> Ticket for Queue<W, I, R>
where
    W: Work<I, Output = R> + Send + Sync,
    I: Send,
    R: Send,
{
    fn serve(self: Arc<Self>) {
        self.run_ticket();
        // May be the last owner of what the function captured.
        super::chunk::drop_quietly(self);
    }
}

/// Where tickets go.
#[derive(Clone, Debug, Default)]
pub enum Target {
    /// The pool of the calling thread when it belongs to one, rayon's global pool otherwise.
    #[default]
    Current,
    /// A pool of our own.
    Dedicated(Arc<rayon::ThreadPool>),
}

/// Takes tickets to threads.
pub trait Launch<T> {
    /// Hands over a ticket; false if it could not be taken.
    fn launch(&self, target: &Target, ticket: Arc<T>) -> bool;
}

/// For streams that own their items: jobs that outlive nothing.
#[derive(Clone, Copy, Debug)]
pub struct Detached;

impl<T: Ticket + 'static> Launch<T> for Detached {
    fn launch(&self, target: &Target, ticket: Arc<T>) -> bool {
        match target {
            Target::Current => {
                note_running();
                rayon::spawn(move || ticket.serve());
            }
            Target::Dedicated(pool) => pool.spawn(move || ticket.serve()),
        }
        true
    }
}

impl Target {
    /// Whether both are the same pool.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Target::Current, Target::Current) => true,
            (Target::Dedicated(one), Target::Dedicated(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }
}

/// Set when rayon's global pool was started on our behalf.
static GLOBAL_POOL_RUNS: AtomicBool = AtomicBool::new(false);

/// Whether using the current pool starts no thread, as far as we know.
pub(crate) fn is_running() -> bool {
    rayon::current_thread_index().is_some() || GLOBAL_POOL_RUNS.load(Ordering::Relaxed)
}

pub(crate) fn note_running() {
    GLOBAL_POOL_RUNS.store(true, Ordering::Relaxed);
}
