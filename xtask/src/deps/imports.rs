//! The paths that a source file names, and the modules that it declares.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Meta, Token, UseTree};

/// The part of a source file that says what its modules need. Code for tests is left out.
#[derive(Default)]
pub(super) struct Imports {
    /// Every path that starts with `crate`, `self` or `super`, and every path in a `use`.
    pub(super) paths: Vec<NamedPath>,
    pub(super) modules: Vec<Declared>,
}

/// A declared module.
pub(super) struct Declared {
    /// The names from the crate's root to the module.
    pub(super) path: Vec<String>,
    /// Whether its text is in a file of its own.
    pub(super) has_file: bool,
}

/// A path as the source spells it.
pub(super) struct NamedPath {
    /// The module that names it; empty for the crate's root.
    pub(super) module: Vec<String>,
    /// As in `["crate", "payload", "Payload"]`. A glob import ends with `*`.
    pub(super) segments: Vec<String>,
    /// The name that a `use` gives to it.
    pub(super) import: Option<String>,
    pub(super) line: usize,
}

/// Reads the file of one module.
pub(super) fn read(module: Vec<String>, text: &str) -> syn::Result<Imports> {
    let file = syn::parse_file(text)?;
    let mut reader = Reader { module, attribute: false, imports: Imports::default() };
    reader.visit_file(&file);
    Ok(reader.imports)
}

struct Reader {
    module: Vec<String>,
    /// Whether the node being read is an attribute: there, a string may hold a path.
    attribute: bool,
    imports: Imports,
}

impl Reader {
    fn add(&mut self, segments: Vec<String>, import: Option<String>, span: Span) {
        let line = span.start().line;
        self.imports.paths.push(NamedPath { module: self.module.clone(), segments, import, line });
    }

