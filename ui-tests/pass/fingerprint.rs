//! What is learned of a function is filed under where it is; layout and comments do not change its fingerprint.

use amorsize::__private::{Named, Site};

const fn site<N: Named>() -> Site {
    N::SITE
}

mod plain {
    #[amorsize::streaming(threads = 2)]
    pub fn f<T: Copy + Into<i64>>(x: &T, more: &[i64]) -> Vec<Vec<i64>> {
        let y = -1;
        let z: i64 = (*x).into();
        vec![more.iter().map(|m| m + z * y).collect()]
    }
}

mod spread {
    /// Documented.
    #[amorsize::streaming(crate = amorsize, threads=2,)]
    #[inline]
    pub(crate) fn f<T:Copy+Into<i64>>(
        x: & T,
        more:&[i64]
    )->Vec<Vec<i64>>{
        //! Inside.
        let y=-1; /* one */
        let z :i64=( * x ) . into() ;
        /** Two. */
        vec![more.iter().map(|m|m+z*y).collect()]
    }
}

mod other_option {
    #[amorsize::streaming(threads = 3)]
    pub fn f<T: Copy + Into<i64>>(x: &T, more: &[i64]) -> Vec<Vec<i64>> {
        let y = -1;
        let z: i64 = (*x).into();
        vec![more.iter().map(|m| m + z * y).collect()]
    }
}

mod other_body {
    #[amorsize::streaming(threads = 2)]
    pub fn f<T: Copy + Into<i64>>(x: &T, more: &[i64]) -> Vec<Vec<i64>> {
        let y = -2;
        let z: i64 = (*x).into();
        vec![more.iter().map(|m| m + z * y).collect()]
    }
}

macro_rules! documented {
    ($module:ident, $(#[$meta:meta])*) => {
        mod $module {
            #[amorsize::streaming]
            pub fn f(n: u64) -> u64 {
                $(#[$meta])*
                fn next(n: u64) -> u64 {
                    n + 1
                }
                next(n)
            }
        }
    };
}

documented!(undocumented,);
documented!(in_a_macro, /// Documented.
    #[doc = "More."]);
documented!(inlined, #[inline]);

mod close {
    #[amorsize::streaming(threads = 2, chunk_size = 3)]
    pub fn f(x: &&str) -> Vec<Vec<u8>> {
        let v: Vec<Vec<u8>> = vec![x.bytes().collect()];
        v
    }
}

mod apart {
    #[amorsize::streaming(chunk_size = 3, threads = 2)]
    pub fn f(x: & &str) -> Vec<Vec<u8> > {
        let v: Vec<Vec<u8>>= vec![x.bytes().collect()];
        v
    }
}

fn main() {
    let [plain, spread] = [site::<plain::f<i32>>(), site::<spread::f<u8>>()];
    assert_eq!((plain.name, plain.module), ("f", concat!(module_path!(), "::plain")));
    assert!(!plain.package.is_empty());
    assert_eq!(plain.body, spread.body);
    assert_ne!(plain.body, site::<other_option::f<i32>>().body);
    assert_ne!(plain.body, site::<other_body::f<i32>>().body);
    assert_eq!(site::<undocumented::f>().body, site::<in_a_macro::f>().body);
    assert_ne!(site::<undocumented::f>().body, site::<inlined::f>().body);
    assert_eq!(site::<close::f>().body, site::<apart::f>().body);
    assert_eq!(plain::f::with([1]).collect::<Vec<_>>([1i32]), spread::f::with(vec![1]).collect::<Vec<_>>([1i32]));
    assert_eq!(other_body::f::with([1]).stream([1i32]).count() + other_option::f::with([1]).stream([1i32]).count(), 2);
}
