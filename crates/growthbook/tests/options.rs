//! The guide's table of options has all of them, with their defaults.

#![cfg(feature = "fetch")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use growthbook as gb;

const GUIDE: &str = include_str!("../docs/keeping-fresh.md");
const BUILDER: &str = include_str!("../src/connected.rs");
const FETCH_OPTIONS: &str = include_str!("../../growthbook-fetch/src/options.rs");

/// Returns the rows of the table: the names in the first cell, and the second cell.
fn table() -> BTreeMap<&'static str, &'static str> {
    let section = GUIDE.split_once("\n# Every option\n").unwrap().1;
    let section = section.split_once("\n# When things fail\n").unwrap().0;
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let (names, default) = (cells.next().unwrap(), cells.next().unwrap());
        names.split('`').skip(1).step_by(2).map(move |name| (name, default.trim_matches('`')))
    })
    .collect()
}

/// Returns the names of the methods that take `self` and return it.
fn setters(source: &'static str) -> BTreeSet<&'static str> {
    let methods = source.split("pub fn ").skip(1);
    let heads = methods.map(|method| method.split_once('{').unwrap().0);
    let setters = heads.filter(|head| head.contains("self") && head.contains("-> Self"));
    setters.map(|head| head.split_once('(').unwrap().0).collect()
}

#[test]
fn every_option_is_in_the_table() {
    let mut expected = setters(FETCH_OPTIONS);
    assert!(expected.len() > 15);
    // Hidden, for tests of this workspace.
    for hidden in ["min_poll_interval_for_tests", "own_threads_for_tests"] {
        assert!(expected.remove(hidden), "{hidden}");
    }
    expected.extend(setters(BUILDER));
    expected.remove("fetch_options");
    assert_eq!(table().keys().copied().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn defaults_in_the_table_are_right() {
    let seconds = |duration: Duration| format!("{} s", duration.as_secs_f64());
    let refresh = format!("Refresh::{:?}", gb::Refresh::default());
    let mebibytes = format!("{} MiB", gb::fetch::DEFAULT_MAX_BODY_BYTES >> 20);
    let defaults = [
        ("api_host", gb::fetch::DEFAULT_API_HOST.to_owned()),
        ("refresh", refresh),
        ("poll_interval", seconds(gb::fetch::DEFAULT_POLL_INTERVAL)),
        ("cache_ttl", seconds(gb::fetch::DEFAULT_CACHE_TTL)),
        ("connect_timeout", seconds(gb::fetch::DEFAULT_CONNECT_TIMEOUT)),
        ("read_timeout", seconds(gb::fetch::DEFAULT_READ_TIMEOUT)),
        ("stream_timeout", seconds(gb::fetch::DEFAULT_STREAM_TIMEOUT)),
        ("total_timeout", seconds(gb::fetch::DEFAULT_TOTAL_TIMEOUT)),
        ("max_body_bytes", mebibytes),
        ("close_timeout", seconds(gb::fetch::DEFAULT_CLOSE_TIMEOUT)),
    ];
    let table = table();
    for (option, default) in defaults {
        assert_eq!(table[option], default, "{option}");
    }
}
