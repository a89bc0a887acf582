//! The code that asks a result what it owns: follows the syntax of its type, as `bytes::probe` in the library explains.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{GenericArgument, Generics, Path, PathArguments, Type, TypePath};

use crate::expand::Names;
use crate::function::Function;
use crate::tokens::find_ident;

/// Types within types that are looked into; deeper ones are asked as a whole.
const DEEPEST: usize = 4;

/// `Function::result_bytes` for the result of `function`.
pub(crate) fn result_bytes(function: &Function, Names { at, private, .. }: &Names) -> TokenStream {
    let result = Ident::new("__result", Span::mixed_site());
    let owned = Asker { private, generics: &function.generics }.owned(&quote!(#result), &function.output, 0);
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

struct Asker<'a> {
    private: &'a TokenStream,
    generics: &'a Generics,
}

impl Asker<'_> {
    /// Bytes that the value behind the reference `value` owns.
    fn owned(&self, value: &TokenStream, ty: &Type, depth: usize) -> TokenStream {
        match ty {
            Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) | Type::Never(_) => quote!(0),
            Type::Paren(inner) => self.owned(value, &inner.elem, depth),
            Type::Group(inner) => self.owned(value, &inner.elem, depth),
            Type::Tuple(tuple) => {
                let fields = tuple.elems.iter().enumerate().map(|(place, field)| {
                    let place = syn::Index::from(place);
                    let field = self.owned(&quote!((&#value.#place)), field, depth + 1);
                    quote!(.saturating_add(#field))
                });
                quote!(0_usize #(#fields)*)
            }
            _ if depth == DEEPEST => self.whole(value),
            _ => self.within(value, &self.parts(ty), depth),
        }
    }

    fn whole(&self, value: &TokenStream) -> TokenStream {
        let private = self.private;
        quote!((&&&#private::bytes::Probe(#value)).amorsize_owned())
    }

    /// The same for a type with `parts`: the first of them that it holds tells, or the value as a whole.
    fn within(&self, value: &TokenStream, parts: &[&Type], depth: usize) -> TokenStream {
        let private = self.private;
        let part = Ident::new(&format!("__part{depth}"), Span::mixed_site());
        let asked = parts.iter().map(|ty| {
            let of_part = self.owned(&quote!(#part), ty, depth + 1);
            let bind = if of_part.to_string() == "0" { quote!(_) } else { quote!(#part) };
            quote!((&&#private::bytes::Part::<_, #ty>::new(#value)).amorsize_held(|#bind| #of_part))
        });
        let mut asked = asked.peekable();
        let whole = self.whole(value);
        if asked.peek().is_none() {
            return whole;
        }
        let first = asked.next();
        quote!(#first #(.or_else(|| #asked))* .unwrap_or_else(|| #whole))
    }

    /// The types that a type is spelled with.
    fn parts<'t>(&self, ty: &'t Type) -> Vec<&'t Type> {
        match ty {
            Type::Array(array) => vec![&array.elem],
            Type::Slice(slice) => vec![&slice.elem],
            Type::Path(path) => match path.path.segments.last().map(|segment| &segment.arguments) {
                Some(PathArguments::AngleBracketed(arguments)) => {
                    let types = arguments.args.iter().filter_map(|argument| match argument {
                        GenericArgument::Type(ty) if !self.may_be_constant(ty) => Some(ty),
                        _ => None,
                    });
                    types.collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Whether what stands where types do may be a constant, which is spelled like one: by its name. Of a type that is
    /// named like a constant, no more is lost than a look into it.
    fn may_be_constant(&self, ty: &Type) -> bool {
        let Type::Path(TypePath { qself: None, path: Path { segments, .. }, .. }) = ty else { return false };
        let Some(last) = segments.last().filter(|last| last.arguments.is_none()) else { return false };
        let name = &last.ident;
        let is_alone = segments.len() == 1;
        if is_alone && self.generics.const_params().any(|constant| constant.ident == *name) {
            return true;
        }
        let is_type = is_alone && self.generics.type_params().any(|parameter| parameter.ident == *name);
        !is_type && !name.to_string().contains(char::is_lowercase)
    }
}
