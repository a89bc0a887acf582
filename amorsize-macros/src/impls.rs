//! What to write in place of an `impl Trait` within the type of a parameter: a generic parameter, wherever it stands.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Generics, Token, Type, TypeImplTrait};

use crate::tokens::{as_written, find_ident};

/// Finds the types without a name in the parameters of one function.
pub(crate) struct Impls<'a> {
    function: &'a Ident,
    /// Names that are free, the best one last.
    letters: Vec<char>,
    /// Whether the function has generic parameters besides.
    has_others: bool,
}

impl<'a> Impls<'a> {
    pub(crate) fn new(function: &'a Ident, generics: &Generics) -> Self {
        let is_free = |letter: &char| find_ident(generics, &letter.to_string()).is_none();
        let letters = ('A'..='S').chain(('T'..='Z').rev()).filter(is_free).collect();
        Self { function, letters, has_others: !generics.params.is_empty() }
    }

    /// What is wrong with a type that has an `impl` in it.
    pub(crate) fn refuse(&mut self, ty: &Type) -> Option<Error> {
        let mut naming = Naming { letters: &mut self.letters, declared: Vec::new(), first: None };
        let renamed = naming.within(ty.to_token_stream()).ok()?;
        let Naming { declared, first, .. } = naming;
        let first = first?;
        let (what, function, ty) = (as_written(&first), self.function, without_brackets(as_written(renamed)));
        let others = if std::mem::replace(&mut self.has_others, true) { "…, " } else { "" };
        let declared = declared.join(", ");
        let message = format!("`{what}` has no name: write `fn {function}<{others}{declared}>(…: {ty})`");
        Some(Error::new_spanned(first, message))
    }
}

/// The naming of what has no name in one type.
struct Naming<'a> {
    letters: &'a mut Vec<char>,
    /// Generic parameters as they would be written.
    declared: Vec<String>,
    first: Option<TypeImplTrait>,
}

impl Naming<'_> {
    fn within(&mut self, tokens: TokenStream) -> syn::Result<TokenStream> {
        (|input: ParseStream<'_>| self.rename(input)).parse2(tokens)
    }

    /// The tokens with a name in place of each `impl`.
    fn rename(&mut self, input: ParseStream<'_>) -> syn::Result<TokenStream> {
        let mut renamed = TokenStream::new();
        while !input.is_empty() {
            if input.peek(Token![impl]) {
                let name = self.name(input.parse()?)?;
                renamed.extend([TokenTree::from(name)]);
                continue;
            }
            renamed.extend([match input.parse()? {
                TokenTree::Group(group) => Group::new(group.delimiter(), self.within(group.stream())?).into(),
                token => token,
            }]);
        }
        Ok(renamed)
    }

    /// A name for a type without one, and for those that its bounds speak of.
    fn name(&mut self, found: TypeImplTrait) -> syn::Result<Ident> {
        let bounds = found.bounds.to_token_stream();
        self.first.get_or_insert(found);
        let bounds = as_written(self.within(bounds)?);
        let letter = self.letters.pop().unwrap_or('T');
        self.declared.push(format!("{letter}: {bounds}"));
        Ok(Ident::new(&letter.to_string(), Span::call_site()))
    }
}

/// Behind a `&` an `impl` of several bounds has brackets, which its name needs no more.
fn without_brackets(ty: String) -> String {
    if let Some((before, rest)) = ty.split_once('(')
        && let Some(name) = rest.strip_suffix(')')
        && name.len() == 1
        && !before.ends_with(char::is_alphanumeric)
    {
        return format!("{before}{name}");
    }
    ty
}
