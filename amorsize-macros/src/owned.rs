//! The code that asks a result what it owns: follows the syntax of its type, as `bytes::probe` in the library explains.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericArgument, PathArguments, Type};

use crate::expand::Names;
use crate::tokens::find_ident;

/// Types within types that are looked into; deeper ones are asked as a whole.
const DEEPEST: usize = 4;

/// `Function::result_bytes` for a result of type `output`.
pub(crate) fn result_bytes(output: &Type, Names { at, private, .. }: &Names) -> TokenStream {
    let result = Ident::new("__result", Span::mixed_site());
    let owned = owned(&quote!(#result), output, private, 0);
    // Unneeded, it would be a lint's business; and an `allow` is no use where that is forbidden.
    let is_asked = ["amorsize_owned", "amorsize_held"].iter().any(|method| find_ident(&owned, method).is_some());
    let methods = is_asked.then(|| quote_spanned!(*at=> use #private::bytes::methods::*;));
    quote_spanned! {*at=>
        fn result_bytes(#result: &Self::Output) -> usize {
            #methods
            #private::bytes::shallow(#result).saturating_add(#owned)
        }
    }
}

/// Bytes that the value behind the reference `value` owns.
fn owned(value: &TokenStream, ty: &Type, private: &TokenStream, depth: usize) -> TokenStream {
    let leaf = quote!((&&&#private::bytes::Probe(#value)).amorsize_owned());
    match ty {
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) | Type::Never(_) => quote!(0),
        Type::Paren(inner) => owned(value, &inner.elem, private, depth),
        Type::Group(inner) => owned(value, &inner.elem, private, depth),
        Type::Tuple(tuple) => {
            let fields = tuple.elems.iter().enumerate().map(|(place, field)| {
                let place = syn::Index::from(place);
                let field = owned(&quote!((&#value.#place)), field, private, depth + 1);
                quote!(.saturating_add(#field))
            });
            quote!(0_usize #(#fields)*)
        }
        _ if depth == DEEPEST => leaf,
        _ => within(value, &parts(ty), &leaf, private, depth),
    }
}

/// The same for a type with `parts`: the first of them that it holds tells, or the value as a whole.
fn within(
    value: &TokenStream,
    parts: &[&Type],
    leaf: &TokenStream,
    private: &TokenStream,
    depth: usize,
) -> TokenStream {
    let part = Ident::new(&format!("__part{depth}"), Span::mixed_site());
    let asked = parts.iter().map(|ty| {
        let of_part = owned(&quote!(#part), ty, private, depth + 1);
        let bind = if of_part.to_string() == "0" { format_ident!("_") } else { part.clone() };
        let bind = if bind == "_" { quote!(_) } else { quote!(#bind) };
        quote!((&&#private::bytes::Part::<_, #ty>::new(#value)).amorsize_held(|#bind| #of_part))
    });
    let mut asked = asked.peekable();
    if asked.peek().is_none() {
        return leaf.clone();
    }
    let first = asked.next();
    quote!(#first #(.or_else(|| #asked))* .unwrap_or_else(|| #leaf))
}

/// The types that a type is spelled with.
fn parts(ty: &Type) -> Vec<&Type> {
    match ty {
        Type::Array(array) => vec![&array.elem],
        Type::Slice(slice) => vec![&slice.elem],
        Type::Path(path) => match path.path.segments.last().map(|segment| &segment.arguments) {
            Some(PathArguments::AngleBracketed(arguments)) => {
                let types = arguments.args.iter().filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                });
                types.collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
