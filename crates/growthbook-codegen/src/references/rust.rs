//! The flags that a Rust file asks for.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit, Meta, Token};

/// The methods of the client, the core and OpenFeature's client that take a flag's key first.
const METHODS: &[&str] = &[
    "count_steps",
    "eval_feature",
    "explain",
    "feature_value",
    "is_off",
    "is_on",
    "try_feature_value",
    "try_is_on",
    "get_bool_details",
    "get_bool_value",
    "get_float_details",
    "get_float_value",
    "get_int_details",
    "get_int_value",
    "get_string_details",
    "get_string_value",
    "get_struct_details",
    "get_struct_value",
];

/// The type of handles, whose functions `new` and `from` take a flag's key.
const HANDLE: &str = "FeatureKey";

/// The trait of an application's own names, whose method `key` returns flags' keys.
const NAME_TRAIT: &str = "FeatureName";

/// The findings of a file. Lines count from 1.
#[derive(Debug, Default)]
pub(super) struct InFile {
    /// Keys that the file asks for.
    pub(super) asked: Vec<(String, usize)>,
    /// Names of constants in place of keys.
    pub(super) named: Vec<(String, usize)>,
    /// Constants that are a literal.
    pub(super) constants: Vec<(String, String)>,
    /// The names of functions that are called.
    pub(super) called: Vec<String>,
    /// All literals.
    pub(super) literals: Vec<String>,
}

/// Returns the findings of a file. `None` if it is not Rust that can be parsed.
pub(super) fn find(text: &str, includes_tests: bool) -> Option<InFile> {
    let file = syn::parse_file(text).ok()?;
    let mut finder = Finder { found: InFile::default(), includes_tests, is_in_name: false };
    finder.visit_file(&file);
    Some(finder.found)
}

struct Finder {
    found: InFile,
    includes_tests: bool,
    /// Whether the code is a part of an `impl FeatureName`.
    is_in_name: bool,
}

impl Finder {
    fn is_left_out(&self, attributes: &[Attribute]) -> bool {
        !self.includes_tests && attributes.iter().any(is_for_tests)
    }

    /// Adds the argument that is a flag's key: a literal, or the name of a constant.
    fn ask(&mut self, argument: Option<&Expr>) {
        match argument {
            Some(Expr::Lit(literal)) => {
                if let Lit::Str(key) = &literal.lit {
                    self.found.asked.push((key.value(), line(key)));
                }
            }
            Some(Expr::Path(path)) => {
                if let Some(name) = path.path.segments.last() {
                    self.found.named.push((name.ident.to_string(), line(name)));
                }
            }
            Some(Expr::Reference(inner)) => self.ask(Some(&inner.expr)),
            Some(Expr::Paren(inner)) => self.ask(Some(&inner.expr)),
            Some(Expr::Group(inner)) => self.ask(Some(&inner.expr)),
            // `String::from("key")`, `"key".to_owned()`
            Some(Expr::MethodCall(call)) if call.args.is_empty() => self.ask(Some(&call.receiver)),
            Some(Expr::Call(call)) if call.args.len() == 1 => self.ask(call.args.first()),
            _ => {}
        }
    }

    fn constant(&mut self, name: &syn::Ident, value: &Expr) {
        match value {
            Expr::Lit(literal) => {
                if let Lit::Str(value) = &literal.lit {
                    self.found.constants.push((name.to_string(), value.value()));
                }
            }
            Expr::Reference(inner) => self.constant(name, &inner.expr),
            _ => {}
        }
    }

    /// Finds calls in the tokens of a macro, which need not be expressions.
    fn tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => {
                    let before = trees.get(..index).unwrap_or_default();
                    if group.delimiter() == Delimiter::Parenthesis {
                        self.call_in_tokens(before, group.stream());
                    }
                    self.tokens(group.stream());
                }
                TokenTree::Literal(literal) => {
                    if let Ok(literal) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        self.found.literals.push(literal.value());
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds a call in a macro: `before` ends with the function's name.
    fn call_in_tokens(&mut self, before: &[TokenTree], arguments: TokenStream) {
        let Some(TokenTree::Ident(name)) = before.last() else { return };
        let name = name.to_string();
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let arguments = syn::parse::Parser::parse2(parser, arguments).unwrap_or_default();
        let ident = |back: usize| match before.get(before.len().checked_sub(back)?)? {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            _ => None,
        };
        let is_after = |punctuation: char| {
            let at = before.len().checked_sub(2).and_then(|at| before.get(at));
            matches!(at, Some(TokenTree::Punct(it)) if it.as_char() == punctuation)
        };
        if is_after('.') {
            self.method(&name, arguments.first());
        } else if is_after(':') {
            self.function(ident(4).as_deref(), &name, &arguments);
        }
    }

    fn method(&mut self, name: &str, first: Option<&Expr>) {
        if METHODS.contains(&name) {
            self.ask(first);
        } else {
            self.found.called.push(name.to_owned());
        }
    }

    /// Adds a call of a function by its path.
    fn function(
        &mut self,
        type_name: Option<&str>,
        name: &str,
        arguments: &Punctuated<Expr, Token![,]>,
    ) {
        if type_name == Some(HANDLE) {
            self.ask(arguments.first());
        } else if METHODS.contains(&name) {
            // The first argument is the scope.
            self.ask(arguments.iter().nth(1));
        } else {
            self.found.called.push(name.to_owned());
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !self.is_left_out(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !self.is_left_out(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !self.is_left_out(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if self.is_left_out(&item.attrs) {
            return;
        }
        let name = item.trait_.as_ref().and_then(|it| it.0.segments.last());
        let outer = self.is_in_name;
        self.is_in_name = name.is_some_and(|name| name.ident == NAME_TRAIT);
        visit::visit_item_impl(self, item);
        self.is_in_name = outer;
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant(&item.ident, &item.expr);
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constant(&item.ident, &item.expr);
        visit::visit_item_static(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constant(&item.ident, &item.expr);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.method(&call.method.to_string(), call.args.first());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(function) = &*call.func {
            let mut names = function.path.segments.iter().rev().map(|it| it.ident.to_string());
            if let Some(name) = names.next() {
                self.function(names.next().as_deref(), &name, &call.args);
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        if self.is_in_name {
            self.found.asked.push((literal.value(), line(literal)));
        }
        self.found.literals.push(literal.value());
    }

    // Docs are literals too.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn line(node: &impl Spanned) -> usize {
    node.span().start().line
}

/// Whether an attribute makes an item a part of tests: `#[test]`, `#[tokio::test]`, `#[cfg(test)]`.
fn is_for_tests(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last().map(|segment| segment.ident.to_string());
    match (last.as_deref(), &attribute.meta) {
        (Some("test"), _) => true,
        (Some("cfg"), Meta::List(list)) => {
            let words = list.tokens.to_string();
            let mut words = words.split(|it: char| !it.is_alphanumeric() && it != '_');
            words.clone().any(|word| word == "test") && !words.any(|word| word == "not")
        }
        _ => false,
    }
}
