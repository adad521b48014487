//! A search of a source tree.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use growthbook_codegen::references::{Report, Search};
use growthbook_codegen::{Flags, Generator};
use tempfile::TempDir;

const FLAGS: &str = r#"{"features": {
    "new-checkout": {"defaultValue": false}, "max-items": {"defaultValue": 25},
    "banner": {"defaultValue": ""}, "dark-mode": {"defaultValue": false}
}}"#;

fn flags() -> Flags {
    Flags::from_json(FLAGS).unwrap()
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn search(files: &[(&str, &str)]) -> Report {
    Search::new().run([tree(files).path()], &flags()).unwrap()
}

/// Returns the keys that code asks for and that do not exist, with their lines.
fn missing(code: &str) -> Vec<(String, Vec<usize>)> {
    let report = search(&[("src/lib.rs", code)]);
    assert!(report.skipped().is_empty(), "{report}");
    let missing = report.missing().iter();
    missing.map(|it| (it.key.clone(), it.places.iter().map(|place| place.line).collect())).collect()
}

#[test]
fn every_way_to_ask_is_found() {
    let ways = [
        r#"fn f() { gb.is_on("x"); }"#,
        r#"fn f() { gb.is_off(&"x"); }"#,
        r#"fn f() { client.for_user(user).feature_value("x", 1); }"#,
        r#"fn f() { UserScope::is_on(&gb, "x"); }"#,
        r#"async fn f() { client.get_bool_value("x", None, None).await; }"#,
        r#"fn f() { gb.eval_feature(&String::from("x")); }"#,
        r#"fn f() { gb.explain(&"x".to_owned()); }"#,
        r#"static X: FeatureKey = FeatureKey::new("x");"#,
        r#"fn f() { growthbook::FeatureKey::from("x".to_owned()); }"#,
        r#"const X: &str = "x"; fn f() { gb.is_on(X); }"#,
        r#"struct Keys; impl Keys { const X: &'static str = "x"; } fn f() { gb.is_on(Keys::X); }"#,
        r#"impl FeatureName for Flag { fn key(&self) -> &str { match self { _ => "x" } } }"#,
        r#"fn f() { assert!(gb.is_on("x"), "a message"); }"#,
        r#"fn f() { println!("{}", json!({ "a": [gb.feature_value("x", 1)] })); }"#,
        r#"fn f() { html! { <p>{ UserScope::is_on(&gb, "x") }</p> } }"#,
        r#"fn f() { lazy! { FeatureKey::new("x") } }"#,
        r#"#[cfg(not(test))] fn f() { gb.is_on("x"); }"#,
        r##"fn f() { gb.is_on(r#"x"#); }"##,
    ];
    for way in ways {
        assert_eq!(missing(way), [("x".to_owned(), vec![1])], "{way}");
    }
}

#[test]
fn other_literals_do_not_ask() {
    let others = [
        r#"fn f() { map.get("x"); }"#,
        r#"// gb.is_on("x")"#,
        "/// gb.is_on(\"x\")\nfn f() {}",
        r#"fn f() { let text = "gb.is_on(\"x\")"; }"#,
        r#"fn f() { gb.feature_value(key, "x"); }"#,
        r#"#[test] fn f() { gb.is_on("x"); }"#,
        r#"#[tokio::test] async fn f() { gb.is_on("x"); }"#,
        r#"#[cfg(test)] mod tests { fn f() { gb.is_on("x"); } }"#,
        r#"#[cfg(all(test, feature = "a"))] mod tests { fn f() { gb.is_on("x"); } }"#,
    ];
    for other in others {
        assert_eq!(missing(other), [], "{other}");
    }
}

#[test]
fn missing_flag_has_places_and_the_nearest_key() {
    let code = "fn f() {\n    gb.is_on(\"new-chekout\");\n\n    gb.is_on(\"new-chekout\");\n}\n";
    let report = search(&[("src/a.rs", code), ("src/b.rs", code)]);
    let [missing] = report.missing() else { panic!("{report}") };
    assert_eq!(missing.nearest.as_deref(), Some("new-checkout"));
    assert_eq!(missing.places.len(), 4);
    let line = "a.rs:2: flag \"new-chekout\" does not exist, but \"new-checkout\" does\n";
    assert!(report.to_string().contains(line), "{report}");
}

#[test]
fn used_flags_are_found_in_all_files() {
    let generated = Generator::new().generate(&flags());
    let report = search(&[
        ("src/lib.rs", "fn f() { gb.new_checkout(false); show(\"max-items\") }"),
        ("src/flags.rs", generated.as_str()),
        ("web/app.ts", "gb.isOn('banner')"),
        ("node_modules/x/index.js", "gb.isOn('dark-mode')"),
        ("target/debug/x.rs", "fn f() { gb.is_on(\"dark-mode\"); }"),
        (".git/x.rs", "fn f() { gb.is_on(\"dark-mode\"); }"),
        ("tests/x.rs", "fn f() { gb.is_on(\"dark-mode\"); }"),
        ("README.md", "`dark-mode`"),
    ]);
    assert_eq!(report.unused(), ["dark-mode"]);
    assert!(report.missing().is_empty() && report.skipped().is_empty(), "{report}");
}

#[test]
fn generated_function_counts_in_every_call() {
    for code in ["gb.dark_mode()", "Flags::dark_mode(&gb, true)", "assert!(gb.dark_mode(true))"] {
        let report = search(&[("lib.rs", &format!("fn f() {{ {code}; }}"))]);
        assert!(!report.unused().contains(&"dark-mode".to_owned()), "{code}");
    }
}

#[test]
fn tests_count_on_request() {
    let code = "#[test] fn f() { gb.is_on(\"dark-mode\"); gb.is_on(\"made-up\"); }";
    let files = tree(&[("tests/a.rs", code)]);
    let report = Search::new().include_tests(true).run([files.path()], &flags()).unwrap();
    assert!(!report.unused().contains(&"dark-mode".to_owned()));
    assert_eq!(report.missing().len(), 1);
}

#[test]
fn unreadable_files_are_reported() {
    let report = search(&[("a.rs", "fn f( { gb.is_on(\"banner\")")]);
    assert_eq!(report.skipped().len(), 1);
    assert!(!report.unused().contains(&"banner".to_owned()), "its text is searched");

    let folder = tree(&[]);
    fs::write(folder.path().join("a.py"), b"\xff'banner'").unwrap();
    let report = Search::new().run([folder.path()], &flags()).unwrap();
    assert_eq!(report.skipped().len(), 1);

    let error = Search::new().run([Path::new("/does/not/exist")], &flags()).unwrap_err();
    assert!(error.to_string().starts_with("/does/not/exist: "), "{error}");
}
