//! A number that changes with a function's code, and not with its comments, layout or place. Fixed for good: histories
//! are compared by it.

use std::slice::Iter;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Hashes tokens by what they say.
pub(crate) fn of(tokens: TokenStream) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.stream(tokens);
    hash.0
}

/// Fowler–Noll–Vo 1a, 64 bits.
struct Fnv(u64);

impl Fnv {
    fn word(&mut self, word: &str) {
        // The end of a word counts, so that "ab" "c" differs from "a" "bc".
        for byte in word.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn stream(&mut self, tokens: TokenStream) {
        let tokens = seen(tokens);
        let mut tokens = tokens.iter();
        while let Some(token) = tokens.next() {
            match behind_doc(token, &tokens) {
                Some(behind) => tokens = behind,
                None => self.tree(token),
            }
        }
    }

    fn tree(&mut self, token: &TokenTree) {
        match token {
            // Each character for itself: whether two touch is a matter of layout, as in `Vec<Vec<u8> >`. It tells few
            // programs apart (`a & &b` and `a && b`).
            TokenTree::Punct(punct) => self.word(punct.as_char().encode_utf8(&mut [0; 4])),
            TokenTree::Ident(ident) => self.word(&ident.to_string()),
            TokenTree::Literal(literal) => self.word(&literal.to_string()),
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                self.word(open);
                self.stream(group.stream());
                self.word(close);
            }
        }
    }
}

/// The tokens as they are seen in a file: without the invisible brackets around what a macro was given.
fn seen(tokens: TokenStream) -> Vec<TokenTree> {
    let mut seen = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => seen.extend(self::seen(group.stream())),
            token => seen.push(token),
        }
    }
    seen
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// What follows a doc comment, which the compiler hands over as an attribute.
fn behind_doc<'a>(token: &TokenTree, rest: &Iter<'a, TokenTree>) -> Option<Iter<'a, TokenTree>> {
    let mut rest = rest.clone();
    let mut next = is_punct(token, '#').then(|| rest.next())??;
    if is_punct(next, '!') {
        next = rest.next()?;
    }
    let TokenTree::Group(group) = next else { return None };
    let is_doc = matches!(seen(group.stream()).first()?, TokenTree::Ident(first) if first == "doc");
    is_doc.then_some(rest)
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, Group};
    use quote::quote;

    fn of(code: &str) -> u64 {
        super::of(code.parse().expect("tokens"))
    }

    #[test]
    fn the_same_code_has_the_same_number_for_ever() {
        assert_eq!(of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of("fn square(n: u64) -> u64 { n * n }"), 35_999_011_911_278_785);
        assert_eq!(of("if a <<= b && c == 'x' { \"text\"; 1.5 } else { v..=w }"), 10_453_574_878_870_236_253);
    }

    #[test]
    fn layout_and_comments_do_not_count() {
        let plain = of("fn f(x: &str) -> i64 { let y = -1; y }");
        assert_eq!(plain, of("fn f ( x : & str )\n-> i64 {\n\tlet y=-1;\n y // why\n}"));
        assert_eq!(plain, of("/// Doc.\nfn f(x: &str) -> i64 {\n//! Inside.\n/** More. */ let y =-1; y }"));
        assert_eq!(of("a[1];"), of("a [ 1 ] ;"));
        assert_eq!(of("let v: Vec<Vec<u8>> = &&x;"), of("let v: Vec<Vec<u8> >= & &x;"));
    }

    #[test]
    fn invisible_brackets_do_not_count() {
        let invisible = |code: &str| Group::new(Delimiter::None, code.parse().expect("tokens"));
        let [attribute, value] = [invisible("doc = \"Doc.\""), invisible("1")];
        assert_eq!(super::of(quote!(#[#attribute] fn f() -> u64 { #value })), of("fn f() -> u64 { 1 }"));
    }

    #[test]
    fn what_is_said_counts() {
        let codes = [
            "a & b",
            "a && b",
            "a - b",
            "a -> b",
            "x = y",
            "x == y",
            "1 .. 2",
            "1 ..= 2",
            "a < b",
            "a << b",
            "a <<= b",
            "ab c",
            "a bc",
            "(a)",
            "[a]",
            "{a}",
            "a",
            "\"a\"",
            "'a",
            "'a'",
            "r#a",
            "#[inline] a",
            "#[documented] a",
            "",
        ];
        for (place, one) in codes.iter().enumerate() {
            for other in &codes[..place] {
                assert_ne!(of(one), of(other), "{one} and {other}");
            }
        }
    }
}
