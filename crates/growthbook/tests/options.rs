//! That the README's table of options has all of them, with their defaults.

#![cfg(feature = "fetch")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::time::Duration;

use growthbook as gb;

const README: &str = include_str!("../../../README.md");
const NETWORK: &str = include_str!("../src/network.rs");

/// The rows of the table: the names in the first cell, and the second.
fn table() -> BTreeMap<&'static str, &'static str> {
    let section = README.split_once("#### Every option").unwrap().1;
    let section = section.split_once("####").unwrap().0;
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let (names, default) = (cells.next().unwrap(), cells.next().unwrap());
        names.split('`').skip(1).step_by(2).map(move |name| (name, default.trim_matches('`')))
    })
    .collect()
}

#[test]
fn every_option_is_in_the_table() {
    // A method of the builder that gives the builder back is an option.
    let options: Vec<&str> = NETWORK
        .split("pub fn ")
        .skip(1)
        .filter(|method| method.split_once('{').unwrap().0.contains("-> Self"))
        .map(|method| method.split_once('(').unwrap().0)
        .collect();
    assert!(options.len() > 15);
    let mut expected: Vec<&str> = options;
    expected.sort_unstable();
    assert_eq!(table().keys().copied().collect::<Vec<_>>(), expected);
}

#[test]
fn the_defaults_in_the_table_are_those_of_the_code() {
    let seconds = |duration: Duration| format!("{} s", duration.as_secs_f64());
    let refresh = format!("Refresh::{:?}", gb::Refresh::default());
    let mebibytes = format!("{} MiB", gb::DEFAULT_MAX_BODY_BYTES >> 20);
    let defaults = [
        ("api_host", gb::DEFAULT_API_HOST.to_owned()),
        ("refresh", refresh),
        ("poll_interval", seconds(gb::DEFAULT_POLL_INTERVAL)),
        ("cache_ttl", seconds(gb::DEFAULT_CACHE_TTL)),
        ("connect_timeout", seconds(gb::DEFAULT_CONNECT_TIMEOUT)),
        ("read_timeout", seconds(gb::DEFAULT_READ_TIMEOUT)),
        ("stream_timeout", seconds(gb::DEFAULT_STREAM_TIMEOUT)),
        ("total_timeout", seconds(gb::DEFAULT_TOTAL_TIMEOUT)),
        ("max_body_bytes", mebibytes),
        ("close_timeout", seconds(gb::DEFAULT_CLOSE_TIMEOUT)),
    ];
    let table = table();
    for (option, default) in defaults {
        assert_eq!(table[option], default, "{option}");
    }
}
