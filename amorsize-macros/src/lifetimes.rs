//! Who borrows from whom. Elided lifetimes of a signature get names, so that its types can be written in an `impl`, and
//! a parameter that the result borrows from is handed over as the reference it is.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    AngleBracketedGenericArguments, Error, GenericArgument, GenericParam, Generics, Lifetime, Path, PathArguments,
    ReturnType, Type, TypeParam, TypeParamBound, TypeReference, TypeTraitObject, parse_quote,
};

use crate::function::Parameter;
use crate::generics::type_clauses;
use crate::tokens::mentions;

/// Names the elided lifetimes and decides for each parameter how it is handed over. Returns the parameters, the result,
/// and the names that are in use.
pub(crate) fn hand_over(
    mut types: Vec<Type>,
    output: ReturnType,
    generics: &Generics,
) -> syn::Result<(Vec<Parameter>, Type, Vec<Lifetime>)> {
    let mut elided = Vec::new();
    let mut name = || {
        let lifetime = Lifetime::new(&format!("'__{}", elided.len()), Span::call_site());
        elided.push(lifetime.clone());
        lifetime
    };
    types.iter_mut().for_each(|ty| name_elided(ty, &mut name));
    let output = tie(output, &types)?;
    let bounds = bounds(generics);
    let mut parameter = |(place, ty): (usize, &Type)| match shared_reference(ty) {
        Some(reference) if !is_tied(reference, place, &types, &output, &bounds) => {
            by_reference(&reference.elem, generics, &mut name)
        }
        _ => Parameter::Value(ty.clone()),
    };
    let parameters: Vec<_> = types.iter().enumerate().map(&mut parameter).collect();
    elided.retain(|Lifetime { ident, .. }| parameters.iter().any(|parameter| mentions(parameter.ty(), ident)));
    Ok((parameters, output, elided))
}

fn by_reference(ty: &Type, generics: &Generics, name: &mut dyn FnMut() -> Lifetime) -> Parameter {
    let is_sized_parameter = generics.type_params().any(|parameter| {
        matches!(ty, Type::Path(ty) if ty.path.is_ident(&parameter.ident)) && is_sized(parameter, generics)
    });
    match ty {
        Type::Group(group) => by_reference(&group.elem, generics, name),
        // Behind a `&` the brackets were needed; elsewhere the compiler would complain of them.
        Type::Paren(paren) => by_reference(&paren.elem, generics, name),
        Type::TraitObject(object) => Parameter::Borrowed(Type::TraitObject(bounded(object.clone(), name))),
        _ if is_sized_parameter => Parameter::Lent(ty.clone()),
        _ => Parameter::Borrowed(ty.clone()),
    }
}

/// Whether nothing says that a generic type may have no size.
fn is_sized(TypeParam { ident, bounds, .. }: &TypeParam, generics: &Generics) -> bool {
    let says_so = |bounds: &dyn ToTokens| bounds.to_token_stream().to_string().contains('?');
    let mut of_this = type_clauses(generics).filter(|clause| mentions(&clause.bounded_ty, ident));
    !says_so(bounds) && !of_this.any(|clause| says_so(&clause.bounds))
}

/// Behind a `&` a trait object lives as long as the reference; elsewhere it would have to live for ever.
fn bounded(mut object: TypeTraitObject, name: &mut dyn FnMut() -> Lifetime) -> TypeTraitObject {
    if !object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_))) {
        object.bounds.push(TypeParamBound::Lifetime(name()));
    }
    object
}

/// The type of the result, with the elided lifetimes of the only one among the parameters.
fn tie(output: ReturnType, types: &[Type]) -> syn::Result<Type> {
    let mut output = match output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => *ty,
    };
    let mut elided = false;
    let mut only = lifetimes_in(quote!(#(#types)*));
    let is_any = !only.is_empty();
    let name = only.pop().filter(|_| only.is_empty());
    let written = output.clone();
    name_elided(&mut output, &mut || {
        elided |= name.is_none();
        Lifetime {
            apostrophe: Span::call_site(),
            ident: name.clone().unwrap_or(Ident::new("static", Span::call_site())),
        }
    });
    if elided {
        let message = if is_any {
            "name the lifetime that the result borrows for, here and at its parameter"
        } else {
            "the result borrows, and no parameter shows from what: take the item by reference, return what owns its \
             data, or name the lifetime here and at the parameter"
        };
        return Err(Error::new_spanned(written, message));
    }
    Ok(output)
}

fn shared_reference(ty: &Type) -> Option<&TypeReference> {
    reference(ty).filter(|reference| reference.mutability.is_none())
}

/// The reference that a type is, whatever is around it.
pub(crate) fn reference(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Reference(found) => Some(found),
        Type::Group(group) => reference(&group.elem),
        Type::Paren(paren) => reference(&paren.elem),
        _ => None,
    }
}

