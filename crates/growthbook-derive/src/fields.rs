//! The fields of a struct, and their options.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Result, Type};

/// The fields that are attributes.
pub(crate) struct Source<'i> {
    pub(crate) named: Vec<NamedField<'i>>,
    pub(crate) flattened: Vec<SourceField<'i>>,
}

/// A field that is an attribute.
pub(crate) struct NamedField<'i> {
    pub(crate) name: String,
    pub(crate) field: SourceField<'i>,
}

/// A field, without the `Option` that its type may have.
pub(crate) struct SourceField<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) is_option: bool,
    /// Whether the value is a reference, but not one to a slice or list in itself.
    pub(crate) is_reference: bool,
}

impl<'i> Source<'i> {
    /// Reads the fields of a struct.
    ///
    /// # Errors
    ///
    /// When the input is not a struct with named fields, or an option is wrong.
    pub(crate) fn read(input: &'i DeriveInput) -> Result<Self> {
        let Data::Struct(data) = &input.data else {
            return Err(not_a_struct(input.ident.span()));
        };
        let Fields::Named(fields) = &data.fields else {
            return Err(not_a_struct(input.ident.span()));
        };
        let renaming = Renaming::read(&input.attrs)?;
        let mut source = Source { named: Vec::new(), flattened: Vec::new() };
        let mut names = HashSet::new();
        for field in &fields.named {
            let Some(ident) = &field.ident else { continue };
            let read = SourceField::new(ident, &field.ty);
            match Role::read(field)? {
                Role::Skipped => {}
                Role::Flattened => source.flattened.push(read),
                Role::Attribute(name) => {
                    let name = name.unwrap_or_else(|| renaming.apply(ident));
                    if !names.insert(name.clone()) {
                        let text = format!("another field is already the attribute {name:?}");
                        return Err(Error::new(ident.span(), text));
                    }
                    source.named.push(NamedField { name, field: read });
                }
            }
        }
        Ok(source)
    }
}

fn not_a_struct(span: Span) -> Error {
    Error::new(span, "AttributeSource can be derived only for a struct with named fields")
}

impl<'i> SourceField<'i> {
    fn new(ident: &'i Ident, field_type: &Type) -> Self {
        let inner = inside_option(field_type);
        let value_type = inner.unwrap_or(field_type);
        let is_reference = match value_type {
            Type::Reference(reference) => !matches!(*reference.elem, Type::Slice(_)),
            _ => false,
        };
        SourceField { ident, is_option: inner.is_some(), is_reference }
    }
}

/// Returns the type inside an `Option`. A macro sees only the name of a type.
fn inside_option(field_type: &Type) -> Option<&Type> {
    let Type::Path(path) = field_type else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// The use of a field.
enum Role {
    /// An attribute, perhaps with another name than the field.
    Attribute(Option<String>),
    Flattened,
    Skipped,
}

impl Role {
    fn read(field: &Field) -> Result<Self> {
        let mut role = None;
        for attribute in options(&field.attrs) {
            attribute.parse_nested_meta(|meta| {
                let read = if meta.path.is_ident("rename") {
                    Role::Attribute(Some(meta.value()?.parse::<LitStr>()?.value()))
                } else if meta.path.is_ident("flatten") {
                    Role::Flattened
                } else if meta.path.is_ident("skip") {
                    Role::Skipped
                } else {
                    return Err(meta.error("expected rename = \"...\", flatten or skip"));
                };
                match role.replace(read) {
                    None => Ok(()),
                    Some(_) => Err(meta.error("a field has only one of rename, flatten and skip")),
                }
            })?;
        }
        Ok(role.unwrap_or(Role::Attribute(None)))
    }
}

/// How the names of all fields are changed.
#[derive(Default)]
enum Renaming {
    #[default]
    None,
    CamelCase,
    KebabCase,
}

impl Renaming {
    fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut renaming = Renaming::None;
        for attribute in options(attributes) {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("rename_all") {
                    return Err(meta.error("expected rename_all = \"...\""));
                }
                let text: LitStr = meta.value()?.parse()?;
                renaming = match text.value().as_str() {
                    "snake_case" => Renaming::None,
                    "camelCase" => Renaming::CamelCase,
                    "kebab-case" => Renaming::KebabCase,
                    _ => {
                        let text = "expected \"camelCase\", \"kebab-case\" or \"snake_case\"";
                        return Err(Error::new(meta.path.span(), text));
                    }
                };
                Ok(())
            })?;
        }
        Ok(renaming)
    }

    fn apply(&self, ident: &Ident) -> String {
        let text = ident.to_string();
        // The name of a raw identifier, such as `r#type`, is the word after its mark.
        let name = text.strip_prefix("r#").unwrap_or(&text);
        match self {
            Renaming::None => name.to_owned(),
            Renaming::CamelCase => camel_case(name),
            Renaming::KebabCase => name.replace('_', "-"),
        }
    }
}

fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut starts_word = false;
    for character in name.chars() {
        if character == '_' {
            starts_word = !camel.is_empty();
        } else if starts_word {
            camel.extend(character.to_uppercase());
            starts_word = false;
        } else {
            camel.push(character);
        }
    }
    camel
}

fn options(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("growthbook"))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn names(input: &DeriveInput) -> Vec<String> {
        Source::read(input).unwrap().named.into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn attributes_have_the_names_of_fields() {
        let input: DeriveInput = parse_quote! {
            struct User { id: u64, sign_up_year: u16, r#type: u8, #[growthbook(skip)] secret: u8 }
        };
        assert_eq!(names(&input), ["id", "sign_up_year", "type"]);
    }

    #[test]
    fn names_are_changed() {
        let input: DeriveInput = parse_quote! {
            #[growthbook(rename_all = "camelCase")]
            struct User { _id: u64, sign_up_year: u16, #[growthbook(rename = "my name")] other: u8 }
        };
        assert_eq!(names(&input), ["id", "signUpYear", "my name"]);
        let input: DeriveInput = parse_quote! {
            #[growthbook(rename_all = "kebab-case")]
            struct User { sign_up_year: u16 }
        };
        assert_eq!(names(&input), ["sign-up-year"]);
    }

    #[test]
    fn options_and_references_are_seen() {
        let input: DeriveInput = parse_quote! {
            struct User { a: u64, b: Option<u64>, c: std::option::Option<&'a str>, d: &'a [u8] }
        };
        let found: Vec<(bool, bool)> = Source::read(&input)
            .unwrap()
            .named
            .iter()
            .map(|it| (it.field.is_option, it.field.is_reference))
            .collect();
        assert_eq!(found, [(false, false), (true, false), (true, true), (false, false)]);
    }

    #[test]
    fn wrong_input_is_explained() {
        let cases: [(DeriveInput, &str); 7] = [
            (
                parse_quote!(
                    enum User {
                        A,
                    }
                ),
                "only for a struct with named fields",
            ),
            (
                parse_quote!(
                    struct User(u64);
                ),
                "only for a struct with named fields",
            ),
            (
                parse_quote!(
                    struct User {
                        #[growthbook(name = "x")]
                        id: u64,
                    }
                ),
                "expected rename",
            ),
            (
                parse_quote!(
                    struct User {
                        #[growthbook(skip, flatten)]
                        id: u64,
                    }
                ),
                "only one of",
            ),
            (
                parse_quote!(
                    struct User {
                        a: u64,
                        #[growthbook(rename = "a")]
                        b: u64,
                    }
                ),
                "already the attribute \"a\"",
            ),
            (
                parse_quote!(
                    #[growthbook(skip)]
                    struct User {
                        a: u64,
                    }
                ),
                "expected rename_all",
            ),
            (
                parse_quote!(
                    #[growthbook(rename_all = "UPPER")]
                    struct User {
                        a: u64,
                    }
                ),
                "expected \"camelCase\"",
            ),
        ];
        for (input, expected) in cases {
            let text =
                Source::read(&input).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(text.contains(expected), "{text:?} has not {expected:?}");
        }
    }
}
