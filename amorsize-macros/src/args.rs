//! The attribute's options: each key is a builder method of `Tuner`, each value a literal that is checked here. A
//! mistake is one sentence at the token that it is about, and all of them are reported at once.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Lit, LitStr, Path, Token};

use crate::meant::unknown;
use crate::mistakes::Mistakes;
use crate::tokens::ungrouped;

/// What the attribute was given.
pub(crate) struct Args {
    /// The path of this library in the added code.
    pub(crate) library: TokenStream,
    /// The options as calls of builder methods; those with a mistake are left out.
    pub(crate) calls: TokenStream,
    /// The options as they were written, but in the order of their names, for the fingerprint.
    pub(crate) written: TokenStream,
}

/// What an option takes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Order,
    Count,
    Pool,
    SampleSize,
    Duration,
    Bytes,
    Bool,
    Share,
    Adaptation,
    Memory,
    Library,
}

const OPTIONS: [(&str, Kind); 16] = [
    ("ordered", Kind::Order),
    ("threads", Kind::Count),
    ("chunk_size", Kind::Count),
    ("buffer_size", Kind::Count),
    ("pool", Kind::Pool),
    ("max_blocking_threads", Kind::Count),
    ("sample_size", Kind::SampleSize),
    ("estimated_item_time", Kind::Duration),
    ("target_chunk_duration", Kind::Duration),
    ("result_bytes", Kind::Bytes),
    ("ml_prediction", Kind::Bool),
    ("online_learning", Kind::Bool),
    ("confidence_threshold", Kind::Share),
    ("adaptive_chunking", Kind::Adaptation),
    ("memory_threshold", Kind::Memory),
    ("crate", Kind::Library),
];

/// Most that fits `usize` on every target.
const MAX_WHOLE: u64 = u32::MAX as u64;

/// The same bound as the builder's.
const MAX_SAMPLE_SIZE: u64 = 10_000;

/// Units of a duration, in nanoseconds. Both characters that look like µ are in use.
const UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9)];

