//! Settings of a client from environment variables.

use core::fmt;

#[cfg(feature = "encryption")]
use growthbook_core::DecryptionKey;

use crate::builder::ClientBuilder;
use crate::client::Client;
use crate::connected::Connected;

/// The variable of the client key. It is required.
pub const CLIENT_KEY_VARIABLE: &str = "GROWTHBOOK_CLIENT_KEY";
/// The variable of the [API host](growthbook_fetch::FetchOptions::api_host).
pub const API_HOST_VARIABLE: &str = "GROWTHBOOK_API_HOST";
/// The variable of the [streaming host](growthbook_fetch::FetchOptions::streaming_host).
pub const STREAMING_HOST_VARIABLE: &str = "GROWTHBOOK_STREAMING_HOST";
/// The variable of the decryption key.
pub const DECRYPTION_KEY_VARIABLE: &str = "GROWTHBOOK_DECRYPTION_KEY";

impl Client {
    /// Sets up a client with settings from environment variables. Later calls of the builder replace
    /// them.
    ///
    /// | variable | setting |
    /// |---|---|
    /// | `GROWTHBOOK_CLIENT_KEY` | the client key, required |
    /// | `GROWTHBOOK_API_HOST` | [`api_host`](crate::FetchOptions::api_host) |
    /// | `GROWTHBOOK_STREAMING_HOST` | [`streaming_host`](crate::FetchOptions::streaming_host) |
    /// | `GROWTHBOOK_DECRYPTION_KEY` | the decryption key, with the Cargo feature `encryption` |
    ///
    /// Blanks around a value are ignored. An empty variable counts as one that is not set.
    ///
    /// ```no_run
    /// use growthbook::Client;
    ///
    /// let client = Client::from_env()?.start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the client key is missing, or a value is not usable. [`start`](ClientBuilder::start)
    /// checks the rest. No error has the value of a variable.
    pub fn from_env() -> Result<ClientBuilder<Connected>, EnvironmentError> {
        from_variables(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(Problem::NotUnicode),
        })
    }
}

/// Why environment variables are not settings of a client. `Display` names the variable, never its
/// value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvironmentError {
    variable: &'static str,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Missing,
    NotUnicode,
    #[cfg(feature = "encryption")]
    NotADecryptionKey,
    #[cfg(not(feature = "encryption"))]
    NoEncryption,
}

impl EnvironmentError {
    /// Returns the name of the variable.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::Missing => {
                "is not set: set it to the client key of an SDK connection, such as sdk-abc123"
            }
            Problem::NotUnicode => "is not UTF-8: set it to plain text",
            #[cfg(feature = "encryption")]
            Problem::NotADecryptionKey => {
                "is not a decryption key: copy the key from the SDK connection in GrowthBook"
            }
            #[cfg(not(feature = "encryption"))]
            Problem::NoEncryption => {
                "is set, but this program cannot decrypt: build it with the Cargo feature \
                 `encryption` of growthbook"
            }
        };
        write!(formatter, "the environment variable {} {problem}", self.variable)
    }
}

impl core::error::Error for EnvironmentError {}

/// Sets up a client with the variables that `read` returns.
fn from_variables(
    read: impl Fn(&str) -> Result<Option<String>, Problem>,
) -> Result<ClientBuilder<Connected>, EnvironmentError> {
    let value = |variable| {
        let value = read(variable).map_err(|problem| EnvironmentError { variable, problem })?;
        let value = value.map(|value| value.trim().to_owned());
        Ok::<_, EnvironmentError>(value.filter(|value| !value.is_empty()))
    };
    let failure = |variable, problem| EnvironmentError { variable, problem };
    let client_key =
        value(CLIENT_KEY_VARIABLE)?.ok_or(failure(CLIENT_KEY_VARIABLE, Problem::Missing))?;
    let mut builder = Client::builder(client_key);
    if let Some(host) = value(API_HOST_VARIABLE)? {
        builder = builder.api_host(host);
    }
    if let Some(host) = value(STREAMING_HOST_VARIABLE)? {
        builder = builder.fetch_options(|options| options.streaming_host(host));
    }
    #[cfg(feature = "encryption")]
    if let Some(key) = value(DECRYPTION_KEY_VARIABLE)? {
        // The cause is left out, so that no part of the key can be in it.
        let key: DecryptionKey = key
            .parse()
            .map_err(|_| failure(DECRYPTION_KEY_VARIABLE, Problem::NotADecryptionKey))?;
        builder = builder.decryption_key(key);
    }
    #[cfg(not(feature = "encryption"))]
    if value(DECRYPTION_KEY_VARIABLE)?.is_some() {
        return Err(failure(DECRYPTION_KEY_VARIABLE, Problem::NoEncryption));
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(variables: &[(&str, Result<&str, Problem>)]) -> Option<EnvironmentError> {
        from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.map(str::to_owned)).transpose()
        })
        .err()
    }

    const KEY: (&str, Result<&str, Problem>) = (CLIENT_KEY_VARIABLE, Ok(" sdk-abc123\n"));

    #[test]
    fn client_key_is_required() {
        let missing =
            Some(EnvironmentError { variable: "GROWTHBOOK_CLIENT_KEY", problem: Problem::Missing });
        assert_eq!(error(&[]), missing);
        assert_eq!(error(&[(CLIENT_KEY_VARIABLE, Ok(" \n"))]), missing);
        assert_eq!(error(&[KEY]), None);
        assert_eq!(
            error(&[KEY, (API_HOST_VARIABLE, Ok("")), (DECRYPTION_KEY_VARIABLE, Ok(""))]),
            None
        );
    }

    #[test]
    fn hosts_are_passed_on() {
        use growthbook_fetch::ConfigError;

        type Check = fn(&ConfigError) -> bool;
        let cases: [(&str, Check); 2] = [
            (API_HOST_VARIABLE, |error| matches!(error, ConfigError::ApiHost(_))),
            (STREAMING_HOST_VARIABLE, |error| matches!(error, ConfigError::StreamingHost(_))),
        ];
        for (variable, is_expected) in cases {
            let read = |name: &str| match name {
                CLIENT_KEY_VARIABLE => Ok(Some("sdk-abc123".to_owned())),
                _ => Ok((name == variable).then(|| "ftp://example.com".to_owned())),
            };
            let started = from_variables(read).unwrap().start();
            let Err(crate::StartError::Config(error)) = started else {
                panic!("{variable}: {started:?}");
            };
            assert!(is_expected(&error), "{variable}: {error}");
        }
    }

    #[test]
    fn error_names_the_variable_without_its_value() {
        let cases = [
            (DECRYPTION_KEY_VARIABLE, Ok("secret value")),
            (API_HOST_VARIABLE, Err(Problem::NotUnicode)),
            (STREAMING_HOST_VARIABLE, Err(Problem::NotUnicode)),
        ];
        for (variable, value) in cases {
            let error = error(&[KEY, (variable, value)]).unwrap();
            let text = format!("{error} {error:?}");
            assert_eq!(error.variable(), variable);
            assert!(text.contains(variable) && !text.contains("secret value"), "{text}");
        }
    }
}
