//! The rules for environment variables, beside curl's.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use super::*;

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Direct,
    Proxy,
    /// The proxy's setting is an error at the start.
    Refused,
}

use Route::{Direct, Proxy, Refused};

struct Case {
    environment: &'static [(&'static str, &'static str)],
    address: &'static str,
    curl: Route,
    ours: Route,
}

/// Host and port of the proxy.
const P: &str = "{P}";

const fn variables(
    environment: &'static [(&'static str, &'static str)],
    address: &'static str,
    curl: Route,
    ours: Route,
) -> Case {
    Case { environment, address, curl, ours }
}

/// Which variable is for which address. We differ from curl in three points:
///
/// - `HTTP_PROXY` counts, except in a CGI program, as in Python and Go.
/// - A proxy that does not speak HTTP is refused, because this client cannot use it.
/// - A value of blanks counts as not set.
const VARIABLES: &[Case] = &[
    variables(&[], "http://a.example", Direct, Direct),
    variables(&[("http_proxy", "http://{P}")], "http://a.example", Proxy, Proxy),
    variables(&[("http_proxy", P)], "http://a.example", Proxy, Proxy),
    variables(&[("http_proxy", "http://user:p%40ss@{P}")], "http://a.example", Proxy, Proxy),
    variables(&[("http_proxy", "http://{P}/")], "http://a.example", Proxy, Proxy),
    variables(&[("http_proxy", "http://{P}")], "https://a.example", Direct, Direct),
    variables(&[("https_proxy", "http://{P}")], "https://a.example", Proxy, Proxy),
    variables(&[("https_proxy", "http://{P}")], "http://a.example", Direct, Direct),
    variables(&[("HTTPS_PROXY", "http://{P}")], "https://a.example", Proxy, Proxy),
    variables(&[("HTTPS_PROXY", "http://{P}")], "http://a.example", Direct, Direct),
    variables(&[("HTTP_PROXY", "http://{P}")], "http://a.example", Direct, Proxy),
    variables(&[("HTTP_PROXY", "http://{P}")], "https://a.example", Direct, Direct),
    variables(
        &[("HTTP_PROXY", "http://{P}"), ("REQUEST_METHOD", "GET")],
        "http://a.example",
        Direct,
        Direct,
    ),
    variables(
        &[("http_proxy", "http://{P}"), ("REQUEST_METHOD", "GET")],
        "http://a.example",
        Proxy,
        Proxy,
    ),
    variables(&[("ALL_PROXY", "http://{P}")], "http://a.example", Proxy, Proxy),
    variables(&[("ALL_PROXY", "http://{P}")], "https://a.example", Proxy, Proxy),
    variables(&[("all_proxy", "http://{P}")], "https://a.example", Proxy, Proxy),
    variables(
        &[("all_proxy", "http://127.0.0.1:9"), ("https_proxy", "http://{P}")],
        "https://a.example",
        Proxy,
        Proxy,
    ),
    variables(
        &[("HTTPS_PROXY", "http://127.0.0.1:9"), ("https_proxy", "http://{P}")],
        "https://a.example",
        Proxy,
        Proxy,
    ),
    variables(
        &[("ALL_PROXY", "http://127.0.0.1:9"), ("all_proxy", "http://{P}")],
        "https://a.example",
        Proxy,
        Proxy,
    ),
    variables(
        &[("https_proxy", ""), ("HTTPS_PROXY", "http://{P}")],
        "https://a.example",
        Proxy,
        Proxy,
    ),
    variables(
        &[("https_proxy", ""), ("ALL_PROXY", "http://{P}")],
        "https://a.example",
        Proxy,
        Proxy,
    ),
    variables(&[("https_proxy", "socks5://{P}")], "https://a.example", Proxy, Refused),
    variables(&[("https_proxy", "socks5://{P}")], "http://a.example", Direct, Direct),
    variables(
        &[("https_proxy", "socks5://{P}"), ("no_proxy", "a.example")],
        "https://a.example",
        Direct,
        Direct,
    ),
    variables(
        &[("no_proxy", "b.example"), ("NO_PROXY", "a.example"), ("http_proxy", "http://{P}")],
        "http://a.example",
        Proxy,
        Proxy,
    ),
    variables(
        &[("no_proxy", ""), ("NO_PROXY", "a.example"), ("http_proxy", "http://{P}")],
        "http://a.example",
        Direct,
        Direct,
    ),
];

