//! No function has the name of a method of the client's scope.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use growthbook_codegen::{Flags, Generator};
use syn::{ImplItem, Item, Visibility};

/// Returns the public methods of `UserScope` in the sources of the client.
fn scope_methods() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../growthbook/src");
    let mut methods = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
        for item in file.items {
            let Item::Impl(item) = item else { continue };
            let syn::Type::Path(of) = &*item.self_ty else { continue };
            if item.trait_.is_some() || of.path.segments.last().unwrap().ident != "UserScope" {
                continue;
            }
            for item in item.items {
                if let ImplItem::Fn(method) = item
                    && matches!(method.vis, Visibility::Public(_))
                    && method.sig.receiver().is_some()
                {
                    methods.push(method.sig.ident.to_string());
                }
            }
        }
    }
    methods
}

#[test]
fn methods_of_the_scope_are_reserved() {
    let methods = scope_methods();
    assert!(methods.contains(&"feature_value".to_owned()), "{methods:?}");
    let is_escaped = |method: &String| {
        let payload = format!(r#"{{"features": {{"{method}": {{"defaultValue": true}}}}}}"#);
        let module = Generator::new().generate(&Flags::from_json(payload).unwrap());
        module.as_str().contains(&format!("fn {method}_(&self"))
    };
    let missing: Vec<&String> = methods.iter().filter(|method| !is_escaped(method)).collect();
    assert!(missing.is_empty(), "add {missing:?} to SCOPE_METHODS in src/names/reserved.rs");
}