    fn add_tree(&mut self, mut prefix: Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(text(&path.ident));
                self.add_tree(prefix, &path.tree);
            }
            UseTree::Name(name) => {
                let last = text(&name.ident);
                // `use a::b::{self}` imports `b`.
                let import =
                    if last == "self" { prefix.last().cloned() } else { Some(last.clone()) };
                prefix.push(last);
                self.add(prefix, import, name.ident.span());
            }
            UseTree::Rename(rename) => {
                prefix.push(text(&rename.ident));
                self.add(prefix, Some(text(&rename.rename)), rename.ident.span());
            }
            UseTree::Glob(glob) => {
                prefix.push("*".to_owned());
                self.add(prefix, Some("*".to_owned()), glob.star_token.spans[0]);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(prefix.clone(), tree);
                }
            }
        }
    }

    /// Reads the tokens of a macro, which have no syntax tree.
    fn add_tokens(&mut self, tokens: TokenStream, line_of: Option<Span>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(first)
                    if is_anchor(&text(first)) && !ends_with_separator(tokens.get(..index)) =>
                {
                    let rest = tokens.get(index + 1..).unwrap_or_default();
                    let span = line_of.unwrap_or_else(|| first.span());
                    self.add_tail(vec![text(first)], rest, span);
                }
                TokenTree::Group(group) => self.add_tokens(group.stream(), line_of),
                TokenTree::Literal(literal) if self.attribute => {
                    let literal_text = literal.to_string();
                    let path = literal_text.trim_matches('"');
                    if let Ok(tokens) = path.parse() {
                        self.add_tokens(tokens, Some(literal.span()));
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds the path that starts with `prefix` and goes on with the first of the tokens.
    fn add_tail(&mut self, mut prefix: Vec<String>, mut tokens: &[TokenTree], span: Span) {
        loop {
            match tokens {
                [colon, other, TokenTree::Ident(next), rest @ ..] if is_separator(colon, other) => {
                    prefix.push(text(next));
                    tokens = rest;
                }
                [colon, other, TokenTree::Group(group), ..]
                    if is_separator(colon, other) && group.delimiter() == Delimiter::Brace =>
                {
                    let members: Vec<TokenTree> = group.stream().into_iter().collect();
                    for member in members.split(|token| is_punctuation(token, ',')) {
                        if let [TokenTree::Ident(first), rest @ ..] = member {
                            let mut prefix = prefix.clone();
                            prefix.push(text(first));
                            self.add_tail(prefix, rest, span);
                        }
                    }
                    return;
                }
                [colon, other, star, ..]
                    if is_separator(colon, other) && is_punctuation(star, '*') =>
                {
                    prefix.push("*".to_owned());
                    break;
                }
                _ => break,
            }
        }
        // A lone `crate` is part of a visibility, or a macro's parameter follows it.
        if prefix.len() > 1 {
            self.add(prefix, None, span);
        }
    }
}

/// Defines the methods for nodes that `#[cfg(test)]` may remove.
macro_rules! visit_unless_for_tests {
    ($($method:ident: $node:ident,)*) => {
        $(
            fn $method(&mut self, node: &'ast syn::$node) {
                if !is_for_tests(&node.attrs) {
                    visit::$method(self, node);
                }
            }
        )*
    };
}

impl<'ast> Visit<'ast> for Reader {
    visit_unless_for_tests! {
        visit_item_const: ItemConst,
        visit_item_enum: ItemEnum,
        visit_item_fn: ItemFn,
        visit_item_foreign_mod: ItemForeignMod,
        visit_item_impl: ItemImpl,
        visit_item_macro: ItemMacro,
        visit_item_static: ItemStatic,
        visit_item_struct: ItemStruct,
        visit_item_trait: ItemTrait,
        visit_item_trait_alias: ItemTraitAlias,
        visit_item_type: ItemType,
        visit_item_union: ItemUnion,
        visit_impl_item_const: ImplItemConst,
        visit_impl_item_fn: ImplItemFn,
        visit_impl_item_macro: ImplItemMacro,
        visit_impl_item_type: ImplItemType,
        visit_trait_item_const: TraitItemConst,
        visit_trait_item_fn: TraitItemFn,
        visit_trait_item_macro: TraitItemMacro,
        visit_trait_item_type: TraitItemType,
        visit_field: Field,
        visit_field_value: FieldValue,
        visit_variant: Variant,
        visit_arm: Arm,
        visit_local: Local,
        visit_stmt_macro: StmtMacro,
        visit_expr_block: ExprBlock,
        visit_expr_call: ExprCall,
        visit_expr_macro: ExprMacro,
        visit_expr_method_call: ExprMethodCall,
    }

    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        if is_for_tests(&node.attrs) {
            return;
        }
        self.module.push(text(&node.ident));
        let has_file = node.content.is_none();
        self.imports.modules.push(Declared { path: self.module.clone(), has_file });
        visit::visit_item_mod(self, node);
        self.module.pop();
    }

    fn visit_item_use(&mut self, node: &'ast syn::ItemUse) {
        // With a leading `::`, a path names another crate.
        if !is_for_tests(&node.attrs) && node.leading_colon.is_none() {
            self.add_tree(Vec::new(), &node.tree);
        }
    }

    fn visit_path(&mut self, node: &'ast syn::Path) {
        let segments: Vec<String> =
            node.segments.iter().map(|segment| text(&segment.ident)).collect();
        let is_anchored = segments.len() > 1 && segments.first().is_some_and(|it| is_anchor(it));
        if let Some(first) = node.segments.first()
            && is_anchored
        {
            self.add(segments, None, first.ident.span());
        }
        visit::visit_path(self, node);
    }

    fn visit_attribute(&mut self, node: &'ast Attribute) {
        if !node.path().is_ident("doc") {
            self.attribute = true;
            visit::visit_attribute(self, node);
            self.attribute = false;
        }
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.add_tokens(tokens.clone(), None);
    }

    /// Skips `pub(in crate::payload)`: it names an ancestor, and imports nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

fn is_anchor(segment: &str) -> bool {
    matches!(segment, "crate" | "self" | "super")
}

fn is_separator(first: &TokenTree, second: &TokenTree) -> bool {
    is_punctuation(first, ':') && is_punctuation(second, ':')
}

fn ends_with_separator(tokens: Option<&[TokenTree]>) -> bool {
    matches!(tokens, Some([.., first, second]) if is_separator(first, second))
}

fn is_punctuation(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punctuation) if punctuation.as_char() == sign)
}

/// Whether the attributes remove a node from a build that runs no tests.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        path.is_ident("test")
            || path.is_ident("cfg")
                && attribute.parse_args().is_ok_and(|condition| holds(&condition) == Some(false))
    })
}

