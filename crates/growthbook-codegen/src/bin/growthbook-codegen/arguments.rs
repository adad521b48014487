//! The arguments of the command.

use std::ffi::OsString;

use growthbook_codegen::DEFAULT_TRAIT_NAME;
use growthbook_codegen::api::DEFAULT_HOST;
use lexopt::prelude::*;

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Typed Rust functions for GrowthBook feature flags.

Usage: growthbook-codegen generate SOURCE [OPTIONS]
       growthbook-codegen references SOURCE [OPTIONS] PATH...

SOURCE is one of:
  --input FILE         a payload, a file of features, or a reply of the REST API; `-` is standard input
  --api                GrowthBook's REST API

With --api:
  --host URL           the host of the API (default: https://api.growthbook.io)
  --project ID         only the features of this project

generate:
  --output FILE        where to write the module (default: standard output)
  --check              write nothing; fail if the module in --output is out of date
  --fallback KIND      `argument` (default): functions take their fallbacks;
                       `embedded`: the module has the defaults of the flags
  --trait-name NAME    the name of the trait (default: Flags)

references: find the flags that code asks for and that do not exist, and those that no code uses
  --include-tests      also search tests
  --deny-unused        also fail if a flag is not used

Other options:
  --help, --version

Environment:
  GROWTHBOOK_API_TOKEN        the token for --api
  GROWTHBOOK_DECRYPTION_KEY   the key of a payload with encrypted features

Exit status: 0 if all is well, 1 if something was found, 2 if the command failed.
";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Action {
    Help,
    Version,
    Generate(Generate),
    References(References),
}

/// Where flags come from.
#[derive(Debug, PartialEq)]
pub(crate) enum Source {
    /// A file. `-` is standard input.
    Input(String),
    Api {
        host: String,
        project: Option<String>,
    },
}

/// The options of `generate`.
#[derive(Debug, PartialEq)]
pub(crate) struct Generate {
    pub(crate) source: Source,
    pub(crate) output: Option<String>,
    pub(crate) check: bool,
    pub(crate) embed_defaults: bool,
    pub(crate) trait_name: String,
}

/// The options of `references`.
#[derive(Debug, PartialEq)]
pub(crate) struct References {
    pub(crate) source: Source,
    pub(crate) include_tests: bool,
    pub(crate) deny_unused: bool,
    pub(crate) paths: Vec<String>,
}

impl Source {
    /// Returns the text for the first line of a module.
    pub(crate) fn describe(&self) -> String {
        match self {
            Source::Input(path) if path == "-" => "standard input".to_owned(),
            Source::Input(path) => path.clone(),
            Source::Api { host, .. } => format!("the REST API at {host}"),
        }
    }

    fn arguments(&self) -> String {
        match self {
            Source::Input(path) => format!("--input {}", quoted(path)),
            Source::Api { host, project } => {
                let host = match host.as_str() {
                    DEFAULT_HOST => String::new(),
                    host => format!(" --host {}", quoted(host)),
                };
                let project = project.as_deref().map(|it| format!(" --project {}", quoted(it)));
                format!("--api{host}{}", project.unwrap_or_default())
            }
        }
    }
}

impl Generate {
    /// Returns the command that writes the module.
    pub(crate) fn command(&self) -> String {
        let mut command = format!("growthbook-codegen generate {}", self.source.arguments());
        if let Some(output) = &self.output {
            command += &format!(" --output {}", quoted(output));
        }
        if self.embed_defaults {
            command += " --fallback embedded";
        }
        if self.trait_name != DEFAULT_TRAIT_NAME {
            command += &format!(" --trait-name {}", quoted(&self.trait_name));
        }
        command
    }
}

