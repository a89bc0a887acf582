//! Many processes at once.

use crate::children::{Home, Played};

pub fn eight_processes_lose_nothing() {
    let home = Home::new();
    let children: Vec<_> = (0..8).map(|_| home.start("record", "200")).collect();
    for child in children {
        let played = Played::of(child.wait_with_output().expect("an end"));
        assert!(played.ok, "{}", played.stderr);
        assert!(played.warnings().is_empty(), "{}", played.stderr);
    }
    assert_eq!(home.count(), 1600);
}
