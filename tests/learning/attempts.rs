//! Threads that were given up are tried again, but only where somebody learns from it.

use crate::children::Home;

pub(crate) fn threads_that_were_given_up_are_tried_again_where_that_is_recorded() {
    let home = Home::new();
    let begin = |how: &str| {
        let played = Home::played(home.command("begin", how).env("AMORSIZE_THREADS", "2"));
        assert!(played.ok, "{}", played.stderr);
        played.stdout
    };
    assert!(begin("give up").contains("nothing beat the plain loop"));
    let due = begin("as usual");
    assert!(due.contains("threads: 2") && due.contains("due for another attempt"), "{due}");
    let unrecorded = begin("without learning");
    assert!(unrecorded.contains("nothing beat the plain loop"), "it would never end: {unrecorded}");
    let confident = begin("with confidence");
    assert!(confident.contains("Measured"), "an attempt has none: {confident}");
}
