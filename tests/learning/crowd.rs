//! Many processes at once lose nothing of what they record.

use crate::children::{Home, Played};

pub(crate) fn eight_processes_that_record_lose_nothing() {
    assert_eq!(records_after("record"), 1600);
}

pub(crate) fn eight_processes_that_stream_lose_nothing() {
    // One that was interrupted while its first items were timed may have changed its plan, and left two.
    assert!((1600..1650).contains(&records_after("stream")));
}

fn records_after(role: &str) -> usize {
    let home = Home::new();
    let children: Vec<_> = (0..8).map(|_| home.start(role, "200")).collect();
    for child in children {
        let played = Played::of(child.wait_with_output().expect("an end"));
        assert!(played.ok, "{}", played.stderr);
        assert!(played.warnings().is_empty(), "{}", played.stderr);
    }
    home.count()
}
