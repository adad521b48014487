//! Input that does not compile, with its messages. The texts of other messages are tested in the
//! source.

#[test]
fn wrong_structs_do_not_compile() {
    let tests = trybuild::TestCases::new();
    tests.compile_fail("tests/refused/*.rs");
}
