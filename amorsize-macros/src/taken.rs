//! How each parameter gets its value in the added code.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Index;
use syn::spanned::Spanned as _;

use crate::expand::{Names, is_generic};
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
    pub(crate) fn item(parameter: &Parameter, item: &Ident, names: &Names) -> Self {
        let source = quote!(#item);
        Self::lent(parameter, "__I", &source, None, names).unwrap_or_else(|| Self {
            ty: parameter.ty().to_token_stream(),
            argument: source,
            ..Self::default()
        })
    }

    /// A further parameter, found at `place` of the tuple `context`.
    pub(crate) fn context(
        parameter: &Parameter,
        place: usize,
        function: &Function,
        context: &Ident,
        names: &Names,
    ) -> Self {
        let Names { at, private, .. } = names;
        let (ty, field) = (parameter.ty(), Index::from(place));
        let source = quote!(#context.#field);
        let shared = quote_spanned!(*at=> + #private::Shared);
        Self::lent(parameter, &format!("__C{place}"), &source, Some(shared), names).unwrap_or_else(|| {
            let at = ty.span().resolved_at(Span::call_site());
            Self {
                declared: TokenStream::new(),
                ty: ty.to_token_stream(),
                demand: is_generic(function, ty).then(|| quote!(#ty: #private::Cloned,)),
                argument: quote_spanned!(at=> #private::cloned::<#ty>(&#source)),
            }
        })
    }

    /// A parameter that is handed over as anything that makes a reference of the right type; `None` for others.
    fn lent(
        parameter: &Parameter,
        name: &str,
        source: &TokenStream,
        bounds: Option<TokenStream>,
        Names { at, private, .. }: &Names,
    ) -> Option<Self> {
        let (lender, lend) = match parameter {
            Parameter::Value(_) => return None,
            Parameter::Borrowed(ty) => (quote_spanned!(*at=> #private::Borrowed<#ty>), quote!(amorsize_borrowed)),
            Parameter::Lent(ty) => (quote_spanned!(*at=> #private::Lend<#ty>), quote!(amorsize_lend)),
        };
        let ty = Ident::new(name, *at);
        Some(Self {
            declared: quote_spanned!(*at=> #ty: #lender #bounds,),
            argument: quote_spanned!(*at=> <#ty as #lender>::#lend(&#source)),
            ty: ty.to_token_stream(),
            demand: None,
        })
    }
}
