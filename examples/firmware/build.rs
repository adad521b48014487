//! Passes the linker the layout of the device's memory.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=memory.x");
    if env::var("CARGO_CFG_TARGET_OS")? == "none" {
        let folder = env::var("OUT_DIR")?;
        fs::copy("memory.x", Path::new(&folder).join("memory.x"))?;
        println!("cargo:rustc-link-search={folder}");
        println!("cargo:rustc-link-arg-bins=-Tlink.x");
        // Sections without an address are left out, so that the sizes add up.
        println!("cargo:rustc-link-arg-bins=--nmagic");
    }
    Ok(())
}
