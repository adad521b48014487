//! Why an option is invalid.

use std::fmt;

use growthbook_net::ConnectionConfigError;

#[cfg(doc)]
use crate::options::FetchOptions;

/// An option is invalid. `Display` names the option and a valid value. It shows a host that has no
/// user info, query or client key, and no other given value: it may have a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The client key is empty.
    EmptyClientKey,
    /// The API host is not an `http://` or `https://` address.
    ApiHost(InvalidHost),
    /// The streaming host is not an `http://` or `https://` address.
    StreamingHost(InvalidHost),
    /// A header's name or value has characters that a header cannot have, or the header is one that
    /// this crate sets itself.
    Header,
    /// An option of connections is invalid.
    Connection(ConnectionConfigError),
    /// The client key has a character that no key has, or only dots.
    ClientKey,
    /// The client key is a secret API key. It must not be in a program of users, and the SDK endpoint
    /// does not accept it.
    SecretKey,
    /// The client key is an address.
    ClientKeyIsAddress,
    /// The API host or the streaming host has user info: `user:password@`.
    UserInfo,
    /// The interval is zero.
    ZeroInterval,
    /// A timeout or the size limit is zero.
    ZeroLimit,
    /// Remote evaluation is not offered on GrowthBook's own hosts: `*.growthbook.io`.
    CloudHost,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ConfigError::EmptyClientKey => {
                "the client key is empty: take the one of an SDK connection, such as sdk-abc123"
            }
            ConfigError::ApiHost(host) => return write!(formatter, "api_host{host}"),
            ConfigError::StreamingHost(host) => return write!(formatter, "streaming_host{host}"),
            ConfigError::Header => {
                "api_header or streaming_header has an invalid name or value, or names a header that \
                 the client sets itself, such as host"
            }
            ConfigError::Connection(error) => return write!(formatter, "{error}"),
            ConfigError::ClientKey => {
                "the client key has a blank, a control character, one of / \\ ? # %, or only dots: \
                 take the one of an SDK connection, such as sdk-abc123, without an address"
            }
            ConfigError::SecretKey => {
                "the client key is a secret API key, which begins with secret_: take the client key of \
                 an SDK connection, such as sdk-abc123, and keep the secret one out of the program"
            }
            ConfigError::ClientKeyIsAddress => {
                "the client key is an address: pass the host to api_host, and take the client key of an \
                 SDK connection, such as sdk-abc123"
            }
            ConfigError::UserInfo => {
                "api_host or streaming_host has user info (user:password@): send it as a header, with \
                 api_header and streaming_header (authorization)"
            }
            ConfigError::ZeroInterval => {
                "the interval of refresh or poll_interval is zero: it must be longer, such as 60 s"
            }
            ConfigError::CloudHost => {
                "api_host is a host of growthbook.io, which does not evaluate for clients: use the \
                 address of a GrowthBook Proxy, or of a server of your own"
            }
            ConfigError::ZeroLimit => {
                "a timeout or max_body_bytes is zero: each must be larger; the defaults suit most programs"
            }
        })
    }
}

impl core::error::Error for ConfigError {}

impl From<ConnectionConfigError> for ConfigError {
    fn from(error: ConnectionConfigError) -> Self {
        ConfigError::Connection(error)
    }
}

/// A host that is not an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidHost {
    /// The given text. `None` if it may have a password or a client key.
    shown: Option<Box<str>>,
    problem: HostProblem,
}

/// What is wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostProblem {
    Scheme,
    Query,
    Other,
}

impl InvalidHost {
    /// Describes a host that cannot be used.
    pub(crate) fn new(given: &str) -> Self {
        /// The number of characters that are shown.
        const SHOWN: usize = 80;
        let has_scheme = |scheme: &str| {
            given.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        let problem = if !has_scheme("http://") && !has_scheme("https://") {
            HostProblem::Scheme
        } else if given.contains('?') {
            HostProblem::Query
        } else {
            HostProblem::Other
        };
        // A client key may be in the wrong place.
        let may_be_shown = !given.contains(['@', '?', '#']) && !given.contains("sdk-");
        let shown = may_be_shown.then(|| given.chars().take(SHOWN).collect());
        InvalidHost { shown, problem }
    }
}

/// Begins with the host, if it may be shown, to be written after the name of the option.
impl fmt::Display for InvalidHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(shown) = &self.shown {
            write!(formatter, " {shown:?}")?;
        }
        formatter.write_str(match self.problem {
            HostProblem::Scheme => ": must begin with http:// or https://",
            HostProblem::Query => ": must not have a query (?...)",
            HostProblem::Other => ": must be an address such as https://cdn.growthbook.io",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_in_a_host_is_not_shown() {
        let long = "x".repeat(500);
        let cases = [
            ("cdn.growthbook.io", " \"cdn.growthbook.io\": must begin with http:// or https://"),
            ("ftp://a", " \"ftp://a\": must begin with http:// or https://"),
            ("", " \"\": must begin with http:// or https://"),
            ("user:s3cret@host", ": must begin with http:// or https://"),
            ("sdk-s3cret", ": must begin with http:// or https://"),
            ("https://host?token=s3cret", ": must not have a query (?...)"),
            ("HTTPS://", " \"HTTPS://\": must be an address such as https://cdn.growthbook.io"),
            ("a\nb", " \"a\\nb\": must begin with http:// or https://"),
        ];
        for (given, text) in cases {
            assert_eq!(InvalidHost::new(given).to_string(), text);
        }
        assert!(InvalidHost::new(&long).to_string().len() < 150);
        assert!(!format!("{:?}", InvalidHost::new("user:s3cret@host")).contains("s3cret"));
    }
}
