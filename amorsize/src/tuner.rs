//! The builder: a function, its options, and every way to run it.

use std::fmt;

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::decide::situation::{Kind, Situation};
use crate::engine::flow::Course;
use crate::engine::launch::Detached;
use crate::engine::scope::{self, Scoped};
use crate::fingerprint::Identity;
use crate::learn::experience;
use crate::options::{self, Adaptation, Options, Order};
use crate::plan::Pool;
use crate::prediction::Prediction;
use crate::report::Report;
use crate::stream::Stream;
use crate::work::{ByRef, ByValue, Discard, Work};

/// A function with its options, ready to run over any number of inputs.
///
/// `f::tuner()` gives the one of an annotated function, with the attribute's options as defaults;
/// [`Tuner::new`] makes one for a closure. Every option is planned unless it is set here.
/// What is set wins over what is planned; of what is set, `AMORSIZE=serial` in the environment wins over all, then
/// `pool`, then a single thread or a buffer of one item, which mean the plain loop.
///
/// ```
/// use amorsize::Tuner;
///
/// let factor = 3;
/// let triple = Tuner::new("triple", move |n: u64| n * factor);
/// let results: Vec<u64> = triple.collect(0..5);
/// assert_eq!(results, [0, 3, 6, 9, 12]);
/// ```
///
/// # Its type
///
/// `W` is [`ByValue<F>`](ByValue) for a function or closure `F` that takes its item by value, [`ByRef<B, F>`](ByRef) for
/// one that takes a `&B`, and [`Call<f>`](crate::Call) for an annotated `f`. What returns a tuner says what it takes
/// and gives; what keeps one that is chosen at run time boxes the function.
///
/// ```
/// use amorsize::{ByValue, Tuner, Work};
///
/// fn doubling() -> Tuner<impl Work<u64, Output = u64>> {
///     Tuner::new("double", |n: u64| 2 * n)
/// }
///
/// struct Model {
///     score: Tuner<ByValue<Box<dyn Fn(u64) -> u64 + Send + Sync>>>,
/// }
///
/// let model = Model { score: Tuner::new("score", Box::new(|n: u64| n + 1)) };
/// assert_eq!(model.score.collect::<Vec<_>>(doubling().stream(0..3)), [1, 3, 5]);
/// ```
#[must_use = "a tuner does nothing until it is run over an input"]
pub struct Tuner<W> {
    work: Arc<W>,
    options: Options,
    pub(crate) identity: Identity,
}

impl<F> Tuner<ByValue<F>> {
    /// A tuner for a closure or function that takes its item by value; [`Tuner::by_ref`] makes one that takes `&str`,
    /// say, and is given `String`s. What is learned is kept under `name`, which is
    /// a literal since a name made at run time would make a function of its own each time, the closure's type and its
    /// file. Of two that share all of these, each learns from the other too, but less than from itself; so it
    /// does from its own runs before this call moved to another line.
    #[track_caller]
    pub fn new<I, R>(name: &'static str, function: F) -> Self
    where
        F: Fn(I) -> R,
    {
        Self::of(Identity::of_closure::<F>(name), ByValue(function))
    }
}

impl<B: ?Sized, F> Tuner<ByRef<B, F>> {
    /// A tuner for a closure or function that takes a reference: it accepts any item that is `Borrow<B>`. The result
    /// cannot borrow from the item here. (A function with the attribute can, and so can [`Tuner::new`] with a closure
    /// that states the lifetime, such as `|line: &'static str| line.trim()`.)
    ///
    /// ```
    /// use amorsize::Tuner;
    ///
    /// let lengths = Tuner::by_ref("lengths", |line: &str| line.len());
    /// assert_eq!(lengths.collect::<Vec<_>>(["a", "bc"]), [1, 2]);
    /// assert_eq!(lengths.collect::<Vec<_>>(vec![String::from("def")]), [3]);
    /// ```
    #[track_caller]
    pub fn by_ref<R>(name: &'static str, function: F) -> Self
    where
        F: Fn(&B) -> R,
    {
        Self::of(Identity::of_closure::<F>(name), ByRef::new(function))
    }
}

impl<W> Tuner<W> {
    /// A tuner with no option set.
    pub(crate) fn of(identity: Identity, work: W) -> Self {
        Self { work: Arc::new(work), options: Options::default(), identity }
    }

