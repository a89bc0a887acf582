//! How a ticket gets to a thread: detached onto a pool for owned items, or bound to a scope for borrowed ones.

use std::cell::Cell;
use std::sync::{Arc, OnceLock, Weak};

use rayon::ThreadPoolBuilder;

use super::lookout;
use super::queue::Queue;
use super::wake;
use crate::bytes::guess;
use crate::decide::model::Wake;
use crate::decide::pilot::Beside;
use crate::decide::situation::Situation;
use crate::first_thread;
use crate::machine::{self, Share};
use crate::plan::{Plan, Pool};
use crate::pool::{self, Bell, Crew, Post};
use crate::quiet::drop_quietly;
use crate::work::Work;

/// Where tickets go.
#[derive(Clone, Debug)]
pub enum Target {
    /// The pool of the calling thread when it belongs to one, rayon's global pool otherwise.
    Current,
    /// A dedicated pool.
    #[allow(private_interfaces, reason = "opaque to users, who never see a target")]
    Crew(Arc<Crew>),
    /// A thread that is started for the ticket.
    Own,
}

/// Takes tickets to threads: jobs that run chunks of one stream while there are any.
#[diagnostic::on_unimplemented(
    message = "`{W}` cannot be run over items of type `{I}` on other threads",
    label = "function, items and results must be `Send`, and for a stream that is kept own their data"
)]
pub trait Launch<W: Work<I>, I> {
    /// Whether the caller has to wait until its tickets were taken.
    const WAITS: bool;

    /// Hands over a ticket of a queue; false if no thread can be had.
    fn launch(&self, target: &Target, queue: Arc<Queue<W, I, W::Output>>, epoch: u32) -> bool;

    /// Who there is for the first items of a function of which nothing is known. `is_stated`: the options ask for
    /// threads.
    fn beside(&self, is_stated: bool) -> Beside;

    /// Whether somebody can look in on the first item while its caller runs it.
    fn can_look_out(&self) -> bool;

    /// Has somebody do that, where there are so many cores.
    fn look_after(&self, queue: &Arc<Queue<W, I, W::Output>>, cores: usize);
}

/// For streams that own their items: jobs that outlive nothing.
#[derive(Clone, Copy, Debug)]
pub struct Detached;

impl<W, I> Launch<W, I> for Detached
where
    W: Work<I, Output: Send + 'static> + Send + Sync + 'static,
    I: Send + 'static,
{
    const WAITS: bool = false;

    fn launch(&self, target: &Target, queue: Arc<Queue<W, I, W::Output>>, epoch: u32) -> bool {
        let post = match target {
            Target::Current => None,
            Target::Crew(crew) => Some(crew.post()),
            // Nobody waits for a pool's threads here.
            Target::Own => return false,
        };
        target.spawn(move || take_turn(queue, epoch, post));
        true
    }

    fn beside(&self, _: bool) -> Beside {
        if is_running() { Beside::Thread } else { Beside::Lookout }
    }

    fn can_look_out(&self) -> bool {
        true
    }

    fn look_after(&self, queue: &Arc<Queue<W, I, W::Output>>, cores: usize) {
        lookout::look_after(queue, cores);
    }
}

thread_local! {
    /// The calling thread runs a job that waited for the turn of a ticket to end.
    static GIVES_WAY: Cell<bool> = const { Cell::new(false) };
}

