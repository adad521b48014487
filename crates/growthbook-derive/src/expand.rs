//! The implementations that the macro writes.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, GenericParam, Generics, Lifetime, LifetimeParam, Result};

use crate::fields::{NamedField, Source, SourceField};

/// Writes the implementations for a struct. `path` is the crate that has the traits.
///
/// # Errors
///
/// When the input is not a struct with named fields, or an option is wrong.
pub(crate) fn expand(input: &DeriveInput, path: &TokenStream) -> Result<TokenStream> {
    let source = Source::read(input)?;
    let implementation = attribute_source(input, &source, path);
    let conversions = conversions(input, path);
    Ok(quote! { #implementation #conversions })
}

fn attribute_source(input: &DeriveInput, source: &Source<'_>, path: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (parameters, arguments, conditions) = input.generics.split_for_impl();
    let arms = source.named.iter().map(arm);
    let look_ups: Vec<TokenStream> = source
        .flattened
        .iter()
        .map(|field| {
            with_value(
                field,
                &quote! {
                    if let ::core::option::Option::Some(found) =
                        #path::AttributeSource::attribute(value, name)
                    {
                        return ::core::option::Option::Some(found);
                    }
                },
            )
        })
        .collect();
    let shown = source.named.iter().map(|it| {
        let name = &it.name;
        let converted = converted(&it.field);
        with_value(
            &it.field,
            &quote! {
                visitor(#name, #converted);
            },
        )
    });
    let flattened = source.flattened.iter().enumerate().map(|(index, field)| {
        // An attribute that comes from elsewhere is not shown twice.
        let names = source.named.iter().map(arm);
        let earlier = look_ups.iter().take(index);
        with_value(
            field,
            &quote! {
                let earlier = |name: &::core::primitive::str| {
                    match name {
                        #(#names)*
                        _ => {}
                    }
                    #(#earlier)*
                    ::core::option::Option::<#path::AttributeRef<'_>>::None
                };
                #path::AttributeSource::visit(value, &mut |name, shown| {
                    if ::core::option::Option::is_none(&earlier(name)) {
                        visitor(name, shown);
                    }
                });
            },
        )
    });
    quote! {
        #[automatically_derived]
        impl #parameters #path::AttributeSource for #ident #arguments #conditions {
            fn attribute(
                &self,
                name: &::core::primitive::str,
            ) -> ::core::option::Option<#path::AttributeRef<'_>> {
                match name {
                    #(#arms)*
                    _ => {}
                }
                #(#look_ups)*
                ::core::option::Option::None
            }

            fn visit(
                &self,
                visitor: &mut dyn ::core::ops::FnMut(
                    &::core::primitive::str,
                    #path::AttributeRef<'_>,
                ),
            ) {
                #(#shown)*
                #(#flattened)*
            }
        }
    }
}

/// Returns the arm of a field in the search for a name.
fn arm(field: &NamedField<'_>) -> TokenStream {
    let name = &field.name;
    let converted = converted(&field.field);
    let found = with_value(
        &field.field,
        &quote! {
            return ::core::option::Option::Some(#converted);
        },
    );
    quote! { #name => { #found } }
}

/// Converts `value`. The compiler shows the field if its type does not convert.
fn converted(field: &SourceField<'_>) -> TokenStream {
    quote_spanned!(field.ident.span()=> ::core::convert::Into::into(value))
}

/// Runs statements with a reference to the field's value as `value`, unless it is missing.
fn with_value(field: &SourceField<'_>, statements: &TokenStream) -> TokenStream {
    let ident = field.ident;
    let value = if field.is_reference { quote!(&**value) } else { quote!(value) };
    if field.is_option {
        quote! {
            if let ::core::option::Option::Some(value) = &self.#ident {
                let value = #value;
                #statements
            }
        }
    } else {
        quote! {
            {
                let value = &self.#ident;
                let value = #value;
                #statements
            }
        }
    }
}

/// Makes a reference to the struct a user, and an attribute that is an object.
fn conversions(input: &DeriveInput, path: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let lifetime = Lifetime::new("'growthbook_source", proc_macro2::Span::call_site());
    let generics = with_lifetime(&input.generics, &lifetime);
    let (parameters, _, _) = generics.split_for_impl();
    let (_, arguments, conditions) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters #path::IntoUser<#lifetime> for &#lifetime #ident #arguments #conditions {
            fn into_user(
                self,
            ) -> (
                #path::UserContext,
                ::core::option::Option<&#lifetime dyn #path::AttributeSource>,
            ) {
                (::core::default::Default::default(), ::core::option::Option::Some(self))
            }
        }

        #[automatically_derived]
        impl #parameters ::core::convert::From<&#lifetime #ident #arguments>
            for #path::AttributeRef<#lifetime> #conditions
        {
            fn from(source: &#lifetime #ident #arguments) -> Self {
                #path::AttributeRef::Object(source)
            }
        }
    }
}

fn with_lifetime(generics: &Generics, lifetime: &Lifetime) -> Generics {
    let mut generics = generics.clone();
    let parameter = GenericParam::Lifetime(LifetimeParam::new(lifetime.clone()));
    generics.params.insert(0, parameter);
    generics
}
