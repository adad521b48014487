//! Generates the functions of the flags in `flags.json`.

fn main() -> Result<(), growthbook_codegen::Error> {
    growthbook_codegen::Generator::new().embed_defaults(true).build("flags.json")?;
    Ok(())
}
