//! Nothing is taken from the prelude.

#![no_implicit_prelude]

#[::amorsize::streaming(estimated_item_time = "2us", pool = auto, memory_threshold = off, adaptive_chunking = 0.5)]
fn plain(n: u64) -> u64 {
    n
}

#[::amorsize::streaming]
fn generic<'a, T, const N: usize>(items: &'a [T; N], more: &[T], value: u8) -> &'a T {
    let _ = (more, value);
    &items[0]
}

#[::amorsize::streaming]
fn unit(_: &str) {}

fn main() {
    plain::run(0..3);
    ::std::assert_eq!(generic::with([2u8], 1).for_each([&[1u8]], |_| {}), ());
    unit::run(["a"]);
}
