//! Parameters of every form.

use std::path::{Path, PathBuf};

#[derive(Clone, Copy)]
struct Point {
    x: u64,
    y: u64,
}

#[amorsize::streaming]
fn tuple((a, b): (u64, u64)) -> u64 {
    a + b
}

#[amorsize::streaming]
fn record(Point { x, y }: Point) -> u64 {
    x + y
}

#[amorsize::streaming]
fn reference(&Point { x, .. }: &Point) -> u64 {
    x
}

#[amorsize::streaming]
fn mutable(mut n: u64, mut by: u64) -> u64 {
    by += 1;
    n += by;
    n
}

#[amorsize::streaming]
fn array([first, .., last]: [u64; 3]) -> u64 {
    first + last
}

#[amorsize::streaming]
fn ignored(_: ()) {}

#[amorsize::streaming]
fn in_place(slot: &mut [u64]) -> usize {
    slot.fill(1);
    slot.len()
}

#[amorsize::streaming]
fn path(path: &Path) -> usize {
    path.components().count()
}

#[amorsize::streaming]
fn bytes(bytes: &[u8]) -> usize {
    bytes.len()
}

#[amorsize::streaming]
fn callback(f: fn(&str, &u8) -> usize) -> usize {
    f("a", &1)
}

#[amorsize::streaming]
fn boxed(f: Box<dyn Fn(&str) -> &str + Send>) -> usize {
    f("abc").len()
}

trait Shape: Send + Sync {
    fn area(&self) -> u64;
}

struct Square<'a>(&'a u64);

impl Shape for Square<'_> {
    fn area(&self) -> u64 {
        self.0 * self.0
    }
}

#[amorsize::streaming]
fn area(shape: &dyn Shape) -> u64 {
    shape.area()
}

#[amorsize::streaming]
fn named<'a>(shape: &'a (dyn Shape + 'a)) -> u64 {
    shape.area()
}

/// Items that borrow, behind a type that does not say so.
fn areas(side: &u64) -> Vec<u64> {
    let mut areas: Vec<u64> = area::collect(vec![Box::new(Square(side)) as Box<dyn Shape + '_>]);
    areas.extend(named::collect::<Vec<_>>([&Square(side) as &dyn Shape]));
    areas
}

#[amorsize::streaming]
fn qualified(item: <Vec<u64> as IntoIterator>::Item, #[allow(unused_variables)] std::ops::Range::<u64> { start, .. }: std::ops::Range<u64>) -> u64 {
    item
}

#[derive(Clone, Copy)]
struct Pair<A, B>(A, B);

type Twice = fn(u64) -> u64;

#[amorsize::streaming]
fn generic(Pair::<u64, Option<Vec<Twice>>>(a, _): Pair<u64, Option<Vec<Twice>>>, Pair::<u64, u64>(b, c): Pair<u64, u64>) -> u64 {
    a + b + c
}

#[amorsize::streaming]
fn here(self::Point { x, y }: self::Point, (self::Pair(a, b), _): (self::Pair<u64, u64>, ())) -> u64 {
    x + y + a + b
}

#[amorsize::streaming]
fn never_fails(n: u64) -> Result<u64, std::convert::Infallible> {
    Ok(n)
}

#[amorsize::streaming]
const fn constant(n: u64) -> u64 {
    n
}

#[amorsize::streaming]
fn unread(#[cfg_attr(unix, allow(unused_variables))] n: u64) -> u64 {
    1
}

fn main() {
    assert_eq!(areas(&3), [9, 9]);
    assert_eq!(tuple::stream([(1, 2)]).next(), Some(3));
    let point = Point { x: 1, y: 2 };
    assert_eq!(record::stream([point]).next(), Some(3));
    assert_eq!(reference::stream([point]).next(), Some(1));
    assert_eq!(reference::collect::<Vec<_>>(&[point]), [1]);
    assert_eq!(mutable::with(1).stream([1]).next(), Some(3));
    assert_eq!(array::stream([[1, 2, 3]]).next(), Some(4));
    ignored::run([(), ()]);
    assert_eq!(unread::stream([5]).next(), Some(1));
    let mut data = [0; 10];
    assert_eq!(in_place::collect::<Vec<_>>(data.chunks_mut(3)), [3, 3, 3, 1]);
    assert_eq!(data, [1; 10]);
    assert_eq!(path::stream([PathBuf::from("a/b")]).next(), Some(2));
    assert_eq!(path::collect::<Vec<_>>([Path::new("a/b")]), [2]);
    assert_eq!(bytes::collect::<Vec<_>>([&b"ab"[..]]), [2]);
    assert_eq!(bytes::stream([vec![1]]).next(), Some(1));
    assert_eq!(callback::stream([(|a, _| a.len()) as fn(&str, &u8) -> usize]).next(), Some(1));
    assert_eq!(boxed::stream([Box::new(str::trim) as _]).next(), Some(3));
    assert_eq!(qualified::with(0..1).stream([1]).next(), Some(1));
    assert_eq!(generic::with(Pair(2, 3)).stream([Pair(1, None)]).next(), Some(6));
    assert_eq!(here::with((Pair(1, 2), ())).stream([point]).next(), Some(6));
    assert_eq!(never_fails::collect::<Result<Vec<_>, _>>(0..2), Ok(vec![0, 1]));
    assert_eq!(constant::stream(0..2).sum::<u64>(), constant(1));
}
