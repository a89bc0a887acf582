//! A number that changes with a function's code, and not with its comments, layout or place. Fixed for good: histories
//! are compared by it.

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Operators of several characters: only within them does it matter whether two characters touch.
const OPERATORS: [&str; 25] = [
    "<<=", ">>=", "...", "..=", "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "%=",
    "^=", "&=", "|=", "<<", ">>", "..", "<-",
];

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
        let mut tokens = tokens.into_iter();
        let mut touching = String::new();
        while let Some(token) = tokens.next() {
            if let Some(behind) = behind_doc(&token, &tokens) {
                tokens = behind;
                continue;
            }
            if let TokenTree::Punct(punct) = &token {
                touching.push(punct.as_char());
                if punct.spacing() == Spacing::Joint {
                    continue;
                }
            }
            self.operators(&std::mem::take(&mut touching));
            self.tree(token);
        }
    }

    /// Adds characters that touch, cut into the longest operators.
    fn operators(&mut self, mut run: &str) {
        while let Some(first) = run.chars().next() {
            let operator = OPERATORS.iter().find(|operator| run.starts_with(**operator));
            let length = operator.map_or(first.len_utf8(), |operator| operator.len());
            self.word(&run[..length]);
            run = &run[length..];
        }
    }

    fn tree(&mut self, token: TokenTree) {
        match token {
            TokenTree::Punct(_) => {}
            TokenTree::Ident(ident) => self.word(&ident.to_string()),
            TokenTree::Literal(literal) => self.word(&literal.to_string()),
            TokenTree::Group(group) => {
                let brackets = brackets(group.delimiter());
                brackets.iter().for_each(|(open, _)| self.word(open));
                self.stream(group.stream());
                brackets.iter().for_each(|(_, close)| self.word(close));
            }
        }
    }
}

fn brackets(delimiter: Delimiter) -> Option<(&'static str, &'static str)> {
    match delimiter {
        Delimiter::Parenthesis => Some(("(", ")")),
        Delimiter::Brace => Some(("{", "}")),
        Delimiter::Bracket => Some(("[", "]")),
        Delimiter::None => None,
    }
}

/// What follows a doc comment, which the compiler hands over as an attribute.
fn behind_doc(token: &TokenTree, rest: &IntoIter) -> Option<IntoIter> {
    let mut rest = rest.clone();
    let mut next = is_punct(token, '#').then(|| rest.next())??;
    if is_punct(&next, '!') {
        next = rest.next()?;
    }
    let TokenTree::Group(group) = next else { return None };
    let first = group.stream().into_iter().next()?;
    matches!(first, TokenTree::Ident(first) if first == "doc").then_some(rest)
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}