    fn set(mut self, set: impl FnOnce(&mut Options)) -> Self {
        set(&mut self.options);
        self
    }

    /// In which order results come out: `true`, `false`, or [`Order::Auto`] to let the plan choose. Default: `true`.
    pub fn ordered(self, order: impl Into<Order>) -> Self {
        let order = order.into();
        self.set(|options| options.ordered = order)
    }

    /// Threads that run the function at the same time; more than 65,535 count as that. Default: planned.
    ///
    /// # Panics
    /// When `threads` is 0.
    #[track_caller]
    pub fn threads(self, threads: usize) -> Self {
        let threads = options::threads("threads", threads);
        self.set(|options| options.threads = Some(threads))
    }

    /// Items handed to a thread at a time. Default: planned, and adapted while running.
    ///
    /// # Panics
    /// When `chunk_size` is 0.
    #[track_caller]
    pub fn chunk_size(self, chunk_size: usize) -> Self {
        let chunk_size = options::at_least_one("chunk_size", chunk_size);
        self.set(|options| options.chunk_size = Some(chunk_size))
    }

    /// Most items taken from the source and not yet yielded. Chunks are made small enough to fit. Default: planned, so
    /// that results stay within a tenth of the available memory; what items own is not seen.
    ///
    /// # Panics
    /// When `buffer_size` is 0.
    #[track_caller]
    pub fn buffer_size(self, buffer_size: usize) -> Self {
        let buffer_size = options::at_least_one("buffer_size", buffer_size);
        self.set(|options| options.buffer_size = Some(buffer_size))
    }

    /// Where items are run: a [`Pool`], or `None` to let the plan choose, which is the default.
    pub fn pool(self, pool: impl Into<Option<Pool>>) -> Self {
        let pool = pool.into();
        self.set(|options| options.pool = pool)
    }

    /// Most threads that run a function which waits, in each run, for the sake of a server or a disk behind it, unless
    /// their number is [stated](Tuner::threads). With 1, and no pool stated, such a function is a plain loop. More than
    /// 65,535 count as that. Default: 256.
    ///
    /// # Panics
    /// When `threads` is 0.
    #[track_caller]
    pub fn max_blocking_threads(self, threads: usize) -> Self {
        let threads = options::threads("max_blocking_threads", threads);
        self.set(|options| options.max_blocking_threads = threads)
    }

    /// Items to time before the first plan, 1..=10,000. Default: 5. More are timed where they are too short for the
    /// clock, fewer where they are long: by then, waiting for more would cost as much as a wrong plan.
    ///
    /// # Panics
    /// When `items` is out of range.
    #[track_caller]
    pub fn sample_size(self, items: usize) -> Self {
        let items = options::sample_size(items);
        self.set(|options| options.sample_size = items)
    }

    /// Time of the function for an item, to plan with instead of timing the first ones; more than 30 years count as
    /// that. Default: the first items are timed.
    ///
    /// # Panics
    /// When the time is zero.
    #[track_caller]
    pub fn estimated_item_time(self, time: Duration) -> Self {
        let time = options::estimate("estimated_item_time", time);
        self.set(|options| options.estimated_item_time = Some(time))
    }

    /// Time that a thread is to spend on a chunk, within 8,192 items, `buffer_size` and what caches hold. Default:
    /// planned.
    ///
    /// # Panics
    /// When the time is zero.
    #[track_caller]
    pub fn target_chunk_duration(self, time: Duration) -> Self {
        let time = options::positive("target_chunk_duration", time);
        self.set(|options| options.target_chunk_duration = Some(time))
    }

    /// Bytes of a result with everything it owns. Default: measured, for types of the standard library; a type of your
    /// own counts without what it owns, so say it if that is much.
    pub fn result_bytes(self, bytes: usize) -> Self {
        self.set(|options| options.result_bytes = Some(bytes))
    }

    /// Whether earlier runs are asked for a plan. Default: `true`.
    pub fn ml_prediction(self, on: bool) -> Self {
        self.set(|options| options.ml_prediction = on)
    }

    /// Whether this run is recorded for later ones. Default: `true`.
    pub fn online_learning(self, on: bool) -> Self {
        self.set(|options| options.online_learning = on)
    }