/// Whether a parameter's own lifetimes matter beyond the call: the result borrows for one, a bound or another parameter
/// speaks of the reference's, or it is `'static`.
fn is_tied(reference: &TypeReference, place: usize, types: &[Type], output: &Type, bounds: &TokenStream) -> bool {
    let Some(Lifetime { ident: own, .. }) = &reference.lifetime else { return false };
    let others = types.iter().enumerate().filter(|(other, _)| *other != place);
    let mut behind_others = others.map(|(_, ty)| shared_reference(ty).map_or(ty, |reference| &reference.elem));
    own == "static"
        || lifetimes_in(reference).iter().any(|lifetime| mentions(output, lifetime))
        || mentions(bounds, own)
        || mentions(&reference.elem, own)
        || behind_others.any(|ty| mentions(ty, own))
}

/// Everything that is demanded of the generic parameters.
fn bounds(generics: &Generics) -> TokenStream {
    let bounds = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(parameter) if parameter.bounds.is_empty() => TokenStream::new(),
        // What outlives the bound is spoken of, too.
        GenericParam::Lifetime(parameter) => parameter.to_token_stream(),
        GenericParam::Type(parameter) => parameter.bounds.to_token_stream(),
        GenericParam::Const(_) => TokenStream::new(),
    });
    let bounds = bounds.collect::<TokenStream>();
    let demands = &generics.where_clause;
    quote!(#bounds #demands)
}

/// Replaces every elided lifetime of a type by what `name` returns. What `fn(…)` and `Fn(…)` elide is theirs.
fn name_elided(ty: &mut Type, name: &mut dyn FnMut() -> Lifetime) {
    match ty {
        Type::Array(ty) => name_elided(&mut ty.elem, name),
        Type::Group(ty) => name_elided(&mut ty.elem, name),
        Type::Paren(ty) => name_elided(&mut ty.elem, name),
        Type::Ptr(ty) => name_elided(&mut ty.elem, name),
        Type::Slice(ty) => name_elided(&mut ty.elem, name),
        Type::Tuple(ty) => ty.elems.iter_mut().for_each(|ty| name_elided(ty, name)),
        Type::Path(ty) => {
            if let Some(qself) = &mut ty.qself {
                name_elided(&mut qself.ty, name);
            }
            in_path(&mut ty.path, name);
        }
        Type::Reference(ty) => {
            if ty.lifetime.as_ref().is_none_or(is_elided) {
                ty.lifetime = Some(name());
            }
            name_elided(&mut ty.elem, name);
        }
        Type::TraitObject(ty) => ty.bounds.iter_mut().for_each(|bound| match bound {
            TypeParamBound::Lifetime(lifetime) if is_elided(lifetime) => *lifetime = name(),
            TypeParamBound::Trait(bound) => in_path(&mut bound.path, name),
            _ => {}
        }),
        _ => {}
    }
}

fn in_path(path: &mut Path, name: &mut dyn FnMut() -> Lifetime) {
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            in_arguments(arguments, name);
        }
    }
}

fn in_arguments(arguments: &mut AngleBracketedGenericArguments, name: &mut dyn FnMut() -> Lifetime) {
    for argument in &mut arguments.args {
        match argument {
            GenericArgument::Lifetime(lifetime) if is_elided(lifetime) => *lifetime = name(),
            GenericArgument::Type(ty) => name_elided(ty, name),
            GenericArgument::AssocType(binding) => name_elided(&mut binding.ty, name),
            _ => {}
        }
    }
}

fn is_elided(lifetime: &Lifetime) -> bool {
    lifetime.ident == "_"
}

/// The names of all lifetimes mentioned in `tokens`, each once; those of a `for<…>` are no one else's.
pub(crate) fn lifetimes_in(tokens: impl ToTokens) -> Vec<Ident> {
    let mut found = Found::default();
    found.collect(tokens.into_token_stream());
    let Found { mut names, bound } = found;
    // What a `for<…>` declares cannot have the name of another lifetime in scope.
    names.retain(|name| !bound.contains(name));
    names
}

#[derive(Default)]
struct Found {
    names: Vec<Ident>,
    bound: Vec<Ident>,
}

impl Found {
    fn collect(&mut self, tokens: TokenStream) {
        let [mut after_tick, mut after_for, mut in_for] = [false; 3];
        for token in tokens {
            let is = |character| matches!(&token, TokenTree::Punct(punct) if punct.as_char() == character);
            in_for = (in_for || after_for && is('<')) && !is('>');
            match &token {
                TokenTree::Ident(ident) if after_tick => {
                    let names = if in_for { &mut self.bound } else { &mut self.names };
                    if !names.contains(ident) {
                        names.push(ident.clone());
                    }
                }
                TokenTree::Group(group) => self.collect(group.stream()),
                _ => {}
            }
            after_tick = is('\'');
            after_for = matches!(&token, TokenTree::Ident(word) if word == "for");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_of_a_for_are_left_out() {
        let names = |ty: &str| {
            let found = lifetimes_in(ty.parse::<TokenStream>().expect("tokens"));
            found.iter().map(Ident::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("&'a (dyn for<'x, 'y> Fn(&'x str, &'y [u8; 2]) -> Row<'b, 'y> + 'a)"), ["a", "b"]);
        assert_eq!(names("(&'a u8, for<'x> fn(&'x str, for<'z> fn(&'z u8)), Vec<&'b u8>)"), ["a", "b"]);
    }
}
