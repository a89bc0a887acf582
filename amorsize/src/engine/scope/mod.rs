//! Tickets for borrowed items: threads that have all let go when the call returns. No lifetime is stretched; rayon's
//! and std's scopes carry them.
//!
//! A rayon scope cannot be opened without starting rayon's pool, and a stream may never need one. So the first ticket
//! for a pool that is not running yet goes to a broker.
//!
//! - here: the launcher of a borrowed call, and where its tickets go
//! - [`roll`]: who has tickets of the current pool, and how they are waited for
//! - [`brokers`]: threads that are started for the scope

mod brokers;
mod roll;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;

use super::launch::{Launch, serve};
use super::own;
use super::queue::Queue;
use super::target::{Slot, Target};
use crate::decide::pilot::Beside;
use crate::pool::is_running;
use crate::work::Work;
use brokers::Brokers;
use roll::{CloseOnDrop, Roll};

type Job<'s> = Box<dyn FnOnce() + Send + 's>;

/// Takes tickets of borrowed items to threads, within a scope.
pub struct Scoped<'a, 's, 'env> {
    /// Takes a job to a pool, or to a thread that is started for it.
    launch: &'a (dyn Fn(Option<Slot>, Job<'s>) -> bool + Sync + 'a),
    environment: PhantomData<&'s mut &'env ()>,
}

impl fmt::Debug for Scoped<'_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}

impl<'a, 's> Scoped<'a, 's, '_> {
    fn new(launch: &'a (dyn Fn(Option<Slot>, Job<'s>) -> bool + Sync + 'a)) -> Self {
        Self { launch, environment: PhantomData }
    }
}

impl<'s, W, I> Launch<W, I> for Scoped<'_, 's, '_>
where
    W: Work<I, Output: Send + 's> + Send + Sync + 's,
    I: Send + 's,
{
    const WAITS: bool = true;

    fn launch(&self, slot: Slot, queue: Arc<Queue<W, I, W::Output>>, epoch: u32) -> bool {
        (self.launch)(Some(slot), Box::new(move || serve(queue, epoch)))
    }

    fn start_own(&self, queue: Arc<Queue<W, I, W::Output>>, epoch: u32) -> bool {
        (self.launch)(None, Box::new(move || serve(queue, epoch)))
    }

    /// A thread of the pool itself runs what nobody else has taken. For others the end would wait for a ticket that no
    /// thread has had time for.
    fn beside(&self, is_pinned: bool) -> Beside {
        if rayon::current_thread_index().is_some() {
            Beside::Thread
        } else if own::may_start(is_pinned) {
            Beside::Own { has_pool: is_running() }
        } else {
            Beside::Nobody
        }
    }

    /// Has nobody look in: whoever does is bound to no scope.
    fn look_after(&self, _: &Arc<Queue<W, I, W::Output>>, _: usize) {}
}

/// Runs `body`, and returns when every ticket it launched has ended.
pub(crate) fn enter<'env, T>(body: impl for<'a, 's> FnOnce(Scoped<'a, 's, 'env>) -> T) -> T {
    thread::scope(|threads| {
        let brokers = Brokers::new(threads);
        if is_running() {
            rayon::in_place_scope(|scope| {
                let roll = Roll::new();
                let _closed_at_last = CloseOnDrop(&roll);
                body(Scoped::new(&to_threads(&brokers, Some((scope, &roll)))))
            })
        } else {
            body(Scoped::new(&to_threads(&brokers, None)))
        }
    })
}

/// Takes a job for a pool to the open scope of the current one if it is that, to a broker otherwise; others get a
/// thread of their own.
fn to_threads<'a, 's>(
    brokers: &'a Brokers<'s, '_>,
    current: Option<(&'a rayon::Scope<'s>, &'a Roll)>,
) -> impl Fn(Option<Slot>, Job<'s>) -> bool + Sync + 'a {
    move |slot, job| match (slot, current) {
        (Some(Slot { target: Target::Current, .. }), Some((scope, roll))) => {
            let ticket = roll.enter(job);
            scope.spawn(move |_| ticket.run());
            true
        }
        (Some(slot), _) => brokers.send(slot, job),
        (None, _) => brokers.start_own(job),
    }
}
