//! Cheap items that were pulled ahead of the first one of a new function are the plain loop's: as if they had come from
//! the source at their turn.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use amorsize::{ByValue, Tuner};

use crate::children::Home;
use crate::head_start::on_a_pool;

/// So many that no thread is woken for the first ones.
const ITEMS: usize = 200;
/// A place among those that are pulled ahead, if any are.
const EARLY: usize = 20;

type Texts = ByValue<fn(Arc<str>) -> String>;

pub(crate) fn a_stream_knows_where_it_is_among_them() {
    for how in ["watched", "panicking", "dropped", "folded"] {
        let home = Home::new();
        let played = Home::played(home.command("ahead", how).env("AMORSIZE_THREADS", "2"));
        assert!(played.ok, "{how}: {}", played.stderr);
        assert_ne!(played.stdout.trim(), "0 times", "{how}: none was pulled ahead, so nothing is tested");
    }
}

/// The child's part: says how often items were pulled ahead.
pub(crate) fn play(how: &str) {
    let names = ["first", "second", "third", "fourth", "fifth"];
    let is_ahead = |&name: &&'static str| match how {
        "watched" => is_right_at_every_result(name),
        "panicking" => ends_where_it_panics(name),
        "dropped" => drops_each_once(name),
        _ => folds_what_is_left(name),
    };
    on_a_pool(|| println!("{} times", names.into_iter().filter(is_ahead).count()));
}

fn texts() -> Vec<Arc<str>> {
    (0..ITEMS).map(|item| item.to_string().into()).collect()
}

fn shouting(name: &'static str) -> Tuner<Texts> {
    Tuner::new(name, |text| {
        assert_ne!(&*text, "20 is too many");
        format!("{text}!")
    })
}

fn is_right_at_every_result(name: &'static str) -> bool {
    let taken = Rc::new(Cell::new(0));
    let counted = Rc::clone(&taken);
    let mut stream = shouting(name).stream(texts().into_iter().inspect(move |_| counted.set(counted.get() + 1)));
    let mut is_ahead = false;
    for out in 1..=ITEMS {
        assert_eq!(stream.next(), Some(format!("{}!", out - 1)));
        let report = stream.report();
        assert_eq!(stream.size_hint(), (ITEMS - out, Some(ITEMS - out)), "after {out}");
        assert_eq!((report.items_in(), report.items_out()), (taken.get(), out as u64), "after {out}");
        is_ahead |= taken.get() > out as u64;
    }
    assert_eq!(stream.next(), None);
    is_ahead
}

fn ends_where_it_panics(name: &'static str) -> bool {
    let mut texts = texts();
    texts[EARLY] = "20 is too many".into();
    let mut stream = shouting(name).stream(texts);
    let mut results = Vec::new();
    let caught = catch_unwind(AssertUnwindSafe(|| results.extend(stream.by_ref())));
    assert!(caught.is_err() && results.len() == EARLY, "{results:?}");
    let report = stream.report();
    assert_eq!((stream.next(), stream.size_hint()), (None, (0, Some(0))));
    assert_eq!(report.items_out(), EARLY as u64);
    report.items_in() > EARLY as u64 + 1
}

fn drops_each_once(name: &'static str) -> bool {
    let (texts, mut is_ahead) = (texts(), false);
    for read in 1..=EARLY {
        let mut stream = shouting(name).stream(texts.clone());
        assert_eq!(stream.by_ref().take(read).count(), read);
        is_ahead |= stream.report().in_flight() > 0;
        drop(stream);
        assert!(texts.iter().all(|text| Arc::strong_count(text) == 1), "after {read}");
    }
    is_ahead
}

fn folds_what_is_left(name: &'static str) -> bool {
    let mut indexed = shouting(name).stream(texts()).indexed();
    let mut places: Vec<_> = indexed.by_ref().take(EARLY).map(|(place, _)| place).collect();
    let is_ahead = indexed.report().in_flight() > 0;
    indexed.for_each(|(place, text)| {
        assert_eq!(text, format!("{place}!"));
        places.push(place);
    });
    assert!(places.into_iter().eq(0..ITEMS));
    is_ahead
}
