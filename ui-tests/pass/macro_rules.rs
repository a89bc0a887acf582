//! Functions made by a macro. What the attribute adds is no concern of the lints of whoever wrote that.
#![deny(warnings, missing_debug_implementations, unreachable_pub)]

macro_rules! scaled {
    ($visibility:vis $name:ident, $factor:literal, $ty:ty, $threads:literal, $share:expr) => {
        #[amorsize::streaming(threads = $threads, confidence_threshold = $share)]
        $visibility fn $name(n: $ty) -> $ty {
            n * $factor
        }
    };
    ($($rest:tt)*) => {};
}

scaled!(pub(crate) double, 2, u64, 2, 0.5);
scaled!(triple, 3, u32, 1, 1);

macro_rules! hidden {
    () => {
        #[amorsize::streaming]
        fn inner(item: &str, context: &str) -> usize {
            item.len() + context.len()
        }
        assert_eq!(inner::with("a").collect::<Vec<_>>(["bc"]), [3]);
    };
}

macro_rules! of_type {
    ($name:ident: $parameter:ty => $result:ty $body:block) => {
        #[amorsize::streaming]
        fn $name(_: $parameter) -> $result $body
    };
}

of_type!(nothing: &str => usize { 0 });
of_type!(same: std::borrow::Cow<'_, str> => usize { 0 });

macro_rules! public {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[amorsize::streaming]
        pub fn $name(item: u64) -> u64 {
            item
        }
    };
}

public! { used }

mod other {
    // Of the function itself, and of nothing that the attribute adds.
    public! {
        #[expect(unreachable_pub)]
        unused
    }
}

fn main() {
    hidden!();
    assert_eq!(used::stream([1]).next(), Some(1));
    assert_eq!(double::stream(0..3).sum::<u64>() + u64::from(triple::stream(0..3).sum::<u32>()), 15);
    assert_eq!(nothing::collect::<Vec<_>>(vec![String::new()]), [0]);
    assert_eq!(same::collect::<Vec<_>>([std::borrow::Cow::from("a")]), [0]);
}
