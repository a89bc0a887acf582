//! Random options, lengths, costs, panics and drops, against plain `map`.
