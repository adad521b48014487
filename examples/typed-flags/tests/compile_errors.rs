//! A misspelt or mistyped flag does not compile.

#[test]
fn wrong_flags_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/right.rs");
    cases.compile_fail("tests/ui/misspelt_flag.rs");
    cases.compile_fail("tests/ui/misspelt_variation.rs");
    cases.compile_fail("tests/ui/missing_variation.rs");
    cases.compile_fail("tests/ui/wrong_type.rs");
    cases.compile_fail("tests/ui/wrong_member.rs");
}
