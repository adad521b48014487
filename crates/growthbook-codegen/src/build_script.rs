//! Modules that a build script generates.

use std::path::{Path, PathBuf};
use std::{env, fs};

use growthbook_core::encryption::DecryptionKey;

use crate::error::Error;
use crate::flag::Flags;
use crate::generator::Generator;

/// The environment variable with the decryption key of an SDK connection.
pub const DECRYPTION_KEY_VARIABLE: &str = "GROWTHBOOK_DECRYPTION_KEY";

impl Generator {
    /// Generates a module in a build script: from `flags.json` to `$OUT_DIR/flags.rs`. Cargo runs the
    /// script again when the file changes.
    ///
    /// A path is relative to the package. Encrypted features are decrypted with the environment
    /// variable [`DECRYPTION_KEY_VARIABLE`]. A flag without a precise type is a warning of the build.
    ///
    /// ```no_run
    /// // build.rs
    /// fn main() -> Result<(), growthbook_codegen::Error> {
    ///     growthbook_codegen::Generator::new().build("flags.json")?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// The package includes the result: `include!(concat!(env!("OUT_DIR"), "/flags.rs"));`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has no flags, or the module cannot be written.
    pub fn build(&self, file: impl AsRef<Path>) -> Result<PathBuf, Error> {
        let file = file.as_ref();
        println!("cargo::rerun-if-changed={}", file.display());
        println!("cargo::rerun-if-env-changed={DECRYPTION_KEY_VARIABLE}");
        let folder = env::var_os("OUT_DIR").ok_or(Error::NotABuildScript)?;
        let generator = self.clone().origin_unless_set(file.display().to_string());
        let module = generator.generate(&Flags::read(file)?);
        for warning in module.warnings() {
            println!("cargo::warning={}", warning.to_string().escape_debug());
        }
        let stem = file.file_stem().unwrap_or(file.as_os_str());
        let path = Path::new(&folder).join(format!("{}.rs", stem.display()));
        fs::write(&path, module.as_str()).map_err(Error::file(&path))?;
        Ok(path)
    }
}

impl Flags {
    /// Reads flags from a file, in the forms of [`from_json`](Flags::from_json). Encrypted features
    /// are decrypted with the environment variable [`DECRYPTION_KEY_VARIABLE`].
    ///
    /// # Errors
    ///
    /// The file or the key cannot be read, or the file has no flags.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, Error> {
        let file = file.as_ref();
        Flags::from_bytes(&fs::read(file).map_err(Error::file(file))?)
    }

    /// Reads flags from bytes, as [`read`](Flags::read) does from a file: the decryption key is that
    /// of the environment.
    ///
    /// # Errors
    ///
    /// The bytes or the key cannot be read, or the bytes have no flags.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        match env::var(DECRYPTION_KEY_VARIABLE).unwrap_or_default().trim() {
            "" => Flags::from_json(bytes),
            key => {
                let key = DecryptionKey::from_base64(key).map_err(Error::DecryptionKey)?;
                Flags::from_encrypted_json(bytes, &key)
            }
        }
    }
}
