//! The generic parameters of a function in the shapes that the added code needs.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Lifetime, PredicateType, WherePredicate};

use crate::expand::{Names, respanned};
use crate::function::Function;
use crate::implied;
use crate::tokens::mentions;

/// Lists that end with a comma, so that more can follow.
#[derive(Default)]
pub(crate) struct Parameters {
    /// Declared by the type of the function's name: all types and constants, and the lifetimes that only the result
    /// has.
    pub(crate) own: TokenStream,
    /// The same, as arguments.
    pub(crate) own_arguments: TokenStream,
    /// The same, as types of no size.
    pub(crate) phantoms: Vec<TokenStream>,
    /// All that are in use, with their bounds.
    pub(crate) all: TokenStream,
    /// Types and constants, as arguments of the function.
    pub(crate) arguments: TokenStream,
    /// The predicates of the `where` clause, and those that a signature implies.
    pub(crate) demands: TokenStream,
}

impl Parameters {
    pub(crate) fn of(function: &Function, names: &Names) -> Self {
        let mut parameters = Self::default();
        for lifetime in &function.elided {
            parameters.all.extend(quote!(#lifetime,));
        }
        for parameter in &function.generics.params {
            parameters.add(parameter, function, names);
        }
        parameters.demands.extend(implied::demands(function));
        for predicate in function.generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            parameters.demands.extend(quote!(#predicate,));
        }
        parameters
    }

    fn add(&mut self, parameter: &GenericParam, function: &Function, Names { at, core, .. }: &Names) {
        match parameter {
            GenericParam::Lifetime(parameter) => {
                let Lifetime { apostrophe, ident } = &parameter.lifetime;
                // Not every `impl` has a use for it, which is nothing that the user could change.
                let lifetime = &Lifetime { apostrophe: apostrophe.resolved_at(*at), ident: respanned(ident, *at) };
                let bounds = &parameter.bounds;
                self.all.extend(quote!(#lifetime: #bounds,));
                let taken = function.parameters.iter().any(|parameter| mentions(parameter.ty(), ident));
                if !taken && mentions(demands_of_result(function), ident) {
                    self.own(quote!(#lifetime), lifetime, quote!(&#lifetime ()), core);
                }
            }
            GenericParam::Type(parameter) => {
                let (name, bounds) = (&parameter.ident, &parameter.bounds);
                self.all.extend(quote!(#name: #bounds,));
                self.arguments.extend(quote!(#name,));
                self.own(quote!(#name: ?#core::marker::Sized), name, quote!(#name), core);
            }
            GenericParam::Const(parameter) => {
                let (name, ty) = (&parameter.ident, &parameter.ty);
                self.all.extend(quote!(const #name: #ty,));
                self.arguments.extend(quote!(#name,));
                self.own.extend(quote!(const #name: #ty,));
                self.own_arguments.extend(quote!(#name,));
            }
        }
    }

    fn own(&mut self, declared: TokenStream, argument: impl ToTokens, ty: TokenStream, core: &TokenStream) {
        self.own.extend(quote!(#declared,));
        self.own_arguments.extend(quote!(#argument,));
        self.phantoms.push(quote!(#core::marker::PhantomData<#ty>));
    }
}

/// The type of the result, and what is demanded of the generic types in it: what it is may depend on that.
fn demands_of_result(Function { output, generics, .. }: &Function) -> TokenStream {
    let types: Vec<_> = generics.type_params().filter(|parameter| mentions(output, &parameter.ident)).collect();
    let bounds = types.iter().map(|parameter| &parameter.bounds);
    let is_of_result = |ty| types.iter().any(|parameter| mentions(ty, &parameter.ident));
    let clauses = type_clauses(generics).filter(|clause| is_of_result(&clause.bounded_ty));
    quote!(#output #(#bounds)* #(#clauses)*)
}

/// What the `where` clause demands of types.
pub(crate) fn type_clauses(generics: &Generics) -> impl Iterator<Item = &PredicateType> {
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(clause) => Some(clause),
        _ => None,
    })
}