/// Quotes an argument for a shell, if that is necessary.
fn quoted(argument: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-._/:@%+=,".contains(char);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

/// All options of both actions.
#[derive(Default)]
struct Given {
    inputs: Vec<String>,
    api: bool,
    host: Option<String>,
    project: Option<String>,
    output: Option<String>,
    check: bool,
    fallback: Option<String>,
    trait_name: Option<String>,
    include_tests: bool,
    deny_unused: bool,
    /// The first one is the action.
    values: Vec<String>,
}

/// Parses the arguments without the program's name.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Action, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut given = Given::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Action::Help),
            Short('V') | Long("version") => return Ok(Action::Version),
            Long("input") => given.inputs.push(parser.value()?.string()?),
            Long("api") => given.api = true,
            Long("host") => given.host = Some(parser.value()?.string()?),
            Long("project") => given.project = Some(parser.value()?.string()?),
            Long("output") => given.output = Some(parser.value()?.string()?),
            Long("check") => given.check = true,
            Long("fallback") => given.fallback = Some(parser.value()?.string()?),
            Long("trait-name") => given.trait_name = Some(parser.value()?.string()?),
            Long("include-tests") => given.include_tests = true,
            Long("deny-unused") => given.deny_unused = true,
            Value(value) => given.values.push(value.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    given.action()
}

impl Given {
    fn action(self) -> Result<Action, lexopt::Error> {
        match self.values.first().map(String::as_str) {
            Some("generate") => self.generate().map(Action::Generate),
            Some("references") => self.references().map(Action::References),
            Some(other) => Err(format!("there is no action {other:?}").into()),
            None => Err("say what to do: generate or references".into()),
        }
    }

    fn generate(mut self) -> Result<Generate, lexopt::Error> {
        if let Some(extra) = self.values.get(1) {
            return Err(format!("unexpected argument {extra:?}").into());
        }
        if self.include_tests || self.deny_unused {
            return Err("--include-tests and --deny-unused are for references only".into());
        }
        if self.check && self.output.is_none() {
            return Err("--check needs --output".into());
        }
        let embed_defaults = match self.fallback.as_deref() {
            None | Some("argument") => false,
            Some("embedded") => true,
            Some(other) => {
                return Err(format!("--fallback is argument or embedded, not {other:?}").into());
            }
        };
        Ok(Generate {
            source: self.source()?,
            output: self.output,
            check: self.check,
            embed_defaults,
            trait_name: self.trait_name.unwrap_or_else(|| DEFAULT_TRAIT_NAME.to_owned()),
        })
    }

    fn references(mut self) -> Result<References, lexopt::Error> {
        let is_for_generate = self.output.is_some()
            || self.check
            || self.fallback.is_some()
            || self.trait_name.is_some();
        if is_for_generate {
            return Err(
                "--output, --check, --fallback and --trait-name are for generate only".into()
            );
        }
        let paths = self.values.split_off(1);
        if paths.is_empty() {
            return Err("say which files or folders to search".into());
        }
        let (include_tests, deny_unused) = (self.include_tests, self.deny_unused);
        Ok(References { source: self.source()?, include_tests, deny_unused, paths })
    }

    fn source(&mut self) -> Result<Source, lexopt::Error> {
        let (host, project) = (self.host.take(), self.project.take());
        match (self.inputs.pop(), self.api) {
            (Some(input), false) if self.inputs.is_empty() => {
                if host.is_some() || project.is_some() {
                    return Err("--host and --project need --api".into());
                }
                Ok(Source::Input(input))
            }
            (None, true) => {
                Ok(Source::Api { host: host.unwrap_or_else(|| DEFAULT_HOST.to_owned()), project })
            }
            _ => Err("give one source: --input FILE or --api".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Action, String> {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parse(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn command_in_the_module_repeats_the_options() {
        let lines = [
            "generate --input flags.json --output src/flags.rs",
            "generate --input flags.json --output src/flags.rs --fallback embedded --trait-name Gb",
            "generate --api --host https://gb.example --project prj_1 --output flags.rs",
            "generate --api",
        ];
        for line in lines {
            let Ok(Action::Generate(options)) = parsed(line) else { panic!("{line}") };
            assert_eq!(options.command(), format!("growthbook-codegen {line}"));
        }
        let Ok(Action::Generate(options)) = parsed("generate --input a$b'c") else { panic!() };
        assert_eq!(options.command(), r"growthbook-codegen generate --input 'a$b'\''c'");
    }

    #[test]
    fn wrong_arguments_are_refused() {
        let lines = [
            "",
            "make",
            "generate",
            "generate --api --input a",
            "generate --input a --input b",
            "generate --input a b",
            "generate --input a --check",
            "generate --input a --fallback none",
            "generate --input a --host https://gb.example",
            "generate --input a --deny-unused",
            "references --input a",
            "references --input a --check src",
            "generate --input",
            "generate --unknown",
        ];
        for line in lines {
            assert!(parsed(line).is_err(), "{line}");
        }
        assert_eq!(parsed("--help"), Ok(Action::Help));
        assert_eq!(parsed("generate -V"), Ok(Action::Version));
    }
}
