//! Generic functions: inferred from the items, or stated.

use std::fmt::Debug;
use std::hash::Hash;

#[amorsize::streaming]
fn show<T: Debug>(item: T) -> String {
    format!("{item:?}")
}

#[amorsize::streaming]
fn size<T>(item: &T) -> usize
where
    T: AsRef<[u8]> + ?Sized,
{
    item.as_ref().len()
}

#[amorsize::streaming]
fn debug_size<T: Debug>(item: &T) -> usize {
    format!("{item:?}").len()
}

#[amorsize::streaming]
fn largest<T: Copy + Ord>(items: &[T]) -> Option<T> {
    items.iter().copied().max()
}

#[amorsize::streaming]
fn chunk<T, const N: usize>(items: [T; N]) -> (T, usize)
where
    T: Copy + Hash,
    [T; N]: Debug,
{
    (items[0], N)
}

#[amorsize::streaming]
fn parse<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[amorsize::streaming]
fn make<T: Default, const N: usize>(_: u32) -> [T; N]
where
    [T; N]: Default,
{
    Default::default()
}

const CAPACITY: usize = 2;

mod sizes {
    pub const LARGE: usize = 3;
}

#[derive(Debug, PartialEq)]
struct Row<T, const N: usize>([T; N]);

#[amorsize::streaming]
fn row_of_parameter<const N: usize>(item: u8) -> Row<u8, N> {
    Row([item; N])
}

#[amorsize::streaming]
fn row_of_constant(item: u8) -> Option<Row<String, CAPACITY>> {
    Some(Row([item.to_string(), String::new()]))
}

#[amorsize::streaming]
fn row_of_distant_constant(item: u8) -> Result<Vec<Row<u8, { sizes::LARGE }>>, Row<u8, CAPACITY>> {
    Ok(vec![Row([item; sizes::LARGE])])
}

#[amorsize::streaming]
#[allow(non_upper_case_globals)]
fn row_of_lower_case<const n: usize>(item: u8) -> Row<u8, n> {
    Row([item; n])
}

trait Rule<'a> {
    fn apply(&self, text: &'a str) -> usize;
}

impl<'a> Rule<'a> for u8 {
    fn apply(&self, text: &'a str) -> usize {
        text.len() + *self as usize
    }
}

#[amorsize::streaming]
fn bound_lifetime<'a, 'b: 'a, R: Rule<'a>>(pair: (R, &'b str)) -> usize {
    pair.0.apply(pair.1)
}

#[amorsize::streaming]
fn higher_ranked<R>(rule: &R) -> usize
where
    for<'x> R: Rule<'x>,
{
    rule.apply("abc")
}

/// One of its types may have no size; the other one is inferred all the same.
#[amorsize::streaming]
fn holds<T, Q>(text: &T, part: &Q) -> bool
where
    T: AsRef<str>,
    Q: AsRef<str> + ?Sized,
{
    text.as_ref().contains(part.as_ref())
}

fn main() {
    assert_eq!(show::stream(1..3).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(show::<char>::tuner().threads(1).collect::<Vec<_>>(['a']), ["'a'"]);
    assert_eq!(size::<str>::collect::<Vec<_>>(["a", "bc"]), [1, 2]);
    assert_eq!(size::<str>::collect::<Vec<_>>(vec![String::from("def")]), [3]);
    assert_eq!(debug_size::collect::<Vec<_>>(vec![String::from("def")]), [5]);
    assert_eq!(debug_size::<u8>::collect::<Vec<_>>(&[1]), [1]);
    assert_eq!(largest::collect::<Vec<_>>([vec![1, 3, 2], vec![]]), [Some(3), None]);
    assert_eq!(largest::collect::<Vec<_>>([[1, 2]]), [Some(2)]);
    assert_eq!(chunk::stream([[1u8, 2]]).next(), Some((1, 2)));
    assert_eq!(parse::<u8>::collect::<Vec<_>>(["1", "x"]), [Some(1), None]);
    assert_eq!(make::<u8, 2>::stream(0..1).next(), Some([0, 0]));
    assert_eq!(bound_lifetime::collect::<Vec<_>>([(1u8, "ab")]), [3]);
    assert_eq!(higher_ranked::stream([1u8]).next(), Some(4));
    assert_eq!(holds::<_, str>::with("b").collect::<Vec<_>>(vec![String::from("abc")]), [true]);
    assert_eq!(row_of_parameter::<2>::stream([7]).next(), Some(Row([7, 7])));
    assert_eq!(row_of_lower_case::<2>::stream([7]).next(), Some(Row([7, 7])));
    assert_eq!(row_of_constant::stream([7]).next(), Some(Some(Row(["7".to_owned(), String::new()]))));
    assert_eq!(row_of_distant_constant::stream([7]).next(), Some(Ok(vec![Row([7, 7, 7])])));
    let kept: amorsize::Stream<std::vec::IntoIter<u8>, amorsize::Call<show<u8>>> = show::stream(vec![1]);
    assert_eq!(kept.count(), 1);
}
