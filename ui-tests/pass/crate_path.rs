//! A crate that re-exports amorsize can say where.

mod facade {
    pub mod inner {
        pub use ::amorsize;
    }
}

use facade::inner::amorsize as tuned;

#[tuned::streaming(crate = crate::facade::inner::amorsize, ordered = auto, pool = cpu, memory_threshold = off)]
fn square(n: u64) -> u64 {
    n * n
}

macro_rules! streamed {
    ($($item:item)*) => {
        $(#[$crate::facade::inner::amorsize::streaming(crate = $crate::facade::inner::amorsize)] $item)*
    };
}

streamed! {
    /// Documented.
    pub(crate) fn cube(n: u64) -> u64 {
        n * n * n
    }

    fn first<'a, T>(items: &'a [T], _more: &[T]) -> Option<&'a T>
    where
        T: Sync,
    {
        items.first()
    }
}

fn main() {
    assert_eq!(cube::stream(0..3).sum::<u64>(), 9);
    assert_eq!(first::with([]).collect::<Vec<_>>([&[1u8][..]]), [Some(&1)]);
    assert_eq!(square::collect::<Vec<_>>(0..3).len(), 3);
}
