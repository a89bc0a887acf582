//! A shorter study than the one of `benches/`.
