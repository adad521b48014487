//! URL targeting: the URLs that an experiment runs on.

use alloc::{boxed::Box, string::String, vec::Vec};

use serde::Serialize;
use url::Url;

use super::PageUrl;
use super::page::{BASE, Parsed, fragment, host, parse};
use crate::budget::{Budget, ITEMS_PER_STEP};
use crate::pattern::{Pattern, PatternCompiler};

/// The syntax of a URL pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UrlTargetType {
    /// A URL with `*` as a wildcard. Host, path, fragment and the pattern's query parameters are
    /// compared without regard to case. Slashes around the path may be missing.
    Simple,
    /// A JavaScript regular expression. It is tested on the whole URL, and on the part after the
    /// origin.
    Regex,
    /// A type that this SDK does not know. It matches nothing.
    Unknown,
}

/// A pattern of URLs to run on, or with `include: false` of URLs to exclude.
#[derive(Clone, Debug, Serialize)]
pub struct UrlTarget {
    /// The pattern's syntax.
    #[serde(rename = "type")]
    pub kind: UrlTargetType,
    /// The pattern.
    pub pattern: Box<str>,
    /// Whether URLs that match are included or excluded.
    pub include: bool,
}

impl UrlTarget {
    /// Includes URLs that match a simple pattern.
    pub fn simple(pattern: impl Into<Box<str>>) -> Self {
        UrlTarget { kind: UrlTargetType::Simple, pattern: pattern.into(), include: true }
    }

    /// Includes URLs that match a regular expression.
    pub fn regex(pattern: impl Into<Box<str>>) -> Self {
        UrlTarget { kind: UrlTargetType::Regex, pattern: pattern.into(), include: true }
    }

    /// Excludes the URLs that match.
    #[must_use]
    pub fn exclude(self) -> Self {
        UrlTarget { include: false, ..self }
    }
}

/// Compiled URL patterns.
#[derive(Clone, Debug)]
pub(crate) struct UrlTargets {
    targets: Box<[Target]>,
    /// The result without a URL. It is that of the base URL, as in JavaScript.
    without_url: bool,
}

#[derive(Clone, Debug)]
struct Target {
    include: bool,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    Simple(Box<SimplePattern>),
    Regex(Pattern),
    /// An invalid pattern. It matches nothing.
    Nothing,
    /// A pattern that this SDK cannot run. It includes no user, or excludes every user.
    Refused,
}

/// A simple pattern: one expression for each part of the URL that it names.
#[derive(Clone, Debug)]
struct SimplePattern {
    host: Pattern,
    path: Pattern,
    fragment: Option<Pattern>,
    query: Vec<(String, Pattern)>,
}

impl UrlTargets {
    /// Compiles patterns. Calls `rejected` with each one that never matches.
    pub(crate) fn new(
        targets: &[UrlTarget],
        patterns: &PatternCompiler,
        mut rejected: impl FnMut(&str),
    ) -> Self {
        let compile = |target: &UrlTarget| {
            let matcher = Matcher::new(target, patterns);
            if matches!(matcher, Matcher::Nothing | Matcher::Refused) {
                rejected(&target.pattern);
            }
            Target { include: target.include, matcher }
        };
        let mut targets =
            UrlTargets { targets: targets.iter().map(compile).collect(), without_url: false };
        let without_url = targets.matches_page(&PageUrl::new(BASE), &Budget::default());
        targets.without_url = without_url.unwrap_or(false);
        targets
    }

    /// Whether the URL is targeted: it matches no excluding pattern, and an including one if there
    /// are any. An empty list targets nothing, and so does any list if the budget is spent.
    pub(crate) fn matches(&self, url: Option<&PageUrl>, budget: &Budget) -> bool {
        let targets = |page| self.matches_page(page, budget).unwrap_or(false);
        url.map_or(self.without_url, targets)
    }

    fn matches_page(&self, page: &PageUrl, budget: &Budget) -> Option<bool> {
        let mut has_includes = false;
        let mut included = false;
        for target in &self.targets {
            let matches = match (&target.matcher, page.parsed()) {
                (Matcher::Refused, _) => !target.include,
                (matcher, Some(parsed)) => matcher.matches(parsed, budget)?,
                (_, None) => false,
            };
            if target.include {
                has_includes = true;
                included |= matches;
            } else if matches {
                return Some(false);
            }
        }
        Some(!self.targets.is_empty() && (included || !has_includes))
    }
}

impl Matcher {
    fn new(target: &UrlTarget, patterns: &PatternCompiler) -> Self {
        match target.kind {
            UrlTargetType::Simple => match SimplePattern::new(&target.pattern, patterns) {
                Some(pattern) => Matcher::Simple(Box::new(pattern)),
                None if parse_pattern(&target.pattern).is_none() => Matcher::Nothing,
                None => Matcher::Refused,
            },
            UrlTargetType::Regex => match patterns.compile(&target.pattern, false) {
                Ok(pattern) => Matcher::Regex(pattern),
                Err(error) if error.is_syntax() => Matcher::Nothing,
                Err(_) => Matcher::Refused,
            },
            UrlTargetType::Unknown => Matcher::Nothing,
        }
    }

