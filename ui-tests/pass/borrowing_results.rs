//! A result may borrow from its item.

use std::borrow::Cow;

#[amorsize::streaming]
fn elided(line: &str) -> &str {
    line.split(' ').next().unwrap_or("")
}

#[amorsize::streaming]
fn named<'a>(line: &'a str) -> Option<&'a str> {
    line.split(' ').next()
}

#[amorsize::streaming]
fn cow(line: Cow<'_, str>) -> Cow<'_, str> {
    line
}

#[amorsize::streaming]
fn deep<'a, T: PartialEq>(pair: &(&'a [T], T)) -> &'a [T] {
    pair.0.split(|x| *x == pair.1).next().unwrap_or(&[])
}

#[amorsize::streaming]
fn from_both<'a>(line: &'a str, other: &'a str) -> &'a str {
    if line.is_empty() { other } else { line }
}

#[amorsize::streaming]
fn from_context<'m>(index: usize, names: &'m [String]) -> &'m str {
    &names[index]
}

#[amorsize::streaming]
fn from_nowhere<'a>(n: u32) -> &'a str {
    if n == 0 { "zero" } else { "more" }
}

#[amorsize::streaming]
fn forever(text: &'static str) -> &'static str {
    text
}

trait Keyed {
    fn key(&self) -> &str;
}

impl Keyed for String {
    fn key(&self) -> &str {
        self
    }
}

#[amorsize::streaming]
fn key<T: Keyed>(item: &T) -> &str {
    item.key()
}

#[amorsize::streaming]
fn same<T>(item: &mut T) -> (&T, usize) {
    (item, 1)
}

#[amorsize::streaming]
fn longer_lived<'a, 'b: 'a>(item: &'b str) -> &'a str {
    item
}

#[amorsize::streaming]
fn or_else<'a, 'b: 'a>(item: &'a str, other: &'b str) -> &'a str {
    if item.is_empty() { other } else { item }
}

type Cut = for<'y> fn(&'y str) -> &'y str;

#[amorsize::streaming]
fn cut(text: &str, by: for<'y> fn(&'y str) -> &'y str) -> &str {
    by(text)
}

#[amorsize::streaming]
fn copied(by: &for<'y> fn(&'y str) -> &'y str) -> for<'y> fn(&'y str) -> &'y str {
    *by
}

trait Rule<'a> {
    type Output;
    fn apply(self) -> Self::Output;
}

impl<'a> Rule<'a> for &'a str {
    type Output = Option<&'a str>;
    fn apply(self) -> Self::Output {
        self.split(' ').next()
    }
}

/// Only a bound says for what the result borrows.
#[amorsize::streaming]
fn by_bound<'a, R: Rule<'a>>(rule: R) -> R::Output {
    rule.apply()
}

fn main() {
    assert_eq!(cut::with(str::trim as Cut).collect::<Vec<_>>([" a", "b "]), ["a", "b"]);
    assert_eq!(copied::stream([str::trim as Cut]).next().map(|by| by(" a")), Some("a"));
    let strings = vec![String::from("a"), String::from("b")];
    assert_eq!(key::collect::<Vec<_>>(&strings), ["a", "b"]);
    assert_eq!(same::collect::<Vec<_>>(&mut [1, 2]), [(&1, 1), (&2, 1)]);
    let text = String::from("to be\nor not");
    assert_eq!(elided::collect::<Vec<_>>(text.lines()), ["to", "or"]);
    assert_eq!(named::collect::<Option<Vec<_>>>(text.lines()).unwrap(), ["to", "or"]);
    assert_eq!(elided::scope(text.lines(), |words| words.last()), Some("or"));
    assert_eq!(elided::stream(["one two"]).next(), Some("one"));
    assert_eq!(cow::collect::<Vec<_>>(text.lines().map(Cow::from)).len(), 2);
    let data = [1, 2, 3];
    assert_eq!(deep::collect::<Vec<_>>(&[(&data[..], 3)]), [&[1, 2]]);
    let other = String::from("other");
    assert_eq!(from_both::with(&other).collect::<Vec<_>>(["", "a"]), ["other", "a"]);
    assert_eq!(longer_lived::collect::<Vec<_>>(text.lines()), ["to be", "or not"]);
    assert_eq!(or_else::with(&other).collect::<Vec<_>>(["", "a"]), ["other", "a"]);
    let names = vec![String::from("zero"), String::from("one")];
    assert_eq!(from_context::with(&names).collect::<Vec<_>>(0..2), ["zero", "one"]);
    assert_eq!(from_nowhere::collect::<Vec<&'static str>>(0..2), ["zero", "more"]);
    assert_eq!(forever::stream(["a"]).next(), Some("a"));
    assert_eq!(by_bound::collect::<Vec<_>>(text.lines()), [Some("to"), Some("or")]);
}
