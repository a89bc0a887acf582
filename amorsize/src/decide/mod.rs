//! Every decision, as pure code: observations in, decision out; no clock, no thread, no file. (What is decided is told
//! to `tracing` right where it is.)
//!
//! - [`observed`]: what decisions are told
//! - [`costs`]: what an item costs, as a running estimate
//! - [`input`]: how many items are still to come
//! - [`timing`]: how long a plan would take for given costs
//! - [`situation`]: what a decision depends on besides
//! - [`choose`]: the plain loop or threads, and how many
//! - [`chunks`]: how many items are handed over at a time
//! - [`window`]: how many items may be in flight
//! - [`waiting`]: what the consumer does while it has nothing to yield
//! - [`refill`]: how many chunks are pulled at a time
//! - [`silence`]: how long the source makes everybody wait
//! - [`risk`]: what trying threads may cost
//! - [`trial`]: how many items to time before the first plan
//! - [`cut`]: when a chunk that takes too long is cut short
//! - [`early`]: what is done while the first item runs
//! - [`verdict`]: where the function runs, and why
//! - [`waits`]: whether a function waits for something outside of the process
//! - [`watch`]: whether a running plan keeps what it promised
//! - [`shift`]: whether chunks take longer beside others than alone
//! - [`climb`]: how many threads a function that computes gets, one step after the other
//! - [`growth`]: how many threads a function that waits gets
//! - [`company`]: whether threads give way to other streams
//! - [`doubt`]: whether threads that wait only wait for each other
//! - [`tally`]: what became of each plan of a run
//! - [`pace`]: the plain loop between two thoughts
//! - [`pressure`]: whether memory allows more items
//! - [`pilot`]: leads one stream through all of these

pub(crate) mod choose;
pub(crate) mod chunks;
pub(crate) mod climb;
pub(crate) mod company;
pub(crate) mod costs;
pub(crate) mod cut;
pub(crate) mod doubt;
pub(crate) mod early;
pub(crate) mod growth;
pub(crate) mod input;
pub(crate) mod observed;
pub(crate) mod pace;
pub(crate) mod pilot;
pub(crate) mod pressure;
pub(crate) mod refill;
pub(crate) mod risk;
pub(crate) mod shift;
pub(crate) mod silence;
pub(crate) mod situation;
pub(crate) mod tally;
pub(crate) mod timing;
pub(crate) mod trial;
pub(crate) mod verdict;
pub(crate) mod waiting;
pub(crate) mod waits;
pub(crate) mod watch;
pub(crate) mod window;