    /// `None` if a search reaches a limit.
    fn matches(&self, url: &Parsed, budget: &Budget) -> Option<bool> {
        match self {
            Matcher::Regex(pattern) => {
                Some(pattern.test(&url.href, budget)? || pattern.test(&url.after_origin, budget)?)
            }
            Matcher::Simple(simple) => simple.matches(url, budget),
            Matcher::Nothing | Matcher::Refused => Some(false),
        }
    }
}

/// Replaces the wildcard while a pattern is parsed as a URL, which rejects `*`.
const WILDCARD: &str = "_____";
/// The base of a pattern without a host: any host.
const PATTERN_BASE: &str = "https://_____";

impl SimplePattern {
    fn new(pattern: &str, patterns: &PatternCompiler) -> Option<Self> {
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
    fn matches(&self, url: &Parsed, budget: &Budget) -> Option<bool> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn is_targeted(url: &str, targets: &[UrlTarget]) -> bool {
        UrlTargets::new(targets, &PatternCompiler::default(), |_| {})
            .matches(Some(&PageUrl::new(url)), &Budget::default())
    }

    /// Results of `isURLTargeted` of the JavaScript SDK 1.8.0.
    #[test]
    fn simple_patterns_match_as_in_javascript() {
        let cases = [
            ("https://www.example.com/home", "https://www.example.com/home", true),
            ("/home", "https://www.example.com/home/", true),
            ("/home", "https://www.example.com/HOME?a=1#b", true),
            ("/home", "https://www.example.com/homes", false),
            ("*.example.com", "https://www.example.com/", true),
            ("*.example.com", "https://www.example.com/path", false),
            ("example.com/*", "http://example.com/a/b", true),
            ("example.com/*", "http://www.example.com/a/b", false),
            ("/post/*/edit", "https://x.org/post/12/edit", true),
            ("/search?q=*", "https://x.org/search?q=shoes&page=2", true),
            ("/search?q=shoes", "https://x.org/search?page=2", false),
            ("/a#top", "https://x.org/a#top", true),
            ("/a#top", "https://x.org/a", false),
            ("/a", "https://x.org/a#top", true),
            ("localhost:3000/a", "http://localhost:3000/a", false),
            ("http://localhost:3000/a", "http://localhost:3000/a", true),
            ("/a", "/a", true),
            ("/é", "https://x.org/%C3%A9", true),
            ("https://a/b", "///a/b", true),
            ("////a/b", "https://a/b", true),
        ];
        for (pattern, url, expected) in cases {
            let targets = [UrlTarget::simple(pattern)];
            assert_eq!(is_targeted(url, &targets), expected, "{pattern} on {url}");
        }
    }

    #[test]
    fn expressions_match_with_and_without_the_origin() {
        let cases = [
            ("^/home$", "https://www.example.com/home", true),
            ("^https://www", "https://www.example.com/home", true),
            (r"\/h.me\?", "https://www.example.com/home?x", true),
            ("^home", "https://www.example.com/home", false),
            ("(", "https://www.example.com/home", false),
        ];
        for (pattern, url, expected) in cases {
            let targets = [UrlTarget::regex(pattern)];
            assert_eq!(is_targeted(url, &targets), expected, "{pattern} on {url}");
        }
    }

    /// A search that reaches its limit includes no user, and excludes every user.
    #[test]
    fn search_at_its_limit_targets_nothing() {
        let url = alloc::format!("https://www.example.com/{}", "a".repeat(1_000));
        let endless = UrlTarget::regex("(?=(a+)+$)b|(?=(a+)+b)");
        assert!(!is_targeted(&url, core::slice::from_ref(&endless)));
        assert!(!is_targeted(&url, &[endless.exclude()]));
    }

    #[test]
    fn exclusions_win_over_inclusions() {
        let all = UrlTarget::simple("*.example.com/*");
        let secret = UrlTarget::simple("/secret").exclude();
        let url = "https://www.example.com/secret";
        assert!(is_targeted(url, core::slice::from_ref(&all)));
        assert!(!is_targeted(url, &[all, secret.clone()]));
        assert!(!is_targeted(url, core::slice::from_ref(&secret)));
        assert!(is_targeted("https://www.example.com/", &[secret]));
        assert!(!is_targeted(url, &[]));
        assert!(!is_targeted(url, &[UrlTarget::regex("(?=secret)").exclude()]));
        assert!(is_targeted(url, &[UrlTarget::regex("(?=secret)")]));
        assert!(!is_targeted(url, &[UrlTarget::regex("^/(?!secret)")]));
        assert!(is_targeted(url, &[UrlTarget::regex("(").exclude()]));
    }
}
