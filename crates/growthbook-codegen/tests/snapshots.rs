//! The modules of all payloads.
//!
//! `BLESS=1 cargo test -p growthbook-codegen --test snapshots` writes the modules again.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use growthbook_codegen::{DecryptionKey, Flags, Generator, Module, Warning};

/// The key of `encrypted.json`.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn payloads() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder("payloads")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn module(payload: &Path, embed_defaults: bool) -> Module {
    let key = DecryptionKey::from_base64(KEY).unwrap();
    let flags = Flags::from_encrypted_json(fs::read(payload).unwrap(), &key).unwrap();
    let name = payload.file_name().unwrap().to_str().unwrap();
    Generator::new().embed_defaults(embed_defaults).origin(name).generate(&flags)
}

#[test]
fn modules_are_the_committed_ones() {
    let payloads = payloads();
    assert!(payloads.len() >= 30, "{}", payloads.len());
    for payload in payloads {
        for (kind, embed_defaults) in [("argument", false), ("embedded", true)] {
            let name = Path::new(payload.file_stem().unwrap()).with_extension("rs");
            let path = folder("snapshots").join(kind).join(name);
            let module = module(&payload, embed_defaults);
            if std::env::var_os("BLESS").is_some() {
                fs::write(&path, module.as_str()).unwrap();
            }
            let existing = fs::read_to_string(&path).unwrap_or_default();
            if let Err(difference) = module.check(&existing) {
                panic!("{} is out of date. Set BLESS=1 to write it.\n{difference}", path.display());
            }
        }
    }
}

#[test]
fn order_of_the_payload_does_not_matter() {
    let generated = |payload: &str| {
        let flags = Flags::from_json(payload).unwrap();
        Generator::new().embed_defaults(true).generate(&flags).as_str().to_owned()
    };
    let one =
        r#"{"features": {"b": {"defaultValue": {"y": 1, "x": 2}}, "a": {"defaultValue": 1}}}"#;
    let two =
        r#"{"features": {"a": {"defaultValue": 1}, "b": {"defaultValue": {"x": 2, "y": 1}}}}"#;
    // Only the value in the docs has the members in the order of the payload.
    let without_docs = |text: String| {
        text.lines().filter(|line| !line.contains("///")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_docs(generated(one)), without_docs(generated(two)));
}

#[test]
fn encrypted_payload_needs_a_key() {
    let payload = fs::read(folder("payloads/encrypted.json")).unwrap();
    let error = Flags::from_json(&payload).unwrap_err().to_string();
    assert!(error.contains("encrypted") && error.contains("GROWTHBOOK_DECRYPTION_KEY"), "{error}");
    let other = DecryptionKey::from_base64("AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
    assert!(Flags::from_encrypted_json(&payload, &other).is_err());
}

#[test]
fn document_of_another_form_is_refused() {
    for document in
        ["", "[1]", "7", "{}", r#"{"status": 400, "error": "Invalid"}"#, "{", "\u{feff}"]
    {
        assert!(Flags::from_json(document).is_err(), "{document}");
    }
    let error = Flags::from_json("{}").unwrap_err();
    assert!(format!("{error:?}").starts_with("the document has no flags"), "{error:?}");
}

#[test]
fn build_needs_a_build_script() {
    let error = Generator::new().build("flags.json").unwrap_err();
    assert!(error.to_string().starts_with("OUT_DIR is not set: "), "{error}");
}

#[test]
fn flags_without_a_precise_type_are_reported() {
    let warnings = |payload: &str| {
        let path = folder("payloads").join(payload);
        module(&path, false).warnings().to_vec()
    };
    let key = |key: &str| key.to_owned();
    assert_eq!(warnings("mixed_types.json"), [Warning::MixedTypes { key: key("anything") }]);
    assert_eq!(
        warnings("no_value.json"),
        ["nothing", "null", "only-gate"].map(|it| Warning::NoValue { key: key(it) })
    );
    assert_eq!(
        warnings("unreadable_parts.json"),
        ["huge", "list", "text"].map(|it| Warning::Unreadable { key: key(it) })
    );
    assert_eq!(warnings("api_reply.json"), [Warning::UnknownConfig { key: key("config") }]);
}

#[test]
fn changed_payload_gives_a_readable_difference() {
    let generated = |payload: &str| Generator::new().generate(&Flags::from_json(payload).unwrap());
    let old = generated(r#"{"features": {"a": {"defaultValue": 1}, "b": {"defaultValue": 1}}}"#);
    let new = generated(r#"{"features": {"a": {"defaultValue": 1}, "b": {"defaultValue": ""}}}"#);
    let difference = new.check(old.as_str()).unwrap_err().to_string();
    assert!(difference.contains("\n-     fn b(&self, fallback: i64) -> i64 {\n"), "{difference}");
    assert!(
        difference.contains("\n+     fn b<'a>(&'a self, fallback: &'a str) -> &'a str {\n"),
        "{difference}"
    );
    assert!(!difference.contains("fn a("), "{difference}");
    assert_eq!(new.check(&new.as_str().replace('\n', "\r\n")), Ok(()));
}
