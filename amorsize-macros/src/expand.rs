//! What the attribute adds to a function: what the library needs to know of it, and the calls that users make.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use crate::args::Args;
use crate::calls;
use crate::fingerprint;
use crate::function::Function;
use crate::generics::Parameters;
use crate::mistakes::Mistakes;
use crate::taken::Taken;

/// The function as it was, and behind it what is wrong, or else what the attribute adds. Wrong options are left out, so
/// that they do not make every use of the function an error too.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let args = Args::parse(args, &mut mistakes);
    let function = mistakes.note(syn::parse2::<Function>(item.clone()));
    let added = function.map(|function| added(&function, &args));
    let mistakes = mistakes.into_tokens();
    quote!(#item #mistakes #added)
}

fn added(function: &Function, Args { library, calls, written }: &Args) -> TokenStream {
    let Function { visibility, name, output, code, .. } = function;
    let private = quote!(#library::__private);
    let core = quote!(#private::core);
    let parameters = Parameters::of(function, &core);
    let Parameters { own, own_arguments, phantoms, all, arguments, demands } = &parameters;

    let item = Ident::new("__item", Span::mixed_site());
    let context = Ident::new("__context", Span::mixed_site());
    let mut taken = function.parameters.iter();
    let first = taken.next().map(|parameter| Taken::item(parameter, &item, &private)).unwrap_or_default();
    let others = taken.enumerate().map(|(place, parameter)| Taken::context(parameter, place, &context, &private));
    let others: Vec<Taken> = others.collect();
    let Taken { declared, ty: item_type, argument, .. } = first;
    let context_declared = others.iter().map(|taken| &taken.declared);
    let contexts: Vec<_> = others.iter().map(|taken| &taken.ty).collect();
    let contexts = quote!((#(#contexts,)*));
    let context_demands = others.iter().map(|taken| &taken.demand);
    let further = others.iter().map(|taken| &taken.argument);
    let sendable = sendable(function, &private);

    let ty = Ident::clone(name);
    let ty = respanned(&ty);
    let title = name.unraw().to_string();
    let body = fingerprint::of(quote!(#code #written));
    let (on_impl, on_type) = attributes(function);
    let learning = calls::learning(function, library);
    let calls_made = if others.is_empty() {
        let plain = calls::plain(function, library);
        quote!(impl<#own> #ty<#own_arguments> { #plain #learning })
    } else {
        let with = calls::with(function, &others, library);
        quote! {
            impl<#all> #ty<#own_arguments> where #demands { #with }
            #on_impl
            impl<#own> #ty<#own_arguments> { #learning }
        }
    };
    let variants = (!phantoms.is_empty()).then(|| {
        quote! {
            #[doc(hidden)]
            __Never(#core::marker::PhantomData<fn() -> (#(#phantoms,)*)>, #core::convert::Infallible),
        }
    });

    quote! {
        #on_impl
        impl<#all #declared #(#context_declared)*> #private::Function<#contexts, #item_type> for #ty<#own_arguments>
        where
            #demands #(#context_demands)* #sendable
        {
            type Output = #output;

            #[inline]
            fn call(#context: &#contexts, #item: #item_type) -> Self::Output {
                #name::<#arguments>(#argument, #(#further),*)
            }
        }

        #on_impl
        impl<#own> #private::Named for #ty<#own_arguments> {
            const SITE: #private::Site = #private::Site {
                package: #private::package(#core::option_env!("CARGO_PKG_NAME")),
                module: #core::module_path!(),
                name: #title,
                body: #body,
            };

            fn configure<__W>(tuner: #library::Tuner<__W>) -> #library::Tuner<__W> {
                tuner #calls
            }
        }

        #on_impl
        #calls_made

        #on_type
        #[doc(hidden)]
        #[non_exhaustive]
        #visibility enum #ty<#own> { #variants }
    }
}

/// A name where the user wrote it and as if the attribute had written it, so that no lint speaks of it.
fn respanned(name: &Ident) -> Ident {
    let mut name = name.clone();
    name.set_span(name.span().resolved_at(Span::call_site()));
    name
}

/// The function's attributes that the added code shares: those of the `impl`s, and those of the type.
fn attributes(function: &Function) -> (TokenStream, TokenStream) {
    let of = |name: &'static str| function.attributes.iter().filter(move |attribute| attribute.path().is_ident(name));
    let (conditions, deprecated) = (of("cfg").collect::<Vec<_>>(), of("deprecated").next());
    let calls_deprecated = deprecated.map(|_| quote!(#[allow(deprecated)]));
    (quote!(#(#conditions)* #calls_deprecated), quote!(#(#conditions)* #deprecated))
}

/// That item and result can go to another thread, where it can be said without knowing the generic types: reported at
/// their types in the signature.
fn sendable(function: &Function, private: &TokenStream) -> TokenStream {
    let generic =
        |ty: &Type| function.generics.type_params().any(|parameter| crate::tokens::mentions(ty, &parameter.ident));
    let demand = |ty: &Type, bound: &str| {
        let at = ty.span().resolved_at(Span::call_site());
        let bound = Ident::new(bound, at);
        (!generic(ty)).then(|| quote_spanned!(at=> #ty: #private::#bound,))
    };
    let item = match function.parameters.first() {
        Some(crate::function::Parameter::Value(ty)) => demand(ty, "Item"),
        _ => None,
    };
    let result = demand(&function.output, "Outcome");
    quote!(#item #result)
}
