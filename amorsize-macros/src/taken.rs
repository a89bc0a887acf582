//! How each parameter gets its value in the added code.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Index;
use syn::spanned::Spanned as _;

use crate::function::Parameter;

/// One parameter in the added code.
#[derive(Default)]
pub(crate) struct Taken {
    /// A generic parameter for the type that is handed over, if it can be of several.
    pub(crate) declared: TokenStream,
    /// The type that is handed over.
    pub(crate) ty: TokenStream,
    /// What is demanded of that type.
    pub(crate) demand: TokenStream,
    /// The argument of the function's call.
    pub(crate) argument: TokenStream,
}

impl Taken {
    /// The item, found in the variable `item`.
    pub(crate) fn item(parameter: &Parameter, item: &Ident, core: &TokenStream) -> Self {
        match parameter {
            Parameter::Value(ty) => Self { ty: quote!(#ty), argument: quote!(#item), ..Self::default() },
            Parameter::Borrowed(ty) => Self {
                declared: quote!(__I: #core::borrow::Borrow<#ty>,),
                ty: quote!(__I),
                argument: quote!(<__I as #core::borrow::Borrow<#ty>>::borrow(&#item)),
                ..Self::default()
            },
        }
    }

    /// A further parameter, found at `place` of the tuple `context`.
    pub(crate) fn context(parameter: &Parameter, place: usize, context: &Ident, private: &TokenStream) -> Self {
        let (core, generic, field) = (quote!(#private::core), format_ident!("__C{place}"), Index::from(place));
        match parameter {
            Parameter::Value(ty) => {
                let at = ty.span().resolved_at(Span::call_site());
                Self {
                    ty: quote!(#ty),
                    demand: quote_spanned!(at=> #ty: #private::Cloned,),
                    argument: quote!(#core::clone::Clone::clone(&#context.#field)),
                    ..Self::default()
                }
            }
            Parameter::Borrowed(ty) => Self {
                declared: quote!(#generic: #core::borrow::Borrow<#ty> + #private::Shared,),
                ty: quote!(#generic),
                argument: quote!(<#generic as #core::borrow::Borrow<#ty>>::borrow(&#context.#field)),
                ..Self::default()
            },
        }
    }
}
