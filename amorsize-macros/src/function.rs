//! The annotated function: its signature, and every reason to refuse it but for its parameters, which `inputs` has. The
//! body is never looked at, so completion goes on working in a half-typed function.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Abi, Attribute, Error, GenericParam, Generics, Lifetime, ReturnType, Token, Type, Visibility, token};

use crate::inputs::{Input, conditional, refuse_inputs};
use crate::lifetimes::hand_over;
use crate::mistakes::Mistakes;
use crate::tokens::find_ident;

/// A signature that can be streamed.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    /// The item first; the others are context.
    pub(crate) parameters: Vec<Parameter>,
    /// What the parameters are called, where their patterns are names.
    pub(crate) parameter_names: Vec<Option<Ident>>,
    pub(crate) output: Type,
    /// The names that elided lifetimes were given.
    pub(crate) elided: Vec<Lifetime>,
    /// The signature and the body.
    pub(crate) code: TokenStream,
}

/// How a parameter is handed over.
pub(crate) enum Parameter {
    /// As it is.
    Value(Type),
    /// As anything that can be borrowed as this type.
    Borrowed(Type),
    /// The same for a generic type, which is to be inferred.
    Lent(Type),
}

impl Parameter {
    pub(crate) fn ty(&self) -> &Type {
        let (Self::Value(ty) | Self::Borrowed(ty) | Self::Lent(ty)) = self;
        ty
    }
}

impl Function {
    /// Reads a signature; an error if it cannot be streamed, and `None` if the compiler says what is wrong with it.
    pub(crate) fn parse(input: ParseStream<'_>) -> syn::Result<Option<Self>> {
        let mut mistakes = Mistakes::default();
        let attributes = input.call(Attribute::parse_outer)?;
        refuse_attributes(&attributes, &mut mistakes);
        let visibility = input.parse()?;
        let code = input.fork().parse()?;
        read_qualifiers(input, &mut mistakes)?;
        let name = input.parse()?;
        refuse_name(&name, &mut mistakes);
        let mut generics: Generics = input.parse()?;
        let inputs;
        let parentheses = syn::parenthesized!(inputs in input);
        let inputs = Punctuated::<Input, Token![,]>::parse_terminated(&inputs)?;
        let output: ReturnType = input.parse()?;
        generics.where_clause = input.parse()?;
        let body = input.peek(token::Brace);
        let end: TokenStream = input.parse()?;
        if !body {
            mistakes.at(end, "a streaming function needs a body");
        }
        let inputs: Vec<_> = inputs.into_iter().collect();
        refuse_generics(&generics, &mut mistakes);
        refuse_inputs(&name, &generics, parentheses, &inputs, &mut mistakes);
        refuse_output(&output, &mut mistakes);
        mistakes.check()?;
        let typed = inputs.into_iter().map(|input| Some((input.ty?, input.name)));
        let Some((types, parameter_names)) = typed.collect() else { return Ok(None) };
        let (parameters, output, elided) = hand_over(types, output, &generics)?;
        Ok(Some(Self { attributes, visibility, name, generics, parameters, parameter_names, output, elided, code }))
    }

    /// The same where `pub` stands elsewhere: lints take what is added for written by whoever wrote that.
    pub(crate) fn made_public_at(mut self, at: Span) -> Self {
        match &mut self.visibility {
            Visibility::Public(token) => token.span = at,
            Visibility::Restricted(visibility) => visibility.pub_token.span = at,
            Visibility::Inherited => {}
        }
        self
    }
}

fn refuse_attributes(attributes: &[Attribute], mistakes: &mut Mistakes) {
    if let Some(attribute) = attributes.iter().find(|attribute| attribute.path().is_ident("target_feature")) {
        let message = "a `#[target_feature]` function cannot be streamed: call it from a plain one that has checked for the \
                       feature";
        mistakes.at(attribute, message);
    }
    let again = |attribute: &&Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "streaming");
    if let Some(attribute) = attributes.iter().find(again) {
        mistakes.at(attribute, "the function has this attribute already: give all options to one of them");
    }
}

/// Everything before the name.
fn read_qualifiers(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<()> {
    let start = input.span();
    input.parse::<Option<Token![const]>>()?;
    if let Some(token) = input.parse::<Option<Token![async]>>()? {
        mistakes.at(token, "an `async` function cannot be streamed yet: block on the future inside a plain one");
    }
    if let Some(token) = input.parse::<Option<Token![unsafe]>>()? {
        mistakes.at(token, "an `unsafe` function cannot be streamed: call it from a safe one");
    }
    if let Some(abi) = input.parse::<Option<Abi>>()? {
        mistakes.at(abi, "a function with a foreign ABI cannot be streamed: call it from a plain one");
    }
    let what = "`#[streaming]` goes on a function, such as `fn square(n: u64) -> u64 { n * n }`";
    input.parse::<Token![fn]>().map(drop).map_err(|_| Error::new(start, what))
}

/// Types that every program has, unless another one of that name hides it.
const PRIMITIVES: [&str; 19] = [
    "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
    "f16", "f32", "f64", "f128",
];

fn refuse_name(name: &Ident, mistakes: &mut Mistakes) {
    let plain = name.unraw();
    if PRIMITIVES.iter().any(|primitive| plain == primitive) {
        let message = format!(
            "`#[streaming]` adds a type of the function's name, and `{plain}` would hide the primitive one: rename the \
             function"
        );
        mistakes.at(name, message);
    }
}

fn refuse_generics(generics: &Generics, mistakes: &mut Mistakes) {
    for parameter in &generics.params {
        let attributes = match parameter {
            GenericParam::Lifetime(parameter) => &parameter.attrs,
            GenericParam::Type(parameter) => &parameter.attrs,
            GenericParam::Const(parameter) => &parameter.attrs,
        };
        if let Some(attribute) = conditional(attributes) {
            let message = "a streaming function has the same generic parameters in every build: put `#[cfg]` on it";
            mistakes.at(attribute, message);
        }
    }
}

fn refuse_output(output: &ReturnType, mistakes: &mut Mistakes) {
    let ReturnType::Type(_, ty) = output else { return };
    if find_ident(ty, "impl").is_some() {
        mistakes.at(ty, "`impl Trait` has no name: return a type that has one, such as `Box<dyn Trait + Send>`");
    } else if matches!(**ty, Type::Never(_)) {
        mistakes.at(ty, "a streaming function returns: `!` has no value to stream");
    } else if let Some(word) = find_ident(ty, "Self") {
        mistakes.at(word, "a function of an `impl` cannot be annotated: move it out");
    }
}
