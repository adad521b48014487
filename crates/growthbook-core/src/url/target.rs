//! URL targeting: the URLs that an experiment runs on.

use alloc::boxed::Box;

use serde::Serialize;

use super::PageUrl;
use super::page::BASE;
#[cfg(feature = "url")]
use super::simple::{self, SimplePattern};
use crate::budget::Budget;
#[cfg(feature = "url")]
use crate::pattern::Pattern;
use crate::pattern::PatternCompiler;
use crate::warning::WarningKind;

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

/// The Cargo feature that URL patterns lack, if any.
const MISSING_FEATURE: Option<&str> = if cfg!(not(feature = "url")) {
    Some("url")
} else if cfg!(not(feature = "regex")) {
    Some("regex")
} else {
    None
};

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
    #[cfg(feature = "url")]
    Simple(Box<SimplePattern>),
    #[cfg(feature = "url")]
    Regex(Pattern),
    /// An invalid pattern. It matches nothing.
    Nothing,
    /// A pattern that this SDK cannot run. It includes no user, or excludes every user.
    Refused,
}

impl UrlTargets {
    /// Compiles patterns. Reports each one that never matches.
    pub(crate) fn new(
        targets: &[UrlTarget],
        patterns: &PatternCompiler,
        mut report: impl FnMut(WarningKind),
    ) -> Self {
        let compile = |target: &UrlTarget| {
            let matcher = Matcher::new(target, patterns);
            match (&matcher, MISSING_FEATURE) {
                (Matcher::Refused, Some(feature)) => report(WarningKind::MissingFeature(feature)),
                (Matcher::Refused | Matcher::Nothing, _) => {
                    report(WarningKind::UrlPattern(target.pattern.clone()));
                }
                #[cfg(feature = "url")]
                _ => {}
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
            let matches = match &target.matcher {
                Matcher::Refused => !target.include,
                matcher => matcher.matches(page, budget)?,
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

#[cfg(feature = "url")]
impl Matcher {
    fn new(target: &UrlTarget, patterns: &PatternCompiler) -> Self {
        match target.kind {
            UrlTargetType::Simple => match SimplePattern::new(&target.pattern, patterns) {
                Some(pattern) => Matcher::Simple(Box::new(pattern)),
                None if simple::is_valid(&target.pattern) => Matcher::Refused,
                None => Matcher::Nothing,
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
    fn matches(&self, page: &PageUrl, budget: &Budget) -> Option<bool> {
        let Some(url) = page.parsed() else {
            return Some(false);
        };
        match self {
            Matcher::Regex(pattern) => {
                Some(pattern.test(&url.href, budget)? || pattern.test(&url.after_origin, budget)?)
            }
            Matcher::Simple(simple) => simple.matches(url, budget),
            Matcher::Nothing | Matcher::Refused => Some(false),
        }
    }
}

#[cfg(not(feature = "url"))]
impl Matcher {
    fn new(target: &UrlTarget, _: &PatternCompiler) -> Self {
        match target.kind {
            UrlTargetType::Simple | UrlTargetType::Regex => Matcher::Refused,
            UrlTargetType::Unknown => Matcher::Nothing,
        }
    }

    fn matches(&self, _: &PageUrl, _: &Budget) -> Option<bool> {
        Some(false)
    }
}

#[cfg(all(feature = "regex", feature = "url"))]
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