/// Values of `NO_PROXY`. We differ from curl 7.88 in five points:
///
/// - An entry may have a port, as in Python and Go. curl never matches such an entry.
/// - `*.a.example` excepts the subdomains, as in Go. curl never matches such an entry.
/// - `*` excepts all hosts also if there are other entries, as in Go.
/// - `[::1]` is an address, and so is every other spelling of `::1`, as in Go.
/// - A network may have IPv6 addresses. curl documents it, but 7.88 fails to match `fd00::/8`.
const EXCEPTIONS: &[(&str, &str, Route, Route)] = &[
    ("a.example", "http://a.example", Direct, Direct),
    ("a.example", "http://A.Example:8080", Direct, Direct),
    ("A.EXAMPLE", "http://a.example", Direct, Direct),
    ("a.example", "http://a.example./", Direct, Direct),
    ("a.example.", "http://a.example", Direct, Direct),
    ("a.example", "http://www.a.example", Direct, Direct),
    ("a.example", "http://x.y.a.example", Direct, Direct),
    ("a.example", "http://ba.example", Proxy, Proxy),
    ("a.example", "http://a.example.com", Proxy, Proxy),
    (".a.example", "http://www.a.example", Direct, Direct),
    (".a.example", "http://a.example", Direct, Direct),
    (".a.example", "http://ba.example", Proxy, Proxy),
    ("www.a.example", "http://a.example", Proxy, Proxy),
    ("example", "http://a.example", Direct, Direct),
    ("foo, a.example", "http://a.example", Direct, Direct),
    ("foo ,  a.example ,bar", "http://a.example", Direct, Direct),
    ("foo a.example bar", "http://a.example", Direct, Direct),
    (",,a.example,,", "http://a.example", Direct, Direct),
    (",", "http://a.example", Proxy, Proxy),
    ("*", "http://a.example", Direct, Direct),
    ("*", "http://10.1.2.3", Direct, Direct),
    ("foo,*", "http://a.example", Proxy, Direct),
    ("*.a.example", "http://www.a.example", Proxy, Direct),
    ("*.a.example", "http://a.example", Proxy, Proxy),
    ("a.example:8080", "http://a.example:8080", Proxy, Direct),
    ("a.example:8080", "http://www.a.example:8080", Proxy, Direct),
    ("a.example:8080", "http://a.example:8081", Proxy, Proxy),
    ("a.example:80", "http://a.example", Proxy, Direct),
    ("a.example:x", "http://a.example", Proxy, Proxy),
    ("localhost", "http://gb.localhost:9", Direct, Direct),
    ("localhost", "http://127.0.0.1:9", Proxy, Proxy),
    ("10.1.2.3", "http://10.1.2.3", Direct, Direct),
    ("10.1.2.3", "http://10.1.2.30", Proxy, Proxy),
    ("1.2.3", "http://10.1.2.3", Proxy, Proxy),
    ("10.1.2.3:8080", "http://10.1.2.3:8080", Proxy, Direct),
    ("10.0.0.0/8", "http://10.1.2.3", Direct, Direct),
    ("10.9.9.9/8", "http://10.1.2.3", Direct, Direct),
    ("10.0.0.0/8", "http://11.1.2.3", Proxy, Proxy),
    ("10.1.2.0/23", "http://10.1.3.255", Direct, Direct),
    ("10.1.2.0/23", "http://10.1.4.0", Proxy, Proxy),
    ("10.1.2.3/32", "http://10.1.2.3", Direct, Direct),
    ("10.1.2.3/33", "http://10.1.2.3", Proxy, Proxy),
    ("10.0.0.0/8", "http://10.example", Proxy, Proxy),
    ("::1", "http://[::1]:8080", Direct, Direct),
    ("[::1]", "http://[::1]:8080", Proxy, Direct),
    ("[::1]:8080", "http://[::1]:8080", Proxy, Direct),
    ("[::1]:8080", "http://[::1]:8081", Proxy, Proxy),
    ("0:0:0:0:0:0:0:1", "http://[::1]", Proxy, Direct),
    ("fd00::/8", "http://[fd12:3456::1]", Proxy, Direct),
    ("fd00::/8", "http://[fe80::1]", Proxy, Proxy),
    ("::/0", "http://10.1.2.3", Proxy, Proxy),
    ("10.0.0.0/8", "http://[::a01:203]", Proxy, Proxy),
];

fn cases() -> impl Iterator<Item = (Vec<(&'static str, &'static str)>, &'static str, Route, Route)>
{
    let variables = VARIABLES
        .iter()
        .map(|case| (case.environment.to_vec(), case.address, case.curl, case.ours));
    let exceptions = EXCEPTIONS.iter().map(|&(no_proxy, address, curl, ours)| {
        (vec![("http_proxy", "http://{P}"), ("NO_PROXY", no_proxy)], address, curl, ours)
    });
    variables.chain(exceptions)
}

#[test]
fn environment_decides_as_documented() {
    for (environment, address, _, ours) in cases() {
        let read = |name: &str| {
            let value = environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
            value.map(|value| value.replace(P, "127.0.0.1:3128"))
        };
        let proxies = Proxies::from_environment(read);
        let route = match proxies.for_address(&address.parse().unwrap()) {
            Ok(None) => Direct,
            Ok(Some(proxy)) => {
                assert_eq!((proxy.host.to_string().as_str(), proxy.port), ("127.0.0.1", 3128));
                Proxy
            }
            Err(UnusableProxy) => Refused,
        };
        assert_eq!(route, ours, "{environment:?} {address}");
    }
}

#[test]
#[ignore = "it needs curl, whose rules differ slightly between versions; the table is of 7.88"]
fn table_has_the_decisions_of_curl() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address_of_proxy = proxy.local_addr().unwrap().to_string();
    let mut differences = Vec::new();
    for (environment, address, expected, _) in cases() {
        let variables =
            environment.iter().map(|(name, value)| (name, value.replace(P, &address_of_proxy)));
        // Direct connections are refused by this computer, and do not leave it.
        let mut curl = Command::new("curl")
            .args(["--silent", "--max-time", "20", "--connect-to", "::127.0.0.1:9", address])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(variables)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut route = Direct;
        while curl.try_wait().unwrap().is_none() {
            match proxy.accept() {
                Ok(_) => route = Proxy,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        if proxy.accept().is_ok() {
            route = Proxy;
        }
        if route != expected {
            differences.push((environment, address, route));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}
