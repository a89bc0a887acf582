//! Where tickets go.

use std::sync::{Arc, Weak};

use crate::plan::{Plan, Pool};
use crate::pool::{self, Bell, Crew, Hired, Post, asked_here, is_running, start_global, threads_here};

/// A pool that runs tickets.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The pool of the calling thread when it belongs to one, rayon's global pool otherwise.
    Current,
    /// A dedicated pool.
    Crew(Arc<Crew>),
}

/// Where the next ticket goes: a pool, and a thread's time there, which is kept for it where the pool is our own.
#[derive(Debug)]
pub struct Slot {
    pub(super) target: Target,
    pub(super) post: Option<Post>,
}

impl From<Hired> for Slot {
    fn from((crew, post): Hired) -> Self {
        Self { target: Target::Crew(crew), post: Some(post) }
    }
}

impl Slot {
    pub(super) const CURRENT: Self = Self { target: Target::Current, post: None };

    /// Where the next ticket of a plan goes; `None` if no thread can be had.
    pub(super) fn of(plan: &Plan, is_pinned: bool) -> Option<Self> {
        let hired = match plan.pool {
            Pool::Blocking => pool::blocking_crew(if is_pinned { usize::MAX } else { plan.threads }),
            // A crew that got fewer threads than it was to have would wait for itself.
            _ if is_pinned && plan.threads > threads_here().max(asked_here()) => pool::cpu_crew(plan.threads),
            _ if is_running() || start_global() => return Some(Self::CURRENT),
            _ => pool::cpu_crew(plan.threads),
        };
        hired.map(Self::from)
    }

    /// A slot with one crew, which has all tickets of a plan.
    pub(super) fn with(crew: Arc<Crew>) -> Self {
        let post = crew.post();
        Self::from((crew, post))
    }
}

impl Target {
    /// Where all tickets of a plan go, if that is one pool.
    pub(super) fn lasting(plan: &Plan, is_pinned: bool) -> Option<Self> {
        let is_one = plan.pool != Pool::Blocking && pool::is_one_crew(plan.threads);
        is_one.then(|| Slot::of(plan, is_pinned)).flatten().map(|slot| slot.target)
    }

    /// Has a thread of the pool run a job that outlives nothing.
    pub(super) fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        match self {
            Self::Current => rayon::spawn(job),
            Self::Crew(crew) => crew.pool().spawn(job),
        }
    }

    /// What tells whether threads have time for a ticket that the caller has to wait for; `None` where it takes back
    /// its own.
    pub(super) fn bell(&self) -> Option<&Arc<Bell>> {
        match self {
            Self::Current if rayon::current_thread_index().is_none() => Some(Bell::global()),
            Self::Crew(crew) => Some(crew.bell()),
            Self::Current => None,
        }
    }

    /// The crew that this is, for as long as it lives without us.
    pub(super) fn crew(&self) -> Weak<Crew> {
        match self {
            Self::Current => Weak::new(),
            Self::Crew(crew) => Arc::downgrade(crew),
        }
    }

    /// Whether both are the same pool.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Current, Self::Current) => true,
            (Self::Crew(one), Self::Crew(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }
}
