//! The calls that users make: one line each, for the tuner to do.

use proc_macro2::TokenStream;
use quote::quote;

/// Whether the library has `predict`, `history`, `forget` and `record` yet.
const LEARNING: bool = false;

/// `stream` and the others, for a function of the item alone.
pub(crate) fn plain(visibility: &syn::Visibility, library: &TokenStream) -> TokenStream {
    let private = quote!(#library::__private);
    let core = quote!(#private::core);
    quote! {
        #[doc = "A lazy iterator over the results, for items and results that own their data."]
        #[track_caller]
        #visibility fn stream<__S>(items: __S) -> #library::Stream<__S::IntoIter, #library::Call<Self>>
        where
            __S: #core::iter::IntoIterator<Item: #private::Item + 'static>,
            Self: #private::Function<(), __S::Item, Output: #private::Outcome + 'static> + 'static,
        {
            Self::tuner().stream(items)
        }

        #[doc = "The same for borrowed items: when it returns, nothing of the stream runs any more."]
        #[track_caller]
        #visibility fn scope<'__env, __S, __T>(
            items: __S,
            body: impl for<'__a, '__s> #core::ops::FnOnce(
                #library::Stream<__S::IntoIter, #library::Call<Self>, #private::Scoped<'__a, '__s, '__env>>,
            ) -> __T,
        ) -> __T
        where
            __S: #core::iter::IntoIterator<Item: #private::Item + '__env>,
            Self: #private::Function<(), __S::Item, Output: #private::Outcome + '__env> + '__env,
        {
            Self::tuner().scope(items, body)
        }

        #[doc = "Runs over all items and collects the results."]
        #[track_caller]
        #visibility fn collect<__C>(items: impl #library::Collect<#library::Call<Self>, __C>) -> __C {
            Self::tuner().collect(items)
        }

        #[doc = "Runs over all items and gives each result to `sink`, on the calling thread."]
        #[track_caller]
        #visibility fn for_each<__S>(
            items: __S,
            sink: impl #core::ops::FnMut(<Self as #private::Function<(), __S::Item>>::Output),
        )
        where
            __S: #core::iter::IntoIterator<Item: #private::Item>,
            Self: #private::Function<(), __S::Item, Output: #private::Outcome>,
        {
            Self::tuner().for_each(items, sink)
        }

        #[doc = "Runs over all items for their effects, drops the results, and reports."]
        #[track_caller]
        #visibility fn run<__S>(items: __S) -> #library::Report
        where
            __S: #core::iter::IntoIterator<Item: #private::Item>,
            Self: #private::Function<(), __S::Item, Output: #private::Outcome>,
        {
            Self::tuner().run(items)
        }

        #[doc = "The attribute's options as defaults, to be changed before any of the calls."]
        #visibility fn tuner() -> #library::Tuner<#library::Call<Self>> {
            #private::tuner::<Self, ()>(())
        }
    }
}
