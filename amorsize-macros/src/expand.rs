//! What the attribute adds to a function: what the library needs to know of it, and the calls that users make.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Meta, MetaList, Type};

use crate::args::Args;
use crate::calls;
use crate::fingerprint;
use crate::function::{Function, Parameter};
use crate::generics::Parameters;
use crate::mistakes::Mistakes;
use crate::owned;
use crate::taken::Taken;
use crate::tokens::mentions;

/// The function as it was, and behind it what is wrong, or else what the attribute adds. Wrong options are left out, so
/// that they do not make every use of the function an error too.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let function = Function::parse.parse2(item.clone()).map_err(in_our_words);
    let name = function.as_ref().ok().and_then(Option::as_ref).map_or(Span::call_site(), |known| known.name.span());
    let at = name.resolved_at(Span::call_site());
    let args = Args::parse(args, at, &mut mistakes);
    let added = mistakes.note(function).flatten().map(|function| added(&function.made_public_at(at), args, at));
    let mistakes = mistakes.into_tokens();
    quote!(#item #mistakes #added)
}

/// The parser speaks of itself where the length of an array is more than it reads.
fn in_our_words(mistake: Error) -> Error {
    if !mistake.to_string().contains("unsupported expression") {
        return mistake;
    }
    Error::new(
        mistake.span(),
        "the length of an array is a number, a constant or a sum of them here: give it a name, `const N: usize = …`",
    )
}

/// Names that all of the added code uses.
pub(crate) struct Names {
    /// Where the added code seems to stand: at the function's name, and as if the attribute had written it, so that no
    /// lint speaks of it.
    pub(crate) at: Span,
    pub(crate) library: TokenStream,
    /// The library's door for added code.
    pub(crate) private: TokenStream,
    pub(crate) core: TokenStream,
}

