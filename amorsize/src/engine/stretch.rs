//! The plain loop in internal iteration: a stretch of it, as fast as the user's own. (`Stream::next` is the other one.)

use crate::work::Work;

/// Items of the plain loop that are run without counting them.
const BLOCK: usize = 8;

/// The plain loop over at most `budget` items. The source is passed by value, so that the compiler can keep all of it
/// in registers and vectorise the loop as it would the user's own.
#[inline(never)]
pub(crate) fn stretch<S, W, B>(
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
    // The source iterates by itself, which makes each item where the function takes it. A block of fixed length is
    // unrolled, so that counting costs next to nothing beside the cheapest functions.
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
