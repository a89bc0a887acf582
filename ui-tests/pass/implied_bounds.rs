//! What a signature implies of its types need not be written down for the added code either.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

#[amorsize::streaming]
fn rows(rows: &[&[&str]]) -> usize {
    rows.iter().map(|row| row.len()).sum()
}

#[amorsize::streaming]
fn cloned<T: Clone>(item: &&T) -> T {
    (**item).clone()
}

#[amorsize::streaming]
fn deep(item: &&&u8) -> u8 {
    ***item
}

#[amorsize::streaming]
fn pair<K: Clone, V: Clone>((key, value): &(&K, &V)) -> (K, V) {
    ((*key).clone(), (*value).clone())
}

#[amorsize::streaming]
fn counted(words: &HashMap<&str, &[&str]>) -> usize {
    words.values().map(|words| words.len()).sum()
}

#[amorsize::streaming]
fn is_borrowed<B: ToOwned + ?Sized>(item: &Cow<'_, B>) -> bool {
    matches!(item, Cow::Borrowed(_))
}

#[amorsize::streaming]
fn place<T: PartialEq + Sync>(item: T, known: &[&T]) -> Option<usize> {
    known.iter().position(|known| **known == item)
}

struct Context<'a, T>(&'a [T]);

#[amorsize::streaming]
fn has<T: Hash + Eq + Sync>(item: &T, context: &Context<'_, T>) -> bool {
    context.0.contains(item)
}

#[amorsize::streaming]
fn none<'a, T: Sync>(_: u32) -> &'a [T] {
    &[]
}

#[amorsize::streaming]
fn name<'a, 'b>(_: u32) -> &'a &'b str {
    &"name"
}

#[amorsize::streaming]
fn first<'a, T>(items: &'a [T]) -> &'a T {
    &items[0]
}

fn main() {
    let words = ["to", "be"];
    let (one, two) = (words[..1].to_vec(), words.to_vec());
    let table = [&one[..], &two[..]];
    assert_eq!(rows::collect::<Vec<_>>([&table[..]]), [3]);

    let numbers = [1_u8, 2];
    let references: Vec<&u8> = numbers.iter().collect();
    assert_eq!(cloned::collect::<Vec<u8>>(references.clone()), numbers);
    assert_eq!(deep::collect::<Vec<u8>>(references.iter()), numbers);
    assert_eq!(pair::collect::<Vec<(u8, u8)>>([(&numbers[0], &numbers[1])]), [(1, 2)]);
    assert_eq!(counted::collect::<Vec<_>>([HashMap::from([("a", &words[..])])]), [2]);
    assert_eq!(is_borrowed::collect::<Vec<_>>([Cow::Borrowed(words[0]), Cow::Owned(String::new())]), [true, false]);
    assert_eq!(place::with(&references[..]).collect::<Vec<_>>([2, 3]), [Some(1), None]);
    assert_eq!(has::with(Context(&numbers)).collect::<Vec<_>>([2, 3]), [true, false]);
    assert_eq!(none::<u8>::collect::<Vec<&[u8]>>([1]), [&[]]);
    assert_eq!(name::collect::<Vec<_>>([1]), [&"name"]);
    assert_eq!(first::collect::<Vec<_>>([&words[..]]), [&"to"]);
}