impl Args {
    pub(crate) fn parse(tokens: TokenStream, at: Span, mistakes: &mut Mistakes) -> Self {
        let mut written = entries(tokens, mistakes);
        let mut args =
            Self { library: quote_spanned!(at=> ::amorsize), calls: TokenStream::new(), written: TokenStream::new() };
        for (.., value) in written.iter().filter(|(_, kind, _)| *kind == Kind::Library) {
            args.library = path(value).unwrap_or(args.library);
        }
        written.retain(|(_, kind, value)| *kind != Kind::Library || path(value).is_none());
        for (key, kind, value) in &written {
            match literal(*kind, value, &args.library) {
                Some(value) => args.calls.extend(quote!(.#key(#value))),
                None => mistakes.add(refusal(key, *kind, value)),
            }
        }
        written.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        args.written.extend(written.iter().map(|(key, _, value)| quote!(#key #value)));
        args
    }
}

/// Cuts the options at their commas; known keys only, each once.
fn entries(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<(Ident, Kind, TokenStream)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let mut known: Vec<(Ident, Kind, TokenStream)> = Vec::new();
    for entry in tokens.split_inclusive(is_comma) {
        let entry = match entry.split_last() {
            Some((comma, [])) if is_comma(comma) => {
                mistakes.at(comma, "there is no option before this comma: take it out");
                continue;
            }
            Some((comma, entry)) if is_comma(comma) => entry,
            _ => entry,
        };
        match entry_of.parse2(entry.iter().cloned().collect()) {
            Ok((key, ..)) if known.iter().any(|(other, ..)| *other == key) => {
                mistakes.add(Error::new(key.span(), format!("`{key}` is given twice")));
            }
            Ok(entry) => known.push(entry),
            Err(mistake) => mistakes.add(mistake),
        }
    }
    known
}

/// `key = value`.
fn entry_of(input: ParseStream<'_>) -> syn::Result<(Ident, Kind, TokenStream)> {
    let key = input
        .call(Ident::parse_any)
        .map_err(|error| Error::new(error.span(), "an option is written `name = value`, such as `threads = 4`"))?;
    let name = key.to_string();
    let Some(&(_, kind)) = OPTIONS.iter().find(|(option, _)| *option == name) else {
        input.parse::<TokenStream>()?;
        return Err(Error::new(key.span(), unknown(&name, &names())));
    };
    let is_other = input.peek(Token![==]) || input.peek(Token![=>]);
    let at = if is_other { input.span() } else { key.span() };
    if is_other || input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() {
        input.parse::<TokenStream>()?;
        return Err(Error::new(at, format!("`{name}` takes {}: write `{name} = …`", allowed(kind))));
    }
    Ok((key, kind, ungrouped(input.parse()?)))
}

pub(crate) fn names() -> [&'static str; OPTIONS.len()] {
    OPTIONS.map(|(option, _)| option)
}

fn allowed(kind: Kind) -> &'static str {
    match kind {
        Kind::Order => "`true`, `false` or `auto`",
        Kind::Count => "a whole number of 1 or more",
        Kind::Pool => "`auto`, `serial`, `cpu` or `blocking`",
        Kind::SampleSize => "a whole number from 1 to 10000",
        Kind::Duration => "a time longer than zero, such as \"200us\" (the units are ns, us, ms, s and m)",
        Kind::Bytes => "a whole number of bytes",
        Kind::Bool => "`true` or `false`",
        Kind::Share => "a number from 0.0 to 1.0",
        Kind::Adaptation => "`true`, `false`, or a rate from 0.0 to 1.0",
        Kind::Memory => "`off`, or a share from 0.0 to 1.0",
        Kind::Library => "a path, such as `crate = my_crate::amorsize`",
    }
}

fn refusal(key: &Ident, kind: Kind, value: &TokenStream) -> Error {
    let mut message = format!("`{key}` takes {}", allowed(kind));
    let literal = syn::parse2::<Lit>(value.clone());
    let is_number = matches!(kind, Kind::Count | Kind::SampleSize | Kind::Bytes | Kind::Share);
    if let Some(next) = next_option(value) {
        return Error::new(next.span(), "options are separated by commas: one is missing here");
    }
    match literal {
        Ok(Lit::Str(_)) if kind != Kind::Duration => message += ", without quotes",
        Ok(Lit::Int(number)) if is_number && number.base10_digits().len() > 9 => message += " that fits 32 bits",
        Err(_) if value.to_string() == "auto" => message += "; leave it out to have it planned",
        Err(_) if is_number || kind == Kind::Duration => {
            message += &format!(", as a literal; other values go to the method `{key}` of `Tuner`");
        }
        _ => {}
    }
    Error::new_spanned(value, message)
}

/// Where the next option begins without a comma: `threads = 4 ordered = true`, `threads = 4; ordered = true`.
fn next_option(value: &TokenStream) -> Option<TokenTree> {
    let tokens: Vec<_> = value.clone().into_iter().collect();
    let is = |token: &TokenTree, what| matches!(token, TokenTree::Punct(punct) if punct.as_char() == what);
    let semicolon = tokens.iter().find(|token| is(token, ';'));
    let named = || tokens.windows(2).find(|pair| is(&pair[1], '=')).map(|pair| &pair[0]);
    semicolon.or_else(named).cloned()
}

/// The value as the builder method takes it.
fn literal(kind: Kind, value: &TokenStream, library: &TokenStream) -> Option<TokenStream> {
    let words = value.to_string();
    let at = value.clone().into_iter().next()?.span();
    let core = quote!(#library::__private::core);
    match (kind, words.as_str()) {
        (Kind::Order | Kind::Bool | Kind::Adaptation, "true" | "false") => Some(value.clone()),
        (Kind::Order, "auto") => Some(quote!(#library::Order::Auto)),
        (Kind::Pool, "auto") => Some(quote!(#core::option::Option::None::<#library::Pool>)),
        (Kind::Pool, "serial") => Some(quote!(#library::Pool::Serial)),
        (Kind::Pool, "cpu") => Some(quote!(#library::Pool::Cpu)),
        (Kind::Pool, "blocking") => Some(quote!(#library::Pool::Blocking)),
        (Kind::Memory, "off") => Some(quote!(#core::option::Option::None::<f64>)),
        (Kind::Count, _) => whole(value, 1, MAX_WHOLE).map(|number| quote_spanned!(at=> #number)),
        (Kind::SampleSize, _) => whole(value, 1, MAX_SAMPLE_SIZE).map(|number| quote_spanned!(at=> #number)),
        (Kind::Bytes, _) => whole(value, 0, MAX_WHOLE).map(|number| quote_spanned!(at=> #number)),
        (Kind::Share | Kind::Adaptation | Kind::Memory, _) => share(value).map(|share| quote_spanned!(at=> #share)),
        (Kind::Duration, _) => {
            let nanoseconds = nanoseconds(&syn::parse2::<LitStr>(value.clone()).ok()?.value())?;
            Some(quote!(#core::time::Duration::from_nanos(#nanoseconds)))
        }
        _ => None,
    }
}

fn path(value: &TokenStream) -> Option<TokenStream> {
    Path::parse_mod_style.parse2(value.clone()).ok().map(Path::into_token_stream)
}

fn whole(value: &TokenStream, least: u64, most: u64) -> Option<usize> {
    let Lit::Int(number) = syn::parse2(value.clone()).ok()? else { return None };
    let number = number.base10_parse::<u64>().ok()?;
    (least..=most).contains(&number).then_some(number as usize)
}

fn share(value: &TokenStream) -> Option<f64> {
    let share = match syn::parse2(value.clone()).ok()? {
        Lit::Float(number) => number.base10_parse().ok()?,
        Lit::Int(number) => number.base10_parse().ok()?,
        _ => return None,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

/// A time such as "1.5ms".
fn nanoseconds(text: &str) -> Option<u64> {
    let unit_at = text.find(char::is_alphabetic)?;
    let (number, unit) = text.split_at(unit_at);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let nanoseconds = (number.trim().parse::<f64>().ok()? * factor).round();
    (1.0..u64::MAX as f64).contains(&nanoseconds).then_some(nanoseconds as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(options: &str) -> Result<String, Vec<String>> {
        let mut mistakes = Mistakes::default();
        let args = Args::parse(options.parse().expect("tokens"), Span::call_site(), &mut mistakes);
        match mistakes.check() {
            Ok(()) => Ok(args.calls.to_string().replace(' ', "")),
            Err(mistakes) => Err(mistakes.into_iter().map(|mistake| mistake.to_string()).collect()),
        }
    }

    #[test]
    fn options_become_calls_of_the_builder() {
        assert_eq!(
            calls("threads = 4, ordered = auto,").as_deref(),
            Ok(".threads(4usize).ordered(::amorsize::Order::Auto)")
        );
        assert_eq!(calls("crate = my::lib, pool = cpu").as_deref(), Ok(".pool(my::lib::Pool::Cpu)"));
        assert_eq!(calls("confidence_threshold = 1").as_deref(), Ok(".confidence_threshold(1f64)"));
    }

    #[test]
    fn the_order_of_options_does_not_count() {
        let written = |options: &str| {
            let tokens = options.parse().expect("tokens");
            Args::parse(tokens, Span::call_site(), &mut Mistakes::default()).written.to_string()
        };
        assert_eq!(written("threads = 2, crate = my::lib, pool = cpu"), written("pool = cpu, threads = 2"));
        assert_ne!(written("threads = 2, chunk_size = 3"), written("threads = 3, chunk_size = 2"));
    }

    #[test]
    fn every_mistake_is_reported() {
        let mistakes =
            calls("thread = 1, threads = 0, ordered = 3, ordered = true, = , pool").expect_err("six mistakes");
        assert_eq!(mistakes.len(), 6, "{mistakes:#?}");
    }

    #[test]
    fn times_have_units() {
        let times = [
            "1ns",
            "200us",
            "200µs",
            "200μs",
            "1.5ms",
            "2 s",
            "1m",
            "0.4ns",
            "5 parsecs",
            "-1s",
            "1e3s",
            "NaNs",
            "s",
            "",
        ];
        let read = [1, 200_000, 200_000, 200_000, 1_500_000, 2_000_000_000, 60_000_000_000];
        let expected: Vec<_> = read.into_iter().map(Some).chain([None; 7]).collect();
        assert_eq!(times.map(nanoseconds).to_vec(), expected);
        assert_eq!(nanoseconds("99999999999999s"), None);
    }
}
