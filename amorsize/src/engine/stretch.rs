//! The plain loop in internal iteration: a stretch of it, as fast as the user's own. (`Stream::next` is the other one.)

use std::mem::needs_drop;

use crate::work::Work;

/// Items of the plain loop that are run without counting them.
const BLOCK: usize = 8;

/// The plain loop over at most `budget` items. The source is passed by value, so that the compiler can keep all of it
/// in registers and vectorise the loop as it would the user's own.
#[inline(never)]
pub(crate) fn stretch<S, W, B>(
    source: S,
    work: &W,
    budget: usize,
    folded: B,
    fold: &mut impl FnMut(B, W::Output) -> B,
) -> (S, B, usize)
where
    S: Iterator,
    W: Work<S::Item>,
{
    // What owns memory is too dear for a count to matter, and the function's code is there only once.
    if const { needs_drop::<S::Item>() || needs_drop::<W::Output>() } {
        one_by_one(source, work, budget, folded, fold)
    } else {
        in_blocks(source, work, budget, folded, fold)
    }
}

/// Item and result are made where they are taken, without a copy.
#[inline]
fn one_by_one<S, W, B>(
    mut source: S,
    work: &W,
    budget: usize,
    mut folded: B,
    fold: &mut impl FnMut(B, W::Output) -> B,
) -> (S, B, usize)
where
    S: Iterator,
    W: Work<S::Item>,
{
    for ran in 0..budget {
        let Some(item) = source.next() else { return (source, folded, ran) };
        folded = fold(folded, work.call(item));
    }
    (source, folded, budget)
}

/// The source iterates by itself, which makes each item where the function takes it. A block of fixed length is
/// unrolled, so that counting costs next to nothing beside the cheapest functions.
#[inline]
fn in_blocks<S, W, B>(
    mut source: S,
    work: &W,
    budget: usize,
    mut folded: B,
    fold: &mut impl FnMut(B, W::Output) -> B,
) -> (S, B, usize)
where
    S: Iterator,
    W: Work<S::Item>,
{
    let mut ran = 0;
    let mut block = |source: &mut S, folded, length| {
        let mut items = 0;
        let folded = source.take(length).fold(folded, |folded, item| {
            items += 1;
            fold(folded, work.call(item))
        });
        (folded, items)
    };
    loop {
        let length = budget - ran;
        let items;
        (folded, items) =
            if length >= BLOCK { block(&mut source, folded, BLOCK) } else { block(&mut source, folded, length) };
        ran += items;
        if items < BLOCK {
            return (source, folded, ran);
        }
    }
}
