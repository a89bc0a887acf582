//! The calls that users make: one line each, for the tuner to do.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::expand::{Names, respanned, variable};
use crate::function::Function;
use crate::generics::Parameters;
use crate::lifetimes::lifetimes_in;
use crate::taken::Taken;

/// The `impl` with all calls.
pub(crate) fn calls(
    function: &Function,
    ty: &Ident,
    Parameters { own, own_arguments, all, demands, .. }: &Parameters,
    contexts: &[Taken],
    names: &Names,
) -> TokenStream {
    let learning = learning(function, names);
    if contexts.is_empty() {
        let plain = plain(function, names);
        return quote_spanned!(names.at=> impl<#own> #ty<#own_arguments> { #plain #learning });
    }
    let with = with(function, contexts, names);
    quote_spanned!(names.at=> impl<#all> #ty<#own_arguments> where #demands { #with #learning })
}

/// `stream` and the others, for a function of the item alone.
fn plain(Function { visibility, .. }: &Function, Names { at, library, private, core }: &Names) -> TokenStream {
    let [items, body, sink] = ["items", "body", "sink"].map(|name| variable(name, *at));
    quote_spanned! {*at=>
        #[doc = "A lazy iterator over the results, for items and results that own their data."]
        #[track_caller]
        #visibility fn stream<__S>(#items: __S) -> #library::Stream<__S::IntoIter, #library::Call<Self>>
        where
            __S: #core::iter::IntoIterator<Item: #private::Item + 'static>,
            #library::Call<Self>: #library::Work<__S::Item, Output: #private::Output + 'static> + 'static,
        {
            Self::tuner().stream(#items)
        }

        #[doc = "The same for borrowed items: when it returns, nothing of the stream runs any more."]
        #[track_caller]
        #visibility fn scope<'__env, __S, __T>(
            #items: __S,
            #body: impl for<'__a, '__s> #core::ops::FnOnce(
                #library::Stream<__S::IntoIter, #library::Call<Self>, #private::Scoped<'__a, '__s, '__env>>,
            ) -> __T,
        ) -> __T
        where
            __S: #core::iter::IntoIterator<Item: #private::Item + '__env>,
            #library::Call<Self>: #library::Work<__S::Item, Output: #private::Output + '__env> + '__env,
        {
            Self::tuner().scope(#items, #body)
        }

        #[doc = "Runs over all items and collects the results."]
        #[track_caller]
        #visibility fn collect<__C>(#items: impl #library::Collect<#library::Call<Self>, __C>) -> __C {
            Self::tuner().collect(#items)
        }

        #[doc = "Runs over all items and gives each result to `sink`, on the calling thread."]
        #[track_caller]
        #visibility fn for_each<__S>(
            #items: __S,
            #sink: impl #core::ops::FnMut(<#library::Call<Self> as #library::Work<__S::Item>>::Output),
        )
        where
            __S: #core::iter::IntoIterator<Item: #private::Item>,
            #library::Call<Self>: #library::Work<__S::Item, Output: #private::Output>,
        {
            Self::tuner().for_each(#items, #sink)
        }

        #[doc = "Runs over all items for their effects, drops the results, and reports."]
        #[track_caller]
        #visibility fn run<__S>(#items: __S) -> #library::Report
        where
            __S: #core::iter::IntoIterator<Item: #private::Item>,
            #library::Call<Self>: #library::Work<__S::Item, Output: #private::Output>,
        {
            Self::tuner().run(#items)
        }

        #[doc = "The attribute's options as defaults, to be changed before any of the calls."]
        #visibility fn tuner() -> #library::Tuner<#library::Call<Self>> {
            #private::tuner::<Self, ()>(())
        }
    }
}

/// `with`, for a function with context; and in place of the others, what tells to use it.
fn with(function: &Function, contexts: &[Taken], Names { at, library, private, core }: &Names) -> TokenStream {
    let Function { visibility, output, parameter_names, .. } = function;
    let declared = contexts.iter().map(|taken| &taken.declared);
    let demands = contexts.iter().map(|taken| &taken.demand);
    let types: Vec<_> = contexts.iter().map(|taken| &taken.ty).collect();
    let names = parameter_names.iter().skip(1).enumerate();
    let names =
        names.map(|(place, name)| name.as_ref().map_or(format_ident!("__{place}"), |name| respanned(name, *at)));
    let names: Vec<_> = names.collect();
    // What a chained call needs to go on without a second error, if it can be written here.
    let output = if lifetimes_in(output).is_empty() { quote!(#output) } else { quote!(()) };
    // A bound that is never met, on no parameter of the call: the mistake is then shown at the call's path, once.
    let refuse = quote_spanned!(*at=> where for<'__a> Self: #private::WithoutContext<'__a>);
    quote_spanned! {*at=>
        #[doc = "Binds the further parameters."]
        #visibility fn with<#(#declared)*>(#(#names: #types),*) -> #library::Tuner<#library::Call<Self, (#(#types,)*)>>
        where
            #(#demands)*
        {
            #private::tuner::<Self, (#(#types,)*)>((#(#names,)*))
        }

        #[doc(hidden)]
        #visibility fn stream<__S>(_: __S) -> #core::iter::Empty<#output> #refuse { loop {} }

        #[doc(hidden)]
        #visibility fn scope<__S, __T>(_: __S, _: impl #core::ops::FnOnce(#core::iter::Empty<#output>) -> __T) -> __T
        #refuse { loop {} }

        #[doc(hidden)]
        #visibility fn collect<__C>(_: impl #core::iter::IntoIterator) -> __C #refuse { loop {} }

        #[doc(hidden)]
        #visibility fn for_each<__S>(_: __S, _: impl #core::ops::FnMut(#output)) #refuse { loop {} }

        #[doc(hidden)]
        #visibility fn run<__S>(_: __S) -> #library::Report #refuse { loop {} }

        #[doc(hidden)]
        #visibility fn tuner() -> #library::Tuner<#private::Refused<#output>> #refuse { loop {} }
    }
}

/// What is learned of the function; the same for every context.
fn learning(Function { visibility, .. }: &Function, Names { at, library, private, core }: &Names) -> TokenStream {
    let [len, outcome] = ["len", "outcome"].map(|name| variable(name, *at));
    quote_spanned! {*at=>
        #[doc = "The plan that earlier runs suggest for `len` items; `None` with too little history or confidence."]
        #[must_use]
        #visibility fn predict(#len: usize) -> #core::option::Option<#library::Prediction> {
            #private::tuner::<Self, ()>(()).predict(#len)
        }

        #[doc = "What has been learned of this function."]
        #visibility fn history() -> #core::result::Result<#library::History, #library::Error> {
            #private::tuner::<Self, ()>(()).history()
        }

        #[doc = "Drops what has been learned of this function."]
        #visibility fn forget() -> #core::result::Result<(), #library::Error> {
            #private::tuner::<Self, ()>(()).forget()
        }

        #[doc = "Learns from a run that was measured by other means."]
        #[track_caller]
        #visibility fn record(#outcome: #library::Outcome) -> #core::result::Result<(), #library::Error> {
            #private::tuner::<Self, ()>(()).record(#outcome)
        }
    }
}
