//! Where items come from: a range or a vector, with its length told or hidden, and what each peer makes of it.

use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::vec;

use orx_parallel::IntoParIter;
use paralight::iter::{ExactParallelSourceExt, IntoExactParallelSource};
use paralight::threads::{CpuPinningPolicy, RangeStrategy, ThreadCount, ThreadPool, ThreadPoolBuilder};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

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

/// The source of a round: what `inner` yields, with a length hint like a `filter`'s when `hidden`.
#[derive(Clone, Debug)]
pub(crate) struct Source<S> {
    pub(crate) inner: S,
    pub(crate) hidden: bool,
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
        (if self.hidden { 0 } else { lower }, upper)
    }
}

impl<S: Input> Source<S> {
    /// An indexed input for peers that need one; a hidden length has to be found by collecting first.
    pub(crate) fn rayon<R: Send>(self, work: impl Function<S::Item, R>) -> Vec<R> {
        if self.hidden { self.inner.collect::<Vec<_>>().into_iter().rayon(work) } else { self.inner.rayon(work) }
    }

    /// As [`Source::rayon`]; for a hidden length orx-parallel has its own way.
    pub(crate) fn orx<R: Send>(self, work: impl Function<S::Item, R>) -> Vec<R> {
        use orx_parallel::{IterIntoParIter, Par};
        if self.hidden { self.inner.iter_into_par().map(&work).collect() } else { self.inner.orx(work) }
    }

    /// As [`Source::rayon`].
    pub(crate) fn paralight<R: Send>(self, work: impl Function<S::Item, R>) -> Vec<R> {
        if self.hidden {
            self.inner.collect::<Vec<_>>().into_iter().paralight(work)
        } else {
            self.inner.paralight(work)
        }
    }
}
