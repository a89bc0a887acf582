//! Measures amorsize against the plain loop and its peers.
fn main() {}
