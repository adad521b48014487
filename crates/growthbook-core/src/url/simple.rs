//! Simple URL patterns: URLs with wildcards.

use alloc::{string::String, vec::Vec};

use url::Url;

use super::parsed::{Parsed, fragment, host, parse};
use crate::budget::{Budget, ITEMS_PER_STEP};
use crate::pattern::{Pattern, PatternCompiler};

/// A simple pattern: one expression for each part of the URL that it names.
#[derive(Clone, Debug)]
pub(super) struct SimplePattern {
    host: Pattern,
    path: Pattern,
    fragment: Option<Pattern>,
    query: Vec<(String, Pattern)>,
}

/// Replaces the wildcard while a pattern is parsed as a URL, which rejects `*`.
const WILDCARD: &str = "_____";
/// The base of a pattern without a host: any host.
const PATTERN_BASE: &str = "https://_____";

impl SimplePattern {
    pub(super) fn new(pattern: &str, patterns: &PatternCompiler) -> Option<Self> {
        let url = parse_pattern(pattern)?;
        let part = |text: &str| part_pattern(text, patterns);
        let fragment = fragment(&url);
        Some(SimplePattern {
            host: part(&host(&url))?,
            path: path_pattern(url.path(), patterns)?,
            fragment: if fragment.is_empty() { None } else { Some(part(&fragment)?) },
            query: url
                .query_pairs()
                .map(|(key, value)| Some((key.into_owned(), part(&value)?)))
                .collect::<Option<_>>()?,
        })
    }

    /// `None` if a search reaches a limit.
    pub(super) fn matches(&self, url: &Parsed, budget: &Budget) -> Option<bool> {
        let is_on_page = self.host.test(&url.host, budget)? && self.path.test(&url.path, budget)?;
        if !is_on_page {
            return Some(false);
        }
        if let Some(fragment) = &self.fragment
            && !fragment.test(&url.fragment, budget)?
        {
            return Some(false);
        }
        for (key, pattern) in &self.query {
            if !budget.take(url.query.len() / ITEMS_PER_STEP) {
                return None;
            }
            let value = url.query.iter().find(|(name, _)| name == key);
            if !pattern.test(value.map_or("", |(_, value)| value), budget)? {
                return Some(false);
            }
        }
        Some(true)
    }
}

/// Whether a pattern can be parsed as a URL.
pub(super) fn is_valid(pattern: &str) -> bool {
    parse_pattern(pattern).is_some()
}

/// Parses a pattern as a URL. A host without a protocol gets `https://`.
fn parse_pattern(pattern: &str) -> Option<Url> {
    let before_stop = pattern.find([':', '/', '?']).unwrap_or(pattern.len());
    let starts_with_host = pattern.get(..before_stop).is_some_and(|start| start.contains('.'));
    let mut text = String::with_capacity(pattern.len() + 8);
    if starts_with_host {
        text.push_str("https://");
    }
    text.push_str(&pattern.replace('*', WILDCARD));
    parse(&text, PATTERN_BASE)
}

/// Compiles an expression that matches one whole part, with wildcards.
fn part_pattern(text: &str, patterns: &PatternCompiler) -> Option<Pattern> {
    let source = alloc::format!("^{}$", escape(text));
    patterns.compile(&source, true).ok()
}

/// Compiles an expression that matches a path, with or without its outer slashes.
fn path_pattern(path: &str, patterns: &PatternCompiler) -> Option<Pattern> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let source = alloc::format!(r"^\/?{}\/?$", escape(path));
    patterns.compile(&source, true).ok()
}

/// Escapes the special characters of regular expressions, and replaces wildcards by `.*`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for char in text.chars() {
        if r"*.+?^${}()|[]\".contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped.replace(WILDCARD, ".*")
}
