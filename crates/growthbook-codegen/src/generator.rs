//! The generator and its options.

use crate::difference::Difference;
use crate::flag::{Flags, Warning};
use crate::names::{camel, words};
use crate::plan;
use crate::render::{self, Heading};

/// The name of the generated trait, unless [`Generator::trait_name`] sets another one.
pub const DEFAULT_TRAIT_NAME: &str = "Flags";

/// Generates a Rust module with a function for each flag.
///
/// ```
/// use growthbook_codegen::{Flags, Generator};
///
/// let flags = Flags::from_json(r#"{"features": {"max-items": {"defaultValue": 25}}}"#)?;
/// let module = Generator::new().generate(&flags);
/// assert!(module.as_str().contains("fn max_items(&self, fallback: i64) -> i64"));
/// # Ok::<(), growthbook_codegen::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    trait_name: String,
    embeds_defaults: bool,
    origin: Option<String>,
    update: Option<String>,
}

impl Default for Generator {
    fn default() -> Self {
        Generator {
            trait_name: DEFAULT_TRAIT_NAME.to_owned(),
            embeds_defaults: false,
            origin: None,
            update: None,
        }
    }
}

impl Generator {
    /// Makes a generator with the default options.
    pub fn new() -> Self {
        Generator::default()
    }

    /// Sets the name of the trait. A name that is not one of a Rust type is converted to one.
    /// Default: [`DEFAULT_TRAIT_NAME`].
    #[must_use]
    pub fn trait_name(mut self, name: &str) -> Self {
        let name = camel(&words(name));
        self.trait_name = if name == "Self" { "Self_".to_owned() } else { name };
        self
    }

    /// Sets whether the module has the flags' defaults, as fallbacks. Otherwise each function takes
    /// its fallback as an argument. A flag without a default always takes one. Default: no.
    #[must_use]
    pub fn embed_defaults(mut self, embed: bool) -> Self {
        self.embeds_defaults = embed;
        self
    }

    /// Sets where the flags come from, for the first line of the module. It must not be a secret.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Sets the command that updates the module, for its second line. It must not have a secret.
    #[must_use]
    pub fn update_command(mut self, command: impl Into<String>) -> Self {
        self.update = Some(command.into());
        self
    }

    pub(crate) fn origin_unless_set(mut self, origin: String) -> Self {
        self.origin.get_or_insert(origin);
        self
    }

    /// Generates the module. Equal flags and options give an equal module.
    pub fn generate(&self, flags: &Flags) -> Module {
        let (functions, warnings) = plan::functions(flags, &self.trait_name);
        let heading = Heading {
            origin: self.origin.as_deref(),
            update: self.update.as_deref(),
            trait_name: &self.trait_name,
            embeds_defaults: self.embeds_defaults,
        };
        let text = render::module(&heading, &functions);
        Module { text, warnings: [flags.warnings(), &warnings].concat() }
    }
}

/// A generated module.
#[derive(Clone, Debug)]
pub struct Module {
    text: String,
    warnings: Vec<Warning>,
}

impl Module {
    /// Returns the Rust code.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the flags whose function is missing, or returns JSON for want of a better type.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Compares the module with an existing one. The ends of lines do not count.
    ///
    /// # Errors
    ///
    /// The existing module differs.
    pub fn check(&self, existing: &str) -> Result<(), Difference> {
        Difference::between(existing, &self.text)
    }
}
