//! Functions in functions, modules and closures, some with the same name.

mod outer {
    #[amorsize::streaming]
    pub(super) fn square(n: u64) -> u64 {
        #[amorsize::streaming]
        fn square(n: u64) -> u64 {
            n
        }
        square::stream(0..=n).sum()
    }

    pub mod deeper {
        #[amorsize::streaming]
        pub(in crate::outer) fn one(_: u64) -> u64 {
            1
        }
    }

    pub fn ones() -> u64 {
        deeper::one::stream(0..5).sum()
    }
}

use outer::square;

fn main() {
    let local = || {
        #[amorsize::streaming]
        fn square(n: u64) -> u64 {
            n + 1
        }
        square::stream(0..2).sum::<u64>()
    };
    assert_eq!(square::stream(0..3).collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!((0..3).map(square).sum::<u64>(), 4);
    assert_eq!(local() + outer::ones(), 8);
}
