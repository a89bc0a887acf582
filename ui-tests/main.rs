//! The attribute as a user meets it: `pass/` compiles and runs, `fail/` shows each mistake with what the compiler says.
//!
//! After a change of the messages, `TRYBUILD=overwrite cargo test --test ui` writes them anew: read every one as the
//! person who made the mistake.

#[test]
fn pass() {
    trybuild::TestCases::new().pass("ui-tests/pass/*.rs");
}

#[test]
fn fail() {
    trybuild::TestCases::new().compile_fail("ui-tests/fail/*.rs");
}