    /// Confidence below which a prediction is not used, 0.0..=1.0. Default: 0.7, moved by calibration between 0.5 and
    /// 0.95, and a prediction below it is still followed if the first items bear it out. Once it is set, to 0.7
    /// too, nothing below it is used, and threads that earlier runs gave up are not tried again.
    ///
    /// # Panics
    /// When the threshold is out of range.
    #[track_caller]
    pub fn confidence_threshold(self, threshold: f64) -> Self {
        let threshold = options::unit_interval("confidence_threshold", threshold);
        self.set(|options| options.confidence_threshold = Some(threshold))
    }

    /// Whether the chunk size follows what is observed: `false`, `true`, or the weight of a new observation in the
    /// running estimate, 0.0..=1.0. Default: `true`, which is 0.3.
    ///
    /// # Panics
    /// When a rate is out of range.
    #[track_caller]
    pub fn adaptive_chunking(self, adaptation: impl Into<Adaptation>) -> Self {
        let adaptation = adaptation.into();
        self.set(|options| options.adaptive_chunking = adaptation)
    }

    /// Share of the memory limit that applies (control group, address space or machine) above which no more items are
    /// taken from the source, 0.0..=1.0; `None` for off. At least one item always goes through. Memory that was freed
    /// counts until the allocator gives it back to the system. Default: 0.8.
    ///
    /// # Panics
    /// When the share is out of range.
    #[track_caller]
    pub fn memory_threshold(self, share: impl Into<Option<f64>>) -> Self {
        let share = share.into();
        if let Some(share) = share {
            options::unit_interval("memory_threshold", share);
        }
        self.set(|options| options.memory_threshold = share)
    }

    /// What a run over `len` items would start with where the last one did, from what earlier runs have taught; nothing
    /// is run. `None` with too few of them (fewer than 3), or when the confidence is below the threshold: a run then
    /// times its first items. Whether runs ask (`ml_prediction`) does not matter here. Items and results are thought to be of the
    /// types of the last run in this process, and to be small and own no memory where there was none; and threads to
    /// have been started, for which the first run of a process may be too short.
    ///
    /// ```
    /// # #[amorsize::streaming]
    /// # fn square(n: u64) -> u64 { n * n }
    /// match square::tuner().predict(1_000_000) {
    ///     Some(prediction) => println!("{prediction}"),
    ///     None => println!("too little is known"),
    /// }
    /// ```
    #[must_use]
    pub fn predict(&self, len: usize) -> Option<Prediction> {
        experience::predict(&self.identity, len, &self.options, &Situation::seen(Kind::default()))
    }

    /// A lazy iterator over the results, for items and results that own their data. It panics as [`Stream`] does, and
    /// so do the calls below.
    ///
    /// ```
    /// # #[amorsize::streaming]
    /// # fn square(n: u64) -> u64 { n * n }
    /// let tuner = square::tuner().threads(2).buffer_size(64);
    /// assert_eq!(tuner.stream(1..4).collect::<Vec<_>>(), [1, 4, 9]);
    /// ```
    #[track_caller]
    pub fn stream<I>(&self, items: I) -> Stream<I::IntoIter, W>
    where
        I: IntoIterator<Item: Send + 'static>, // borrowed items: `scope`, `collect`, `for_each` or `run`
        W: Work<I::Item, Output: Send + 'static> + Send + Sync + 'static, // a borrowed context: the same, or an `Arc`
    {
        self.start(items, Detached, Location::caller())
    }

    /// The same for borrowed items: `body` gets the stream, and when `scope` returns nothing of it runs any more.
    /// `body` is written as a closure: of a generic function `|stream| function(stream)`.
    ///
    /// ```
    /// # #[amorsize::streaming]
    /// # fn words(line: &str) -> usize { line.split_whitespace().count() }
    /// let text = String::from("to be\nor not to be");
    /// let most = words::scope(text.lines(), |counts| counts.max());
    /// assert_eq!(most, Some(4));
    /// ```
    #[track_caller]
    pub fn scope<'env, I, T>(
        &self,
        items: I,
        body: impl for<'a, 's> FnOnce(Stream<I::IntoIter, W, Scoped<'a, 's, 'env>>) -> T,
    ) -> T
    where
        I: IntoIterator<Item: Send + 'env>,
        W: Work<I::Item, Output: Send + 'env> + Send + Sync + 'env,
    {
        let place = Location::caller();
        scope::enter(|launcher| body(self.start(items, launcher, place)))
    }

