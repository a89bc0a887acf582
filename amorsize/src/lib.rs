//! Annotate a per-item function; its map over any iterator runs the fastest safe way: in order, in bounded memory, on
//! several threads only when that pays.
//!
//! # The attribute
//!
//! [`streaming`] leaves the function as it is and adds calls under its name. One `use` brings both.
//!
//! ```
//! #[amorsize::streaming]
//! fn letters(word: String) -> usize {
//!     word.chars().count()
//! }
//!
//! let words = "to be or not to be".split(' ').map(String::from);
//! assert_eq!(letters::stream(words).collect::<Vec<_>>(), [2, 2, 2, 3, 2, 2]);
//! assert_eq!(letters("be".to_owned()), 2);
//! ```
//!
//! A [`Stream`] is a lazy iterator: nothing is taken from the source before the first `next`, and at most
//! [`Plan::buffer_size`] items are ever taken and not yet yielded. The source is only used on the thread that iterates,
//! so it may borrow, lock or read what it likes, and wait, but not for results of its own stream (such as a channel
//! into which they are sent): items are pulled before those are there, unless `buffer_size` is 1. Likewise, when a
//! source falls silent (a channel, a terminal), the results of its last few items wait until it goes on; after that,
//! nothing more is pulled from it while results are about to come, unless many items follow at once or those results do
//! not come. A panic of the function comes out in place of its result (with `panic = "abort"` it ends the program, as
//! it always does); items that run beside it go on, and may print panics of their own.
//!
//! Dropping a stream cancels what is left. Items behind the last result may have been run by then, `buffer_size` at
//! most (so set it where each run has its price, and `take` ends the stream early); those that run are not waited for,
//! except by the calls below that return when all is done.
//!
//! # Borrowed items
//!
//! A stream that is kept needs items and results that own their data. The calls that return when all is done do not.
//!
//! ```
//! #[amorsize::streaming]
//! fn longest(line: &str) -> &str {
//!     line.split(' ').max_by_key(|word| word.len()).unwrap_or("")
//! }
//!
//! let text = String::from("a rose\nis a rose");
//! assert_eq!(longest::collect::<Vec<_>>(text.lines()), ["rose", "rose"]);
//!
//! let mut shouted = Vec::new();
//! longest::for_each(text.lines(), |word| shouted.push(word.to_uppercase()));
//! assert_eq!(shouted, ["ROSE", "ROSE"]);
//!
//! let first = longest::scope(text.lines(), |mut words| words.next());
//! assert_eq!(first, Some("rose"));
//! ```
//!
//! (Where `stream` is given borrowed items, the compiler says that something must be borrowed for `'static`.) Items may
//! be borrowed mutably: `f::run(rows.chunks_mut(8))`.
//!
//! `collect` into a `Result` or an `Option` stops at the first error, `Result<(), E>` among them, and `run` is for
//! effects alone. A parameter by reference takes owned items too: a function of `&str` can stream `String`s. A borrowed
//! `Vec` of them yields `&String`, which is neither: write `texts.iter().map(String::as_str)`. Items may be results
//! themselves, such as those of `BufRead::lines`, for a function `fn(io::Result<String>) -> io::Result<T>`.
//!
//! All of these wait, as rayon's scopes do, until no thread holds a borrow any more. So work is handed to a pool that
//! was asked first whether it has a thread to spare, and where all are busy with something else, the caller goes on
//! alone. (What takes a millisecond or two takes a thread for granted that was free five milliseconds ago, and in the
//! moment between an answer and the work another job may come first. Then the call ends when a thread has time; so hold
//! no lock around it that the pool's jobs take too.) [`stream`](Tuner::stream) waits for nobody.
//!
//! # Context
//!
//! Further parameters are bound by `with`, which returns a [`Tuner`]. One by reference is given as a value, a reference
//! or an [`Arc`](std::sync::Arc) (but no reference to a smart pointer: `&*arc`, `&v[..]`), and all threads read it; one
//! by value is cloned for every item. `stream` needs a context that owns its data.
//!
//! ```
//! #[amorsize::streaming]
//! fn score(line: &str, words: &[&str]) -> usize {
//!     words.iter().filter(|word| line.contains(*word)).count()
//! }
//!
//! let words = ["error", "failed"];
//! let scores: Vec<usize> = score::with(&words[..]).collect(["all is well", "error: login failed"]);
//! assert_eq!(scores, [0, 2]);
//! ```
//!
//! # More than a map
//!
//! - *A filter* is a function that returns an `Option`: `f::stream(items).flatten()`.
//! - *Stages* follow on each other: `render::stream(parse::stream(lines))`, each with its own plan.
//! - *Which item was it?* Return it with the error, or ask [`Stream::indexed`].
//! - *What each thread has for itself* (a buffer, a connection) is a `thread_local!` of the function's.
//! - *Stopping early*: drop the stream, or `take`, `try_for_each`, `?`; a `collect` into a `Result` does so by itself.
//!   Where one was left long before its end, the next one from there does not count on all of its items.
//!
//! # Options
//!
//! Keys of the attribute and methods of [`Tuner`] have the same names; the methods override. What is set wins over what
//! is planned. [`Tuner`] documents each of them.
//!
//! ```
//! #[amorsize::streaming(ordered = false, max_blocking_threads = 64)]
//! fn square(n: u64) -> u64 {
//!     n * n
//! }
//!
//! let squares = square::tuner().ordered(true).buffer_size(100);
//! assert_eq!(squares.stream(0..1_000).last(), Some(998_001));
//! ```
//!
//! [`Tuner::new`] does the same for closures and methods, without the attribute.
//!
//! # What it decided, and why
//!
//! ```
//! # #[amorsize::streaming]
//! # fn square(n: u64) -> u64 { n * n }
//! let mut squares = square::stream(0..1_000);
//! println!("{}", squares.plan()); // plain loop: items of 1.0ns are cheaper than handing them to another thread
//! assert_eq!(squares.by_ref().sum::<u64>(), 332_833_500);
//! println!("{}", squares.report()); // items, time, throughput, threads, chunks
//! ```
//!
//! A [`Plan`] rests on the caller's options, on what earlier runs taught, or on the first items of this very input,
//! whose results are kept: [`Origin`] says which. Every decision is a `tracing` event of the target `amorsize`: plans
//! are of the level `DEBUG`, what they rest on of `TRACE`, and trouble with a history or the environment is `WARN`.
//!
//! # Threads
//!
//! A function that computes runs on rayon's threads: those of the pool that the stream is iterated in, or else the
//! global pool, which is started when that first pays. (A program that configures it calls rayon's `build_global`
//! before its first stream.) Where threads are few or chunks are short, the consumer runs chunks too while it has no
//! result to take. Threads of our own ([`pool`]), which end after five idle minutes, serve functions that wait, and
//! runs with stated `threads`, unless the caller belongs to a rayon pool that has as many. On a machine of more than
//! eight cores a function that nothing is known about begins with a quarter of them, at least eight, and the others
//! follow if that goes well. On Linux a thread of rayon's that wakes up on the consumer's processor moves to another
//! one, if it may run on all of them.
//!
//! However long a stream goes on, its threads look every 10 ms, or after a chunk that takes longer, what else their
//! pool has for them: a job that waits in it, or one that waited for another and took the stream's work meanwhile.
//! Calls that take borrowed items keep theirs until there is nothing left to be run.
//!
//! A function that waits gets threads of its own, `max_blocking_threads` at most in each run, and all runs together
//! some thousand, beyond which they run on the threads that wait for them. They are given up again where they only wait
//! for each other: for one lock, say. A function that shares its own work among the threads of a pool, by `rayon::join`
//! or a parallel iterator, is none that waits, though its caller's thread is blocked meanwhile: on Linux it is told by
//! the processors that the process keeps busy, and by what a thread of the pool finds.
//!
//! The function runs on several threads, which know nothing of the caller's thread-local values and `tracing` spans:
//! what it needs of them is a matter for its context.
//!
//! A process that was forked and runs no other program (`fork` without `exec`) has none of its parent's threads, those
//! of rayon and of this crate among them, and whatever waits for one waits for ever. Fork before the first stream, or set
//! `AMORSIZE=serial` for such a program.
//!
//! ## The first item
//!
//! The first item of a function that has no history may take a minute, and keeps no other waiting: a `stream` takes up
//! to 64 more, or as many as there are cores, from a quick source before it runs that one, within `buffer_size`. If a
//! rayon pool is running, one of its threads goes on with them; the longer the first one takes, the more threads
//! follow, and on Linux, if those that run one are found asleep, those of a function that waits. (A thread of ours,
//! `amorsize-alarm`, sees to that. It also writes records, and ends after ten idle seconds.) The calls that take
//! borrowed items have a single thread beside them, unless there are known to be more than 64 for each core; outside of
//! pools, whose threads may all be busy when the call is to return, it is one that is started for them, one at a time
//! in a process. Where threads are stated, all of them are there.
//!
//! A source whose `size_hint` promises no other item, such as a channel, may have none for a minute: its first one is
//! run before that is waited for, by a thread of a running pool or else by the caller, and so are those that follow until
//! there is a plan, if they take a microsecond or more.
//!
//! ## What the function must not wait for
//!
//! A consumer that waits for results sleeps, and runs no other job of its pool meanwhile. So a function whose stream is
//! read within a pool must not wait for all threads of that pool, as `rayon::broadcast` does, nor for a thread outside
//! that waits for one of them: it may wait forever. (`rayon::join` and the like, in the function itself, are run by
//! whoever calls them. But a thread that waits there takes other jobs of its pool meanwhile: one that goes on with a
//! stream of this very function, begun elsewhere, may wait for the item below it on its own stack. So read such a
//! stream to its end where it was begun, or begin it within the job.)
//!
//! ## Memory
//!
//! Items and results of more than 128 KiB themselves, arrays say, stay on the caller's stack, in a plain loop, unless
//! threads are asked for: those of a pool have two megabytes.
//!
//! A result is freed by whoever drops it, which is the consumer, and an item by the thread that runs it. Where they are
//! made of many small allocations, the system's allocator can make that dearer than the function; then the plain loop
//! wins, and it helps to do in the function what the consumer does with results, or to use [`Tuner::run`]. While
//! nothing is known of the function, a run of such items is tried on threads only where an attempt that fails costs a
//! fiftieth of it at most.
//!
//! With glibc's allocator, threads have as much free memory kept in the process as is in flight, instead of having it
//! given back to the system and asked for again with each large result: a block of that size (8 to 31 MiB, which nobody
//! touches) is made and freed once, and glibc's own bounds follow, as `M_MMAP_THRESHOLD` in mallopt(3) says. They do
//! not where a program has set them. (That holds for the whole process, and until it ends.) And since that allocator
//! lets a thread have the small blocks that it has freed, whosever they were, so that vectors which begin with one grow
//! under the other thread's lock, whoever runs chunks looks now and then at what it would get, and sends such blocks
//! home.
//!
//! # Learning
//!
//! What happened in a run is recorded, in one small file a function below [`cache_dir`], and later runs of the function
//! start from it. Nothing has to be done for that. To look at it, teach it, or drop it:
//!
//! ```
//! use std::time::Duration;
//! use amorsize::Outcome;
//!
//! #[amorsize::streaming]
//! fn cube(n: u64) -> u64 {
//!     n * n * n
//! }
//!
//! # fn main() -> Result<(), amorsize::Error> {
//! cube::record(Outcome::new(10_000, Duration::from_nanos(2)))?;
//! println!("{}", cube::history()?);
//! if let Some(prediction) = cube::predict(1_000_000) {
//!     println!("{prediction}");
//! }
//! cube::forget()?;
//! # Ok(())
//! # }
//! ```
//!
//! A history that cannot be read or written never stops a run: it is a warning, and the first items are timed.
//! [`flush`] waits until all is on disk; [`export`] and [`import`] carry it to another machine.
//!
//! A history holds the function's name, module and types (a closure's source file), times, sizes and counts, and the
//! size of the machine; never an item or a result. It takes up to some 200 KB, and there are 4,096 at most. The
//! directory can be deleted at any time. `online_learning = false` stops writing for a function, `ml_prediction =
//! false` reading.
//!
//! # In the environment
//!
//! - `AMORSIZE=serial`: every stream is a plain loop, and leaves no record.
//! - `AMORSIZE_THREADS`: replaces the number of cores.
//! - `AMORSIZE_CACHE_DIR`: where histories are kept, instead of `amorsize` in the platform's directory for caches.
//!
//! An empty value is as none, and one that makes no sense is ignored, with a `tracing` warning.
//!
//! # Platforms
//!
//! Rust 1.89 or later. Tested on Linux, where CPU quotas, control groups and the time that a thread waits for a
//! processor are known. On macOS, FreeBSD and OpenBSD only functions that wait for more than nine tenths of their time
//! are recognised as such; on Windows and elsewhere none is, so say `pool = blocking`. There the machine's memory is
//! the limit.
#![forbid(unsafe_code)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod alarm;
mod bytes;
mod constants;
mod consumers;
mod decide;
mod engine;
mod environment;
mod epoch;
mod error;
mod fingerprint;
mod first_thread;
mod indexed;
mod learn;
mod machine;
mod options;
mod plan;
pub mod pool;
mod prediction;
mod quiet;
mod reason;
mod report;
#[cfg(any(test, feature = "__sim"))]
mod sim;
mod stream;
mod sync;
mod tuner;
mod words;
mod work;