/// Whether a condition of `cfg` holds in a build without tests; `None` when that depends on
/// something else.
fn holds(condition: &Meta) -> Option<bool> {
    match condition {
        Meta::Path(path) if path.is_ident("test") || path.is_ident("doctest") => Some(false),
        Meta::List(list) => {
            let parts = Punctuated::<Meta, Token![,]>::parse_terminated;
            let parts: Vec<Option<bool>> =
                list.parse_args_with(parts).ok()?.iter().map(holds).collect();
            if list.path.is_ident("all") {
                conjunction(&parts)
            } else if list.path.is_ident("any") {
                let negated: Vec<_> = parts.into_iter().map(|part| part.map(|it| !it)).collect();
                conjunction(&negated).map(|it| !it)
            } else if list.path.is_ident("not") {
                parts.first().copied().flatten().map(|it| !it)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn conjunction(parts: &[Option<bool>]) -> Option<bool> {
    if parts.contains(&Some(false)) {
        Some(false)
    } else if parts.contains(&None) {
        None
    } else {
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        let imports = read(vec!["a".to_owned()], source).unwrap();
        imports
            .paths
            .iter()
            .map(|path| format!("{}:{}", path.line, path.segments.join("::")))
            .collect()
    }

    #[test]
    fn use_trees_are_flattened() {
        let source = "use crate::{\n    b::{self, C as D},\n    e::*,\n};\nuse ::f::G;";
        assert_eq!(paths(source), ["2:crate::b::self", "2:crate::b::C", "3:crate::e::*"]);
    }

    #[test]
    fn paths_in_types_patterns_and_code_are_seen() {
        let source = "
            struct S(Option<crate::b::T>);
            fn f(x: u8) -> impl super::c::Trait {
                match x { crate::d::ONE => self::g(), _ => crate::e::h::<crate::i::J>() }
            }";
        let expected = [
            "2:crate::b::T",
            "3:super::c::Trait",
            "4:crate::d::ONE",
            "4:self::g",
            "4:crate::e::h",
            "4:crate::i::J",
        ];
        assert_eq!(paths(source), expected);
    }

    #[test]
    fn macro_bodies_are_seen() {
        let source = "
            macro_rules! m { ($x:expr) => { $crate::b::c($x) }; }
            macro_rules! n { () => { use crate::{d::E, f::{G, h}}; pub(crate) fn i() {} }; }
            fn f() { println!(\"{}\", super::super::j::K); }";
        let expected = [
            "2:crate::b::c",
            "3:crate::d::E",
            "3:crate::f::G",
            "3:crate::f::h",
            "4:super::super::j::K",
        ];
        assert_eq!(paths(source), expected);
    }

    #[test]
    fn attributes_are_seen_but_not_docs() {
        let source = "
            /// See [`crate::b`].
            #[doc = \"crate::c::D\"]
            #[derive(crate::d::Derive)]
            struct S {
                #[serde(with = \"crate::e::f\")]
                g: u8,
            }";
        assert_eq!(paths(source), ["4:crate::d::Derive", "6:crate::e::f"]);
    }

    #[test]
    fn visibility_is_not_an_import() {
        assert!(paths("pub(in crate::a) fn f() {}\npub(crate) struct S;").is_empty());
    }

    #[test]
    fn code_for_tests_is_left_out() {
        let source = "
            #[cfg(test)] mod tests { use crate::b::C; }
            #[cfg(test)] use crate::b::D;
            #[cfg(all(test, feature = \"x\"))] fn f() { crate::b::g() }
            #[test] fn t() { crate::b::g() }
            impl S { #[cfg(test)] fn f() { crate::b::g() } }
            fn f() { #[cfg(test)] crate::b::g(); #[cfg(test)] { crate::b::g() } }";
        assert!(paths(source).is_empty());
    }

    #[test]
    fn code_for_some_builds_without_tests_is_seen() {
        let source = "
            #[cfg(any(test, feature = \"x\"))] use crate::b::C;
            #[cfg(not(test))] use crate::b::D;
            #[cfg(feature = \"x\")] use crate::b::E;";
        assert_eq!(paths(source), ["2:crate::b::C", "3:crate::b::D", "4:crate::b::E"]);
    }

    #[test]
    fn declared_modules_are_listed() {
        let source = "mod b; mod c { mod d; } #[cfg(test)] mod tests;";
        let imports = read(vec!["a".to_owned()], source).unwrap();
        let declared: Vec<(String, bool)> = imports
            .modules
            .iter()
            .map(|module| (module.path.join("::"), module.has_file))
            .collect();
        let expected = [("a::b", true), ("a::c", false), ("a::c::d", true)];
        assert_eq!(declared, expected.map(|(path, has_file)| (path.to_owned(), has_file)));
    }
}
