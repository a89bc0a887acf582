//! Where items come from: a range or a vector, with what it tells of its length, and what each peer makes of it.

use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::vec;

use orx_parallel::IntoParIter;
use paralight::iter::{ExactParallelSourceExt, IntoExactParallelSource};
use paralight::threads::{CpuPinningPolicy, RangeStrategy, ThreadCount, ThreadPool, ThreadPoolBuilder};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

/// A function as every peer accepts it.
pub(crate) trait Function<I, R>: Fn(I) -> R + Clone + Send + Sync + 'static {}
impl<I, R, F: Fn(I) -> R + Clone + Send + Sync + 'static> Function<I, R> for F {}

/// An iterator that peers which need an indexed input can take apart.
pub(crate) trait Input: Iterator<Item: Send + Sync + 'static> + Send + 'static {
    fn rayon<R: Send>(self, work: impl Function<Self::Item, R>) -> Vec<R>;
    fn orx<R: Send>(self, work: impl Function<Self::Item, R>) -> Vec<R>;
    fn paralight<R: Send>(self, work: impl Function<Self::Item, R>) -> Vec<R>;
}

/// Paralight has no global pool; this is one.
static PARALIGHT: LazyLock<Mutex<ThreadPool>> = LazyLock::new(|| {
    let pool = ThreadPoolBuilder {
        num_threads: ThreadCount::AvailableParallelism,
        range_strategy: RangeStrategy::WorkStealing,
        cpu_pinning: CpuPinningPolicy::No,
    };
    Mutex::new(pool.build())
});

macro_rules! indexed {
    ($type:ty, [$($generic:tt)*], $input:ident => $indexed:expr) => {
        impl<$($generic)*> Input for $type {
            fn rayon<R: Send>(self, work: impl Function<Self::Item, R>) -> Vec<R> {
                let $input = self;
                IntoParallelIterator::into_par_iter($indexed).map(work).collect()
            }

            fn orx<R: Send>(self, work: impl Function<Self::Item, R>) -> Vec<R> {
                let $input = self;
                orx_parallel::Par::collect(orx_parallel::Par::map($indexed.into_par(), &work))
            }

            fn paralight<R: Send>(self, work: impl Function<Self::Item, R>) -> Vec<R> {
                let $input = self;
                let mut pool = PARALIGHT.lock().unwrap_or_else(PoisonError::into_inner);
                let source = IntoExactParallelSource::into_par_iter($indexed);
                ExactParallelSourceExt::with_thread_pool(ExactParallelSourceExt::map(source, work), &mut *pool).collect()
            }
        }
    };
}

indexed!(Range<usize>, [], range => range);
indexed!(vec::IntoIter<T>, [T: Send + Sync + 'static], items => items.collect::<Vec<T>>());

/// What a source tells of its length.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Length {
    /// All of it.
    Known,
    /// How much it is at most, as a `filter` does.
    Hidden,
    /// Nothing, like the lines of a reader, or a channel.
    Open,
}

impl Length {
    /// As it is printed, and given on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Hidden => "hidden",
            Self::Open => "open",
        }
    }
}

/// The source of a round: what `inner` yields, with as much of its size hint as `length` tells.
#[derive(Clone, Debug)]
pub(crate) struct Source<S> {
    pub(crate) inner: S,
    pub(crate) length: Length,
}

impl<S: Iterator> Iterator for Source<S> {
    type Item = S::Item;

    #[inline]
    fn next(&mut self) -> Option<S::Item> {
        self.inner.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (lower, upper) = self.inner.size_hint();
        match self.length {
            Length::Known => (lower, upper),
            Length::Hidden => (0, upper),
            Length::Open => (0, None),
        }
    }
}

impl<S: Input> Source<S> {
    /// An indexed input for peers that need one; a length that is not told has to be found by collecting first.
    pub(crate) fn rayon<R: Send>(self, work: impl Function<S::Item, R>) -> Vec<R> {
        match self.length {
            Length::Known => self.inner.rayon(work),
            Length::Hidden | Length::Open => self.inner.collect::<Vec<_>>().into_iter().rayon(work),
        }
    }

    /// As [`Source::rayon`]; where the length is not told, orx-parallel has its own way.
    pub(crate) fn orx<R: Send>(self, work: impl Function<S::Item, R>) -> Vec<R> {
        use orx_parallel::{IterIntoParIter, Par};
        match self.length {
            Length::Known => self.inner.orx(work),
            Length::Hidden | Length::Open => self.inner.iter_into_par().map(&work).collect(),
        }
    }

    /// As [`Source::rayon`].
    pub(crate) fn paralight<R: Send>(self, work: impl Function<S::Item, R>) -> Vec<R> {
        match self.length {
            Length::Known => self.inner.paralight(work),
            Length::Hidden | Length::Open => self.inner.collect::<Vec<_>>().into_iter().paralight(work),
        }
    }
}