    fn start<I, P>(&self, items: I, launcher: P, place: &'static Location<'static>) -> Stream<I::IntoIter, W, P>
    where
        I: IntoIterator,
        W: Work<I::Item>,
    {
        let course = Course::begin(self.identity, place, &self.options, Kind::of::<I::Item, W::Output>());
        Stream::start(items.into_iter(), Arc::clone(&self.work), course, launcher)
    }

    /// Runs over all items and collects the results into any collection. A `Result` or `Option` of one stops at the
    /// first error. By then the function may have been run for items behind it, `buffer_size` at most; for the others
    /// it never is.
    ///
    /// ```
    /// # #[amorsize::streaming]
    /// # fn parse(text: &str) -> Result<u32, std::num::ParseIntError> { text.parse() }
    /// let numbers: Vec<u32> = parse::collect::<Result<_, _>>(["1", "2", "3"])?;
    /// assert_eq!(numbers, [1, 2, 3]);
    /// assert!(parse::collect::<Result<Vec<u32>, _>>(["1", "two"]).is_err());
    /// # Ok::<(), std::num::ParseIntError>(())
    /// ```
    #[track_caller]
    pub fn collect<C>(&self, items: impl Collect<W, C>) -> C {
        items.collect_with(self)
    }

    /// Runs over all items and gives each result to `sink`, on the calling thread: in order, or as they come if
    /// unordered.
    ///
    /// ```
    /// # #[amorsize::streaming]
    /// # fn square(n: u64) -> u64 { n * n }
    /// let mut sum = 0;
    /// square::for_each(1..4, |square| sum += square);
    /// assert_eq!(sum, 14);
    /// ```
    #[track_caller]
    pub fn for_each<I>(&self, items: I, sink: impl FnMut(W::Output))
    where
        I: IntoIterator<Item: Send>,
        W: Work<I::Item, Output: Send> + Send + Sync,
    {
        self.scope(items, |stream| stream.for_each(sink));
    }

    /// Runs over all items for their effects, and reports. Results are dropped on the thread that made them, as they
    /// come, so `ordered` does not matter here. Errors among them are dropped too. To stop at the first, write
    /// `collect::<Result<(), _>>(items)` where the function returns a `Result<(), E>`, and otherwise
    /// `scope(items, |mut results| results.try_for_each(|result| result.map(drop)))`. (The function runs even if it has
    /// no effects: results count as used.)
    ///
    /// ```
    /// # #[amorsize::streaming]
    /// # fn square(n: u64) -> u64 { n * n }
    /// let report = square::run(0..1_000);
    /// assert_eq!(report.items_out(), 1_000);
    /// ```
    #[track_caller]
    pub fn run<I>(&self, items: I) -> Report
    where
        I: IntoIterator<Item: Send>,
        W: Work<I::Item> + Send + Sync,
    {
        let effects = Tuner {
            work: Arc::new(Discard(Arc::clone(&self.work))),
            options: Options { ordered: Order::Any, ..self.options.clone() },
            identity: self.identity,
        };
        effects.scope(items, |stream| stream.fold_reported((), |(), ()| ()).1)
    }
}

/// Inputs whose results under `W` can be collected into a `C`; see [`Tuner::collect`]. (A trait only so that
/// `collect::<C>` can be written without naming the type of the input.)
pub trait Collect<W, C> {
    #[doc(hidden)]
    fn collect_with(self, tuner: &Tuner<W>) -> C;
}

impl<I, W, C> Collect<W, C> for I
where
    I: IntoIterator<Item: Send>,
    W: Work<I::Item, Output: Send> + Send + Sync,
    C: FromIterator<W::Output>,
{
    #[track_caller]
    fn collect_with(self, tuner: &Tuner<W>) -> C {
        tuner.scope(self, |stream| stream.collect())
    }
}

/// Shares the function.
impl<W> Clone for Tuner<W> {
    fn clone(&self) -> Self {
        Self { work: Arc::clone(&self.work), options: self.options.clone(), identity: self.identity }
    }
}

impl<W> fmt::Debug for Tuner<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tuner")
            .field("name", &self.identity.site.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