fn added(function: &Function, Args { library, calls, written }: Args, at: Span) -> TokenStream {
    let private = quote_spanned!(at=> #library::__private);
    let names = Names { at, core: quote_spanned!(at=> #private::core), private, library };
    let parameters = Parameters::of(function, &names);
    let ty = respanned(&function.name, at);

    let of = |name: &'static str| function.attributes.iter().filter(move |attribute| attribute.path().is_ident(name));
    let (conditions, deprecated) = (of("cfg").collect::<Vec<_>>(), of("deprecated").next());
    let calls_deprecated = deprecated.map(|_| quote!(#[allow(deprecated)]));
    let allowed: Vec<_> = function.attributes.iter().filter_map(allowed).collect();

    let contexts = contexts(function, &names);
    let work = work(function, &ty, &parameters, &contexts, &names);
    let named = named(function, &ty, &parameters, &calls, &written, &names);
    let calls = calls::calls(function, &ty, &parameters, &contexts, &names);
    let definition = definition(function, &ty, &parameters, &names);
    let on_impl = quote!(#(#conditions)* #calls_deprecated #(#allowed)*);
    quote! {
        #on_impl #work
        #on_impl #named
        #on_impl #calls
        #(#conditions)* #deprecated #(#allowed)* #definition
    }
}

/// What may be in a signature may be in the code that repeats it.
fn allowed(attribute: &Attribute) -> Option<TokenStream> {
    let Meta::List(MetaList { path, tokens, .. }) = &attribute.meta else { return None };
    (path.is_ident("allow") || path.is_ident("expect")).then(|| quote!(#[allow(#tokens)]))
}

/// A name of the user's in added code. That is of this crate's edition, in which one more word is a keyword.
pub(crate) fn respanned(name: &Ident, at: Span) -> Ident {
    let at = name.span().resolved_at(at);
    if name == "gen" {
        return Ident::new_raw("gen", at);
    }
    let mut name = name.clone();
    name.set_span(at);
    name
}

/// A variable of added code. Even what is hygienic cannot have the name of a constant where the user stands.
pub(crate) fn variable(name: &str, at: Span) -> Ident {
    Ident::new(&format!("__{name}"), Span::mixed_site().located_at(at))
}

/// `Function`: how the function is called.
fn work(function: &Function, ty: &Ident, parameters: &Parameters, contexts: &[Taken], names: &Names) -> TokenStream {
    let Names { at, private, .. } = names;
    let Parameters { own_arguments, all, arguments, demands, .. } = parameters;
    let Function { name, output, .. } = function;
    let item_variable = variable("item", *at);
    let item = &function.parameters[0];
    let Taken { declared, ty: item_type, argument, .. } = Taken::item(item, &item_variable, names);
    let context_declared = contexts.iter().map(|context| &context.declared);
    let context_types: Vec<_> = contexts.iter().map(|context| &context.ty).collect();
    let context_demands = contexts.iter().map(|context| &context.demand);
    let further = contexts.iter().map(|context| &context.argument);
    let context = variable("context", *at);
    let checks = checks(function, private);
    let result_bytes = owned::result_bytes(function, names);
    quote_spanned! {*at=>
        impl<#all #declared #(#context_declared)*> #private::Function<(#(#context_types,)*), #item_type>
            for #ty<#own_arguments>
        where
            #demands #(#context_demands)*
        {
            type Output = #output;

            #[inline]
            fn call(#context: &(#(#context_types,)*), #item_variable: #item_type) -> Self::Output {
                #name::<#arguments>(#argument, #(#further),*)
            }

            #result_bytes

            #checks
        }
    }
}

fn contexts(function: &Function, names: &Names) -> Vec<Taken> {
    let context = variable("context", names.at);
    let further = function.parameters.iter().skip(1).enumerate();
    further.map(|(place, parameter)| Taken::context(parameter, place, function, &context, names)).collect()
}

/// That item and result can go to other threads, asked where it can be told without knowing the generic
/// types: so that it is reported here, at the type, and not at every call.
fn checks(function: &Function, private: &TokenStream) -> TokenStream {
    let item = match &function.parameters[0] {
        Parameter::Value(ty) => check(function, ty, "item", private),
        _ => None,
    };
    let result = check(function, &function.output, "result", private);
    quote! {
        fn check() {
            #item #result
        }
    }
}

/// A call of a function with a bound, which the compiler reports at `ty`.
fn check(function: &Function, ty: &Type, bound: &str, private: &TokenStream) -> Option<TokenStream> {
    let at = ty.span().resolved_at(Span::call_site());
    let bound = Ident::new(bound, at);
    (!is_generic(function, ty)).then(|| quote_spanned!(at=> #private::#bound::<#ty>();))
}

pub(crate) fn is_generic(function: &Function, ty: &Type) -> bool {
    function.generics.type_params().any(|parameter| mentions(ty, &parameter.ident))
}

/// `Named`: what the function is and with which options it is run.
fn named(
    function: &Function,
    ty: &Ident,
    Parameters { own, own_arguments, .. }: &Parameters,
    options: &TokenStream,
    written: &TokenStream,
    Names { at, library, private, core }: &Names,
) -> TokenStream {
    let name = function.name.unraw().to_string();
    let code = &function.code;
    let body = fingerprint::of(quote!(#code #written));
    let tuner = variable("tuner", *at);
    quote_spanned! {*at=>
        impl<#own> #private::Named for #ty<#own_arguments> {
            const SITE: #private::Site = #private::Site {
                package: #private::package(#core::option_env!("CARGO_PKG_NAME")),
                module: #core::module_path!(),
                name: #name,
                body: #body,
            };

            fn configure<__W>(#tuner: #library::Tuner<__W>) -> #library::Tuner<__W> {
                #tuner #options
            }
        }
    }
}

/// The type of the function's name. It has no value.
fn definition(
    Function { visibility, .. }: &Function,
    ty: &Ident,
    Parameters { own, phantoms, .. }: &Parameters,
    Names { at, core, .. }: &Names,
) -> TokenStream {
    let variant = (!phantoms.is_empty()).then(|| {
        quote_spanned! {*at=>
            #[doc(hidden)]
            __Never(#core::marker::PhantomData<fn() -> (#(#phantoms,)*)>, #core::convert::Infallible),
        }
    });
    quote_spanned! {*at=>
        #[doc(hidden)]
        #[non_exhaustive]
        #visibility enum #ty<#own> { #variant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the parser reads all lengths depends on what else is built.
    #[test]
    fn the_parsers_own_words_are_not_shown() {
        let told = |message: &str| in_our_words(Error::new(Span::call_site(), message)).to_string();
        assert!(told("unsupported expression; enable syn's features=[\"full\"]").contains("give it a name"));
        assert_eq!(told("expected `,`"), "expected `,`");
    }
}
