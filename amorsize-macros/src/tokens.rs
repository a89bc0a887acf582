//! Small questions about token streams.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

/// The first identifier anywhere within `tokens` that is written `name`; the name of a lifetime counts.
pub(crate) fn find_ident(tokens: impl ToTokens, name: &str) -> Option<proc_macro2::Ident> {
    tokens.into_token_stream().into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) => (ident == name).then_some(ident),
        TokenTree::Group(group) => find_ident(group.stream(), name),
        _ => None,
    })
}

/// Whether an identifier or lifetime is mentioned anywhere within `tokens`.
pub(crate) fn mentions(tokens: impl ToTokens, name: &proc_macro2::Ident) -> bool {
    find_ident(tokens, &name.to_string()).is_some()
}

/// As a person would write it: tokens that were parsed have spaces between all of them.
pub(crate) fn as_written(tokens: impl ToTokens) -> String {
    let spaced = tokens.into_token_stream().to_string();
    let closed = [
        (" :: ", "::"),
        (":: ", "::"),
        (" : ", ": "),
        (" < ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ;", ";"),
        ("for <", "for<"),
        ("fn (", "fn("),
        ("Fn (", "Fn("),
        ("FnMut (", "FnMut("),
        ("FnOnce (", "FnOnce("),
        ("& ", "&"),
        ("? ", "?"),
    ];
    closed.into_iter().fold(spaced, |text, (wide, narrow)| text.replace(wide, narrow))
}

/// Takes off the invisible brackets that `macro_rules!` puts around what it captures.
pub(crate) fn ungrouped(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => ungrouped(group.stream()),
        _ => tokens,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_tokens_are_written_as_people_do() {
        for words in [
            "&'a mut T",
            "::std::fmt::Debug",
            "Iterator<Item = (u8, [T; 3])> + ?Sized",
            "for<'a> FnOnce(&'a u8) -> (u8, Vec<u8>)",
            "dyn Fn() -> fn(u8)",
            "Iterator<Item: Clone + 'a>",
        ] {
            let apart = words.parse::<TokenStream>().expect("tokens");
            assert_eq!(as_written(apart), words);
        }
    }
}
