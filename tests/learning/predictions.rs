//! What `predict` knows of the items that it is asked about.

use std::time::Duration;

use amorsize::{Outcome, Pool, Tuner, Work};

use crate::children::Home;

pub(crate) fn predictions_are_for_items_like_the_last_ones_whatever_the_function_captures() {
    let home = Home::new();
    let played = Home::played(home.command("predict", "").env("AMORSIZE_THREADS", "4"));
    assert!(
        played.ok && played.stdout == "captures nothing: Cpu, captures much: Cpu, of texts: Serial\n",
        "{played:?}"
    );
}

/// Where threads would pay, unless what items own made them lose.
pub(crate) fn play() {
    let table = vec![1_u64; 1_000];
    let captures_nothing = predicted(&Tuner::new("captures nothing", |n: u64| n + 1));
    let captures_much = predicted(&Tuner::new("captures much", move |n: u64| table[n as usize % 1_000]));
    let texts = Tuner::new("texts", |text: String| text.len()).online_learning(false);
    assert_eq!(texts.stream([String::from("text")]).next(), Some(4));
    let of_texts = predicted(&texts);
    println!("captures nothing: {captures_nothing:?}, captures much: {captures_much:?}, of texts: {of_texts:?}");
}

fn predicted<W: Work<I>, I>(tuner: &Tuner<W>) -> Pool {
    let outcome = || Outcome::new(10_000, Duration::from_micros(1));
    (0..3).for_each(|_| tuner.record(outcome()).expect("recorded"));
    tuner.predict(10_000).expect("three are enough").plan().pool()
}
