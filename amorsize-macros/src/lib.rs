//! The `#[streaming]` attribute of `amorsize`, which re-exports and documents it. Depend on that crate.

mod args;
mod calls;
mod expand;
mod fingerprint;
mod function;
mod generics;
mod implied;
mod impls;
mod inputs;
mod lifetimes;
mod meant;
mod mistakes;
mod owned;
mod taken;
mod tokens;

use proc_macro::TokenStream;

/// # Options
///
/// As in `#[streaming(ordered = false, threads = 4)]`. Each is also a method of `Tuner`, with the same default, and
/// there it overrides what the attribute says. Values are literals and are checked at compile time; all mistakes are
/// reported at once.
///
/// | option | values | default |
/// |---|---|---|
/// | `ordered` | `true`, `false`, `auto` | `true` |
/// | `threads` | 1 or more; above 65535 counts as that | planned |
/// | `chunk_size` | items, 1 or more | planned, adapted while running |
/// | `buffer_size` | items taken from the source and not yet yielded, 1 or more | planned |
/// | `pool` | `auto`, `serial`, `cpu`, `blocking` | `auto` |
/// | `max_blocking_threads` | 1 or more; above 65535 counts as that | `256` |
/// | `sample_size` | items, 1 to 10000 | `5` |
/// | `estimated_item_time` | a time: `"200us"` | the first items are timed |
/// | `target_chunk_duration` | a time: `"1.5ms"` | planned |
/// | `result_bytes` | bytes of a result with all it owns | measured; what types of your own own is not seen |
/// | `ml_prediction` | `true`, `false` | `true` |
/// | `online_learning` | `true`, `false` | `true` |
/// | `confidence_threshold` | 0.0 to 1.0: nothing below it is used | `0.7`, calibrated, and less if the first items agree |
/// | `adaptive_chunking` | `true`, `false`, or a rate from 0.0 to 1.0 | `true`, a rate of 0.3 |
/// | `memory_threshold` | `off`, or a share of the memory limit from 0.0 to 1.0 | `0.8` |
/// | `crate` | the path of `amorsize`, where a crate re-exports it or `Cargo.toml` renames it | `::amorsize` |
///
/// Times have one of the units `ns`, `us`, `ms`, `s` and `m` (minutes).
///
/// # Limits
///
/// - The function is free-standing and plain: no method, and not `async`, `unsafe`, `#[target_feature]` or of a foreign
///   ABI. For a method, give a closure to `Tuner::new`. ("Not supported in `trait`s or `impl`s": move the function out
///   of the `impl`.)
/// - The first parameter is the item. It and the result must be `Send`, and neither of a type without a name, such as
///   `impl Trait`.
/// - A further parameter is `&C` or a `C` that is `Clone`, and can be used by all threads. `&mut C` cannot.
/// - No type or module of the function's name may stand beside it or be imported there (as in `mod digest; use
///   digest::digest;`), and the name is not that of a primitive type, such as `bool`. A crate of that name is `::name`
///   there.
/// - A constant of a lower-case name that is an argument of the result's type has braces: `Row<{ width }>`.
/// - Types that have a lifetime show it: `Cow<'_, str>`, and not `Cow<str>`. The types of item and result must be at
///   least as public as the function, which otherwise is only a warning.
/// - What a generic function takes as `&T` is inferred from items that own their data. For references say which type is
///   meant, as in `size::<u32>::collect(&numbers)`: a `&u32` may be meant as a `u32` or as itself.
/// - Where the result borrows from the item, items are exactly the reference: `&str`, and not `String`.
/// - The compiler calls the hidden type an `enum`: where one "is private", or "could not be found", the function is, or
///   a `use` is missing.
#[proc_macro_attribute]
pub fn streaming(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(args.into(), item.into()).into()
}
