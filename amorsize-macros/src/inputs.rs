//! The parameters of the annotated function as they are written, and every reason to refuse one. Of a pattern it only
//! matters where it ends, and whether it is a name or `self`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::parse::{Parse, ParseStream};
use syn::{AngleBracketedGenericArguments, Attribute, Error, Generics, Token, Type, parse_quote, token};

use crate::impls::Impls;
use crate::lifetimes::reference;
use crate::mistakes::Mistakes;
use crate::tokens::find_ident;

/// One parameter as it is written.
pub(crate) struct Input {
    /// What the pattern binds, if it is a plain name.
    pub(crate) name: Option<Ident>,
    receiver: Option<Ident>,
    conditional: Option<Attribute>,
    /// `None` where no type stands, as in `fn f(n)` and `fn f(n: u64, ...)`. The compiler says so itself.
    pub(crate) ty: Option<Type>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let conditional = conditional(&input.call(Attribute::parse_outer)?).cloned();
        let pattern = pattern(input)?;
        let receiver = receiver(pattern.clone());
        let name = syn::parse2::<Name>(pattern).ok().map(|Name(name)| name);
        let typed = input.parse::<Option<Token![:]>>()?.is_some();
        let ty = if typed { ty(input)? } else { receiver.as_ref().map(|_| parse_quote!(Self)) };
        Ok(Self { name, receiver, conditional, ty })
    }
}

/// The attribute that takes what it is on away in some builds: a `cfg`, or one that a `cfg_attr` may add.
pub(crate) fn conditional(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes.iter().find(|attribute| {
        let path = attribute.path();
        path.is_ident("cfg") || (path.is_ident("cfg_attr") && find_ident(&attribute.meta, "cfg").is_some())
    })
}

/// What stands behind the colon.
fn ty(input: ParseStream<'_>) -> syn::Result<Option<Type>> {
    let variadic = input.parse::<Option<Token![...]>>()?.is_some();
    let missing = variadic || input.is_empty() || input.peek(Token![,]);
    if missing { Ok(None) } else { input.parse().map(Some) }
}

/// The tokens before the colon, or all of a `&self`.
fn pattern(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut pattern = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        // Only between these brackets do commas and colons stand within a pattern.
        if input.peek(Token![::]) && input.peek3(Token![<]) {
            input.parse::<AngleBracketedGenericArguments>()?.to_tokens(&mut pattern);
        } else if let Some(separator) = input.parse::<Option<Token![::]>>()? {
            separator.to_tokens(&mut pattern);
        } else if input.peek(Token![:]) {
            break;
        } else {
            pattern.extend([input.parse::<TokenTree>()?]);
        }
    }
    Ok(pattern)
}

/// The `self` of a method, which is the last word of its pattern; that of a path is followed by more.
fn receiver(pattern: TokenStream) -> Option<Ident> {
    match pattern.into_iter().last()? {
        TokenTree::Ident(word) if word == "self" => Some(word),
        _ => None,
    }
}

/// A pattern that is a name.
struct Name(Ident);

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse::<Option<Token![mut]>>()?;
        input.parse().map(Name)
    }
}

pub(crate) fn refuse_inputs(
    name: &Ident,
    generics: &Generics,
    parentheses: token::Paren,
    inputs: &[Input],
    mistakes: &mut Mistakes,
) {
    if inputs.is_empty() {
        let message = format!("`{name}` needs a parameter: a streaming function takes the item as its first one");
        mistakes.add(Error::new(parentheses.span.join(), message));
    }
    let mut impls = Impls::new(name, generics);
    for (place, Input { receiver, conditional, ty, .. }) in inputs.iter().enumerate() {
        if let Some(word) = receiver.clone().or_else(|| find_ident(ty, "Self")) {
            mistakes
                .at(word, "a method cannot be annotated: give a closure that calls it to `Tuner::new(\"name\", …)`");
        } else if let Some(attribute) = conditional {
            mistakes.at(attribute, "a streaming function has the same parameters in every build: put `#[cfg]` on it");
        } else if let Some(mistake) = ty.as_ref().and_then(|ty| impls.refuse(ty)) {
            mistakes.add(mistake);
        } else if let (1.., Some(mutable)) = (place, ty.as_ref().and_then(reference).and_then(|found| found.mutability))
        {
            mistakes.at(mutable, "all threads share the context, so it cannot be `&mut`: take a `&Mutex<…>`");
        }
    }
}
