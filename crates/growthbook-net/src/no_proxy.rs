//! Hosts without a proxy: the environment variable `NO_PROXY`.

use std::net::IpAddr;

use url::Host;

/// The hosts that are connected to directly.
///
/// Entries are separated by commas or blanks:
///
/// | entry | hosts |
/// |---|---|
/// | `example.com`, `.example.com` | this domain and its subdomains |
/// | `*.example.com` | its subdomains |
/// | `10.1.2.3`, `::1`, `[::1]` | this address |
/// | `10.0.0.0/8`, `fd00::/8` | the addresses of this network |
/// | `example.com:8080`, `[::1]:8080` | the same, with this port only |
/// | `*` | all |
///
/// Names are not looked up, so an address does not except a name. An unreadable entry is ignored.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Entry {
    hosts: Hosts,
    /// `None` is any port.
    port: Option<u16>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Hosts {
    All,
    /// A domain with its subdomains.
    Domain(String),
    /// The subdomains of a domain.
    Subdomains(String),
    /// The addresses that have the same first bits.
    Network(IpAddr, u32),
}

impl NoProxy {
    pub(super) fn parse(text: &str) -> Self {
        let entries = text.split(|it: char| it == ',' || it.is_whitespace());
        NoProxy(entries.filter_map(Entry::parse).collect())
    }

    /// Whether a host is connected to directly.
    pub(super) fn includes(&self, host: &Host<String>, port: u16) -> bool {
        let has_port = |entry: &Entry| entry.port.is_none_or(|only| only == port);
        self.0.iter().any(|entry| has_port(entry) && entry.hosts.include(host))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some(hosts) = Hosts::parse(text) {
            return Some(Entry { hosts, port: None });
        }
        let (host, port) = text.rsplit_once(':')?;
        Some(Entry { hosts: Hosts::parse(host)?, port: Some(port.parse().ok()?) })
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Hosts::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let address = parse_address(address)?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            return Some(Hosts::Network(address, bits));
        }
        if let Some(address) = parse_address(text) {
            return Some(Hosts::Network(address, width(address)));
        }
        if let Some(domain) = text.strip_prefix("*.") {
            return parse_domain(domain).map(Hosts::Subdomains);
        }
        parse_domain(text.strip_prefix('.').unwrap_or(text)).map(Hosts::Domain)
    }

    fn include(&self, host: &Host<String>) -> bool {
        let address = match host {
            Host::Domain(name) => return self.include_name(name.trim_end_matches('.')),
            Host::Ipv4(address) => IpAddr::from(*address),
            Host::Ipv6(address) => IpAddr::from(*address),
        };
        match self {
            Hosts::All => true,
            Hosts::Network(network, bits) => {
                let host_bits = width(address) - bits.min(&width(address));
                let prefix = |address| to_bits(address).checked_shr(host_bits).unwrap_or(0);
                network.is_ipv4() == address.is_ipv4() && prefix(*network) == prefix(address)
            }
            Hosts::Domain(_) | Hosts::Subdomains(_) => false,
        }
    }

    fn include_name(&self, name: &str) -> bool {
        let is_below =
            |domain: &str| name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        match self {
            Hosts::All => true,
            Hosts::Domain(domain) => name == domain || is_below(domain),
            Hosts::Subdomains(domain) => is_below(domain),
            Hosts::Network(..) => false,
        }
    }
}

fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok()
}

/// Returns a domain as it is spelled in an address: in lower case, and in ASCII.
fn parse_domain(text: &str) -> Option<String> {
    match Host::parse(text.trim_end_matches('.')).ok()? {
        Host::Domain(domain) => Some(domain),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// Returns the number of bits in an address of this kind.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
