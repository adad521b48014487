//! The command `growthbook-codegen`.

mod arguments;

use std::io::{Read, Write};
use std::process::ExitCode;
use std::{env, fs, io};

use growthbook_codegen::api::RestApi;
use growthbook_codegen::references::Search;
use growthbook_codegen::{Flags, Generator, Module};

use arguments::{Action, Generate, HELP, References, Source};

/// The environment variable with the token of the REST API.
const TOKEN_VARIABLE: &str = "GROWTHBOOK_API_TOKEN";

/// The module is out of date, or code asks for flags that do not exist.
const FOUND: u8 = 1;

/// The command could not do its work.
const FAILED: u8 = 2;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let outcome = match arguments::parse(env::args_os().skip(1)) {
        Ok(Action::Help) => print(HELP).map(|()| ExitCode::SUCCESS),
        Ok(Action::Version) => {
            print(concat!("growthbook-codegen ", env!("CARGO_PKG_VERSION"), "\n"))
                .map(|()| ExitCode::SUCCESS)
        }
        Ok(Action::Generate(options)) => generate(&options),
        Ok(Action::References(options)) => references(&options),
        Err(error) => Err(format!("{error}\n\n{HELP}").into()),
    };
    outcome.unwrap_or_else(|error| {
        warn(&error.to_string());
        ExitCode::from(FAILED)
    })
}

fn generate(options: &Generate) -> Result<ExitCode, Failure> {
    let generator = Generator::new()
        .trait_name(&options.trait_name)
        .embed_defaults(options.embed_defaults)
        .origin(options.source.describe())
        .update_command(options.command());
    let module = generator.generate(&flags(&options.source)?);
    for warning in module.warnings() {
        warn(&warning.to_string());
    }
    match &options.output {
        None => print(module.as_str()).map(|()| ExitCode::SUCCESS),
        Some(path) if options.check => check(&module, path, &options.command()),
        Some(path) => {
            // A file that does not change keeps its time, so nothing is built again.
            if fs::read(path).ok().as_deref() != Some(module.as_str().as_bytes()) {
                fs::write(path, module.as_str()).map_err(|error| format!("{path}: {error}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Compares the module with a file.
fn check(module: &Module, path: &str, command: &str) -> Result<ExitCode, Failure> {
    let existing = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| format!("{path}: {error}"))?,
    };
    match module.check(&existing) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(difference) => {
            warn(&format!("{path} is out of date. To update it: {command}\n\n{difference}"));
            Ok(ExitCode::from(FOUND))
        }
    }
}

fn references(options: &References) -> Result<ExitCode, Failure> {
    let search = Search::new().include_tests(options.include_tests);
    let report = search.run(&options.paths, &flags(&options.source)?)?;
    print(&report.to_string())?;
    let is_bad = !report.missing().is_empty() || options.deny_unused && !report.unused().is_empty();
    Ok(if is_bad { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

fn flags(source: &Source) -> Result<Flags, Failure> {
    match source {
        Source::Input(path) if path == "-" => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes)?;
            Ok(Flags::from_bytes(&bytes)?)
        }
        Source::Input(path) => Ok(Flags::read(path)?),
        Source::Api { host, project } => {
            let mut api = RestApi::new(env::var(TOKEN_VARIABLE).unwrap_or_default()).host(host);
            if let Some(project) = project {
                api = api.project(project);
            }
            Ok(api.fetch()?)
        }
    }
}

/// Writes to standard output. A reader that does not want the rest is not an error.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn warn(text: &str) {
    // There is no other place to report that this fails.
    let _ = writeln!(io::stderr(), "{text}");
}
