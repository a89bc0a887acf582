//! Modules, macros, types and traits that look like what the added code uses.

#![allow(dead_code, unused_macros, non_upper_case_globals)]

mod core {}
mod std {}
mod amorsize {}
mod borrow {}

macro_rules! module_path {
    () => {
        compile_error!("shadowed")
    };
}
macro_rules! option_env {
    ($($any:tt)*) => {
        compile_error!("shadowed")
    };
}

struct Option;
struct Result;
struct Item;
struct Send;
struct Sized;
struct Context;
static context: u8 = 0;
static items: u8 = 0;
static sink: u8 = 0;
const body: u8 = 0;
const len: u8 = 0;
const outcome: u8 = 0;
const tuner: u8 = 0;
trait Iterator {}
trait IntoIterator {}
trait Borrow {
    fn borrow(&self) {}
    fn stream(&self) {}
}
impl<T> Borrow for T {}
trait Clone {
    fn clone(&self) {}
}
impl<T> Clone for T {}

#[::amorsize::streaming(pool = auto, estimated_item_time = "1us", memory_threshold = off)]
fn length(text: &str, more: &str, value: u64) -> u64 {
    text.len() as u64 + more.len() as u64 + value
}

#[::amorsize::streaming]
fn generic<T>(item: T) -> T {
    item
}

fn main() {
    assert_eq!(length::with("a", 1).collect::<Vec<_>>(["a"]), [3]);
    assert_eq!(generic::collect::<Vec<_>>(["a"]), ["a"]);
}
