//! Many processes at once.

use crate::children::{Home, Played};

pub(crate) fn eight_processes_that_record_lose_nothing() {
    all_is_there_after("record");
}

pub(crate) fn eight_processes_that_stream_lose_nothing() {
    all_is_there_after("stream");
}

fn all_is_there_after(role: &str) {
    let home = Home::new();
    let children: Vec<_> = (0..8).map(|_| home.start(role, "200")).collect();
    for child in children {
        let played = Played::of(child.wait_with_output().expect("an end"));
        assert!(played.ok, "{}", played.stderr);
        assert!(played.warnings().is_empty(), "{}", played.stderr);
    }
    assert_eq!(home.count(), 1600);
}
