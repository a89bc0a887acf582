//! Functions, sources, consumers and values that call back into the library at the worst moment.
