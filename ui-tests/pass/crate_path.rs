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

fn main() {
    assert_eq!(square::collect::<Vec<_>>(0..3).len(), 3);
}
