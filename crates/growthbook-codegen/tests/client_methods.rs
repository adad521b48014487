//! The generator and the search know the methods of the client.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use growthbook_codegen::{Flags, Generator};
use syn::{ImplItem, ImplItemFn, Item, Visibility};

/// Returns the public methods of types with one of these names, in the files of a folder.
fn methods(folder: &str, types: &[&str]) -> Vec<ImplItemFn> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut methods = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        for item in syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap().items {
            let Item::Impl(item) = item else { continue };
            let syn::Type::Path(of) = &*item.self_ty else { continue };
            let name = of.path.segments.last().unwrap().ident.to_string();
            if item.trait_.is_some() || !types.contains(&name.as_str()) {
                continue;
            }
            methods.extend(item.items.into_iter().filter_map(|item| match item {
                ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => Some(method),
                _ => None,
            }));
        }
    }
    methods
}

#[test]
fn methods_of_the_scope_are_reserved() {
    let methods = methods("growthbook/src", &["UserScope"]);
    let with_receiver = methods.iter().filter(|method| method.sig.receiver().is_some());
    let names: Vec<String> = with_receiver.map(|method| method.sig.ident.to_string()).collect();
    assert!(names.contains(&"feature_value".to_owned()), "{names:?}");
    let is_escaped = |method: &String| {
        let payload = format!(r#"{{"features": {{"{method}": {{"defaultValue": true}}}}}}"#);
        let module = Generator::new().generate(&Flags::from_json(payload).unwrap());
        module.as_str().contains(&format!("fn {method}_(&self"))
    };
    let missing: Vec<&String> = names.iter().filter(|name| !is_escaped(name)).collect();
    assert!(missing.is_empty(), "add {missing:?} to SCOPE_METHODS in src/names/reserved.rs");
}

#[cfg(feature = "references")]
#[test]
fn methods_that_take_a_key_are_searched() {
    use growthbook_codegen::references::Search;

    let methods = [
        methods("growthbook/src", &["UserScope"]),
        methods("growthbook-core/src/eval", &["Evaluator", "RecordingEvaluator"]),
    ]
    .concat();
    let takes_key = |method: &ImplItemFn| match method.sig.inputs.iter().nth(1) {
        Some(syn::FnArg::Typed(key)) => match &*key.ty {
            syn::Type::Reference(of) => matches!(&*of.elem, syn::Type::Paren(_)),
            _ => false,
        },
        _ => false,
    };
    let names = methods.iter().filter(|method| takes_key(method));
    let names: Vec<String> = names.map(|method| method.sig.ident.to_string()).collect();
    assert!(names.contains(&"feature_value".to_owned()), "{names:?}");
    let folder = tempfile::TempDir::new().unwrap();
    let is_found = |method: &String| {
        let code = format!("fn f() {{ gb.{method}(\"x\"); }}");
        fs::write(folder.path().join("lib.rs"), code).unwrap();
        let report = Search::new().run([folder.path()], &Flags::default()).unwrap();
        report.missing().len() == 1
    };
    let missing: Vec<&String> = names.iter().filter(|name| !is_found(name)).collect();
    assert!(missing.is_empty(), "add {missing:?} to METHODS in src/references/rust.rs");
}