/// Makes a function that handles one item run over any iterator of items, the fastest safe way.
///
/// The function stays as it is. Beside it the attribute adds a hidden type of the same name, which one `use`
/// brings along, with these calls:
///
/// | call | what it does |
/// |---|---|
/// | `f::stream(items)` | a lazy iterator over the results ([`Stream`]) |
/// | `f::scope(items, \|stream\| …)` | the same for borrowed items |
/// | `f::collect::<C>(items)` | collects the results into any collection, or stops at the first error |
/// | `f::for_each(items, sink)` | gives each result to `sink`, on the calling thread |
/// | `f::run(items)` | for effects: drops the results and reports ([`Report`]) |
/// | `f::tuner()` | the options of the attribute, to be changed before any of these calls ([`Tuner`]) |
/// | `f::with(context…)` | instead of all of these if the function has further parameters: binds them and returns a [`Tuner`] |
/// | `f::predict(len)` | the plan that earlier runs suggest, as far as they do ([`Prediction`]) |
/// | `f::history()`, `f::forget()` | what has been learned of the function ([`History`]); drops it |
/// | `f::record(outcome)` | learns from a run that was measured by other means ([`Outcome`]) |
///
/// ```
/// #[amorsize::streaming]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let squares: Vec<u64> = square::stream(1..4).collect();
/// assert_eq!(squares, [1, 4, 9]);
/// assert_eq!(square(5), 25);
/// ```
///
/// # Items by reference
///
/// A function of `&str`, `&Path` or any other `&B` takes every item that is `Borrow<B>`. The result may borrow
/// from the item.
///
/// ```
/// #[amorsize::streaming]
/// fn length(text: &str) -> usize {
///     text.len()
/// }
///
/// #[amorsize::streaming]
/// fn first_word(line: &str) -> &str {
///     line.split(' ').next().unwrap_or("")
/// }
///
/// let text = String::from("to be\nor not to be");
/// assert_eq!(length::collect::<Vec<_>>(text.lines()), [5, 12]);
/// assert_eq!(length::stream(vec![String::from("owned")]).next(), Some(5));
/// assert_eq!(first_word::collect::<Vec<_>>(text.lines()), ["to", "or"]);
/// ```
///
/// # Context
///
/// Further parameters are bound once for all items: what the function takes as `&C` may be given as `C`, `&C`,
/// `Arc<C>` or anything else that is `Borrow<C>`; what it takes as `C` is cloned for every item.
///
/// ```
/// struct Model {
///     weight: f64,
/// }
///
/// #[amorsize::streaming]
/// fn score(doc: String, model: &Model) -> f64 {
///     doc.len() as f64 * model.weight
/// }
///
/// let docs = vec![String::from("short"), String::from("longer")];
/// let model = Model { weight: 0.5 };
/// let best = score::with(&model).threads(2).scope(docs, |scores| scores.fold(0.0, f64::max));
/// assert_eq!(best, 3.0);
/// ```
///
/// # Generic functions
///
/// Types are inferred from the items, or stated after the function's name; each instance is planned and learned by
/// itself.
///
/// ```
/// #[amorsize::streaming]
/// fn parse<T: std::str::FromStr>(text: &str) -> Option<T> {
///     text.parse().ok()
/// }
///
/// assert_eq!(parse::<u8>::collect::<Vec<_>>(["1", "x"]), [Some(1), None]);
/// ```
pub use amorsize_macros::streaming;
pub use error::Error;
pub use indexed::Indexed;
pub use learn::by_hand::{cache_dir, flush};
pub use learn::calibrated::current as calibration;
pub use learn::calibration::Calibration;
pub use learn::exchange::{export, import};
pub use learn::history::{History, Record, Records};
pub use learn::outcome::Outcome;
pub use machine::{Machine, machine};
pub use options::{Adaptation, Order};
pub use plan::{Origin, Plan, Pool};
pub use prediction::Prediction;
pub use report::Report;
pub use stream::Stream;
pub use tuner::{Collect, Tuner};
pub use work::{ByRef, ByValue, Call, Work};

/// The pure decisions in virtual time, for `benches/`. No part of the interface.
#[doc(hidden)]
#[cfg(any(test, feature = "__sim"))]
pub mod __sim {
    pub use crate::sim::{Regret, Regrets, Reliability, reliability, study};
}
