//! Every other example runs and prints what it promises.

use crate::program::{Program, output};

/// Runs the example without arguments; returns what it prints.
fn printed_by(name: &str) -> String {
    let (code, printed, messages) = output(&mut Program::new(name).command());
    assert_eq!(code, Some(0), "{messages}");
    printed
}

#[test]
fn fetch_all_gets_every_page_of_its_own_server() {
    let printed = printed_by("fetch_all");
    assert!(printed.starts_with("10890 bytes of 500 pages\n"), "{printed}");
}

#[test]
fn score_lines_shows_the_highest_scores_in_the_order_of_lines() {
    let printed = printed_by("score_lines");
    assert_eq!(printed.lines().count(), 5, "{printed}");
    assert!(printed.lines().all(|line| line.contains("(1 of 8 rules)")), "{printed}");
    let number = |line: &str| line.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    assert!(printed.lines().map(number).is_sorted(), "{printed}");
}

#[test]
fn borrowed_finds_the_longest_word_of_a_line() {
    let printed = printed_by("borrowed");
    assert!(printed.starts_with("line 1: amorsize\nline 2: \nline 3: "), "{printed}");
}

#[test]
fn closure_finds_the_words_that_its_dictionary_has_not() {
    let printed = printed_by("closure");
    let unknown: Vec<&str> = printed.lines().nth(1).unwrap().split(' ').collect();
    assert!(unknown.contains(&"versioning"), "{printed}");
    assert!(!unknown.contains(&"function"), "{printed}");
}
