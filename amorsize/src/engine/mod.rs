//! The executor: does what the pilot says. Decides only who runs a chunk, and who sleeps.
//!
//! - [`clock`]: what a chunk cost the thread that ran it
//! - [`chunk`]: items on their way to a thread, and what comes back
//! - [`queue`]: the chunks of one stream, between its consumer and its threads
//! - [`situation`]: what decisions depend on, here and now
//! - [`launch`]: how a ticket gets to a thread
//! - [`target`]: which pool tickets go to
//! - [`door`]: whether a pool has time for a ticket
//! - [`lookout`]: who launches tickets while the consumer runs the first item
//! - [`asleep`]: whether another thread sleeps
//! - [`wake`]: what it takes here to get a thread to work
//! - [`place`]: how a thread keeps off the consumer's processor
//! - [`scope`]: how tickets for borrowed items get to threads
//! - [`own`]: who runs the first of borrowed items
//! - [`heap`]: how memory that comes and goes stays at hand
//! - [`flow`]: the consumer's side: pulls, hands over, takes back, waits
//! - [`stretch`]: the plain loop in internal iteration

mod asleep;
pub(crate) mod chunk;
pub(crate) mod clock;
mod door;
pub(crate) mod flow;
mod heap;
pub(crate) mod launch;
mod lookout;
mod own;
pub(crate) mod place;
pub(crate) mod queue;
pub(crate) mod scope;
mod situation;
pub(crate) mod stretch;
mod target;
pub(crate) mod wake;
