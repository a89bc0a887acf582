//! How each parameter gets its value in the added code.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::Index;
use syn::spanned::Spanned as _;

use crate::expand::is_generic;
use crate::function::{Function, Parameter};

/// One parameter in the added code.
#[derive(Default)]
pub(crate) struct Taken {
    /// A generic parameter for the type that is handed over, if it can be of several.
    pub(crate) declared: TokenStream,
    /// The type that is handed over.
    pub(crate) ty: TokenStream,
    /// What is demanded of a generic type.
    pub(crate) demand: Option<TokenStream>,
    /// The argument of the function's call.
    pub(crate) argument: TokenStream,
}

impl Taken {
    /// The item, found in the variable `item`.
    pub(crate) fn item(parameter: &Parameter, item: &Ident, private: &TokenStream) -> Self {
        let source = quote!(#item);
        let Some(lender) = lender(parameter, private) else {
            return Self { ty: parameter.ty().to_token_stream(), argument: source, ..Self::default() };
        };
        Self {
            declared: quote!(__I: #lender,),
            ty: quote!(__I),
            argument: lent(&quote!(__I), &lender, parameter, &source),
            ..Self::default()
        }
    }

    /// A further parameter, found at `place` of the tuple `context`.
    pub(crate) fn context(
        parameter: &Parameter,
        place: usize,
        function: &Function,
        context: &Ident,
        private: &TokenStream,
    ) -> Self {
        let (ty, field) = (parameter.ty(), Index::from(place));
        let source = quote!(#context.#field);
        let Some(lender) = lender(parameter, private) else {
            let at = ty.span().resolved_at(Span::call_site());
            return Self {
                ty: quote!(#ty),
                demand: is_generic(function, ty).then(|| quote!(#ty: #private::Cloned,)),
                argument: quote_spanned!(at=> #private::cloned::<#ty>(&#source)),
                ..Self::default()
            };
        };
        let generic = format_ident!("__C{place}").to_token_stream();
        Self {
            declared: quote!(#generic: #lender + #private::Shared,),
            argument: lent(&generic, &lender, parameter, &source),
            ty: generic,
            ..Self::default()
        }
    }
}

/// The trait that makes a reference of what is handed over; `None` if it is handed on as it is.
fn lender(parameter: &Parameter, private: &TokenStream) -> Option<TokenStream> {
    match parameter {
        Parameter::Value(_) => None,
        Parameter::Borrowed(ty) => Some(quote!(#private::core::borrow::Borrow<#ty>)),
        Parameter::Lent(ty) => Some(quote!(#private::Lend<#ty>)),
    }
}

fn lent(ty: &TokenStream, lender: &TokenStream, parameter: &Parameter, source: &TokenStream) -> TokenStream {
    match parameter {
        Parameter::Lent(_) => quote!(<#ty as #lender>::lend(&#source)),
        _ => quote!(<#ty as #lender>::borrow(&#source)),
    }
}
