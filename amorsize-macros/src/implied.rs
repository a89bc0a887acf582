//! What a signature takes for granted of its types: that what is behind a reference lives as long as that, say. An
//! `impl` takes the same for granted only of types that it is for; of those in its bounds it has to be told.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericArgument, Lifetime, PathArguments, Type};

use crate::expand::is_generic;
use crate::function::{Function, Parameter};
use crate::lifetimes::lifetimes_in;
use crate::tokens::mentions;

/// The predicates, each with a comma behind it.
pub(crate) fn demands(function: &Function) -> TokenStream {
    let (values, others): (Vec<_>, Vec<_>) =
        function.parameters.iter().partition(|parameter| matches!(parameter, Parameter::Value(_)));
    let mut found = Found { function, demands: Vec::new() };
    others.iter().for_each(|parameter| found.within(parameter.ty()));
    // Of what the result borrows for, a parameter that is handed over as it is tells enough.
    let mut of_result = Found { function, demands: Vec::new() };
    of_result.within(&function.output);
    let is_told = |lifetime: &Lifetime| values.iter().any(|parameter| mentions(parameter.ty(), &lifetime.ident));
    of_result.demands.retain(|(_, lifetime)| !is_told(lifetime));
    let demands = found.demands.into_iter().chain(of_result.demands);
    demands.map(|(ty, lifetime)| quote!(#ty: #lifetime,)).collect()
}

struct Found<'f> {
    function: &'f Function,
    demands: Vec<(Type, Lifetime)>,
}

impl Found<'_> {
    fn within(&mut self, ty: &Type) {
        match ty {
            Type::Array(ty) => self.within(&ty.elem),
            Type::Group(ty) => self.within(&ty.elem),
            Type::Paren(ty) => self.within(&ty.elem),
            Type::Slice(ty) => self.within(&ty.elem),
            Type::Tuple(ty) => ty.elems.iter().for_each(|ty| self.within(ty)),
            Type::Reference(ty) => {
                self.outlives(&ty.elem, ty.lifetime.as_ref());
                self.within(&ty.elem);
            }
            Type::Path(ty) => ty.path.segments.iter().for_each(|segment| self.within_arguments(&segment.arguments)),
            _ => {}
        }
    }

    /// A type with a lifetime mostly has references of that lifetime to what its other arguments are.
    fn within_arguments(&mut self, arguments: &PathArguments) {
        let PathArguments::AngleBracketed(arguments) = arguments else { return };
        let types = arguments.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        });
        for ty in types {
            for argument in &arguments.args {
                if let GenericArgument::Lifetime(lifetime) = argument {
                    self.outlives(ty, Some(lifetime));
                }
            }
            self.within(ty);
        }
    }

    /// Only where that is not plain anyway.
    fn outlives(&mut self, ty: &Type, lifetime: Option<&Lifetime>) {
        let Some(lifetime) = lifetime.filter(|lifetime| lifetime.ident != "static") else { return };
        if is_generic(self.function, ty) || !lifetimes_in(ty.to_token_stream()).is_empty() {
            self.demands.push((ty.clone(), lifetime.clone()));
        }
    }
}
