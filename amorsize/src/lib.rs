//! Annotate a per-item function; its map over any iterator runs the fastest safe way.
#![forbid(unsafe_code)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod bytes;
mod constants;
mod decide;
mod engine;
mod environment;
mod error;
mod fingerprint;
mod learn;
mod machine;
mod options;
mod plan;
pub mod pool;
mod prediction;
mod report;
mod sim;
mod stream;
mod tuner;
mod work;

/// Makes a function that handles one item run over any iterator of items, the fastest safe way.
///
/// The function stays as it is. Beside it the attribute adds a hidden type of the same name, which one `use` brings
/// along, with these calls:
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
/// A function of `&str`, `&Path` or any other `&B` takes every item that is `Borrow<B>`. The result may borrow from the
/// item.
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
/// Further parameters are bound once for all items: what the function takes as `&C` may be given as `C`, `&C`, `Arc<C>`
/// or anything else that is `Borrow<C>`; what it takes as `C` is cloned for every item.
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
pub use learn::by_hand::{cache_dir, flush};
pub use learn::calibrated::current as calibration;
pub use learn::calibration::Calibration;
pub use learn::exchange::{export, import};
pub use learn::history::{History, Run};
pub use learn::outcome::Outcome;
pub use machine::{Machine, machine};
pub use options::{Adaptation, Order};
pub use plan::{Origin, Plan, Pool};
pub use prediction::Prediction;
pub use report::Report;
pub use stream::{Indexed, Stream};
pub use tuner::{Collect, Tuner};
pub use work::{ByRef, ByValue, Call, Work};

/// The pure decisions in virtual time, for `benches/`. No part of the interface.
#[doc(hidden)]
pub mod __sim {
    pub use crate::sim::{Regret, Regrets, study};
}