/// Runs chunks on a pool's thread for a turn, and has the next turn come after whatever else the thread has to do: what
/// waits for it on its stack, and one job that waits in the pool. Never unwinds. A crew's ticket is at its post until it
/// ends.
fn take_turn<W, I>(queue: Arc<Queue<W, I, W::Output>>, epoch: u32, _post: Option<Post>)
where
    W: Work<I, Output: Send + 'static> + Send + Sync + 'static,
    I: Send + 'static,
{
    let goes_on = queue.take_turn(epoch, |cores| lookout::look_after(&queue, cores));
    let stream = Arc::downgrade(&queue);
    // May be the last owner of what the function captured, which is not kept while others have their turn.
    drop_quietly(queue);
    if goes_on {
        // What is run there may be another stream's ticket, whose turn ends here too: one on top of the other is enough.
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
    queue.run_ticket(epoch, |_| ());
    drop_quietly(queue);
}

impl Target {
    /// Where the next ticket of a plan goes; `None` if no thread can be had.
    pub(crate) fn of(plan: &Plan, is_pinned: bool) -> Option<Self> {
        let crew = match plan.pool {
            Pool::Blocking => pool::blocking_crew(if is_pinned { usize::MAX } else { plan.threads }),
            _ if is_pinned && plan.threads > threads_here() => pool::cpu_crew(plan.threads),
            _ if is_running() || start_global() => return Some(Self::Current),
            _ => pool::cpu_crew(plan.threads),
        };
        crew.map(Self::Crew)
    }

    /// Where all tickets of a plan go, if that is one place.
    pub(crate) fn lasting(plan: &Plan, is_pinned: bool) -> Option<Self> {
        let is_one = plan.pool != Pool::Blocking && pool::is_one_crew(plan.threads);
        is_one.then(|| Self::of(plan, is_pinned)).flatten()
    }

    /// Has a thread of the pool run a job that outlives nothing.
    pub(super) fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        match self {
            Self::Current | Self::Own => rayon::spawn(job),
            Self::Crew(crew) => crew.pool().spawn(job),
        }
    }

    /// Tells whether threads have time for a ticket that the caller has to wait for; `None` where it takes back its own.
    pub(super) fn bell(&self) -> Option<&Arc<Bell>> {
        match self {
            Self::Current if rayon::current_thread_index().is_none() => Some(Bell::global()),
            Self::Crew(crew) => Some(crew.bell()),
            Self::Current | Self::Own => None,
        }
    }

    /// The crew that this is, for as long as it lives without us.
    pub(crate) fn crew(&self) -> Weak<Crew> {
        match self {
            Self::Current | Self::Own => Weak::new(),
            Self::Crew(crew) => Arc::downgrade(crew),
        }
    }

    /// Whether both are the same pool.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Current, Self::Current) => true,
            (Self::Crew(one), Self::Crew(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }
}

/// Threads of the pool that the calling thread belongs to; 0 outside of pools, where pinned threads are our own.
fn threads_here() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 0 }
}

impl Situation {
    /// What there is for a stream of items `I` and results `R` made here, as far as is known without a look at the
    /// machine.
    pub(crate) fn here<I, R>() -> Self {
        Self::with::<I, R>(machine::recalled_share())
    }

    /// The same after a look at the machine.
    pub(crate) fn seen<I, R>() -> Self {
        Self::with::<I, R>(machine::share())
    }

    fn with<I, R>(Share { cores, processors, available_memory, is_guess, is_unseen }: Share) -> Self {
        Self {
            cores: cores_here(cores),
            processors,
            available_memory,
            item_bytes: size_of::<I>().max(size_of::<R>()),
            wake: wake::expected(is_running(), is_unseen),
            owns: guess::owns::<I>().max(guess::owns::<R>()),
            is_threadless: first_thread::would_be_first() && !is_running(),
            is_guess,
        }
    }

    /// This one after a look at the machine.
    pub(crate) fn looked_at(&self) -> Self {
        let Share { cores, processors, available_memory, is_guess, is_unseen } = machine::share();
        let wake = Wake { start: wake::expected(is_running(), is_unseen).start, ..self.wake };
        let is_threadless = first_thread::is_seen_to_be_first();
        Self { cores: cores_here(cores), processors, available_memory, is_threadless, is_guess, wake, ..*self }
    }
}

/// Threads that may compute at the same time for a stream made here, where this process may use so many cores: those of
/// the pool that the caller belongs to, or of the global pool and the caller.
fn cores_here(cores: usize) -> usize {
    match threads_here() {
        0 if is_running() && !machine::has_stated_threads() => cores.min(rayon::current_num_threads() + 1),
        0 => cores,
        threads => threads.min(cores),
    }
}

/// Whether rayon's global pool could be started, once that was tried.
static GLOBAL_POOL: OnceLock<bool> = OnceLock::new();

/// Whether using the current pool starts no thread, as far as we know.
pub(crate) fn is_running() -> bool {
    rayon::current_thread_index().is_some() || GLOBAL_POOL.get() == Some(&true)
}

/// Starts rayon's global pool unless it runs already. (Rayon itself would panic where the system refuses threads.)
pub(super) fn start_global() -> bool {
    let mut refused = None;
    let is_running = *GLOBAL_POOL.get_or_init(|| {
        first_thread::may_start();
        match ThreadPoolBuilder::new().build_global() {
            Err(error) if std::error::Error::source(&error).is_some() => {
                refused = Some(error);
                false
            }
            // Either started now, or by somebody before.
            _ => true,
        }
    });
    // Whoever listens may start a stream: not while others wait for the answer.
    if let Some(error) = refused {
        tracing::warn!(target: "amorsize", %error, "rayon's global pool could not be started; trying fewer threads");
    }
    is_running
}
