//! The legacy URL targeting of experiments: a regular expression for the page. URL patterns replace
//! it.

use alloc::{string::ToString, vec::Vec};

use crate::budget::Budget;
use crate::pattern::{Pattern, PatternCompiler};
use crate::url::PageUrl;
use crate::warning::WarningKind;

/// A regular expression for the page's URL. `None` never matches.
#[derive(Clone, Debug)]
pub(crate) struct LegacyUrl(Option<Pattern>);

impl LegacyUrl {
    /// Compiles the expression. Returns `None` for a pattern that JavaScript rejects: it is
    /// ignored. A pattern that only this SDK cannot run never matches.
    pub(crate) fn new(
        source: &str,
        patterns: &PatternCompiler,
        warnings: &mut Vec<WarningKind>,
    ) -> Option<Self> {
        match patterns.compile(source, false) {
            Ok(pattern) => Some(LegacyUrl(Some(pattern))),
            Err(error) => {
                let reason = error.to_string().into();
                warnings.push(WarningKind::Regex { pattern: source.into(), reason });
                (!error.is_syntax()).then_some(LegacyUrl(None))
            }
        }
    }

    /// Whether the expression matches the whole URL, or its path. False if a search reaches a limit.
    pub(crate) fn matches(&self, url: Option<&PageUrl>, budget: &Budget) -> bool {
        let (Some(pattern), Some(url)) = (&self.0, url) else {
            return false;
        };
        let url = url.as_str();
        let without_scheme =
            url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
        let path = without_scheme.find('/').and_then(|slash| without_scheme.get(slash..));
        let matches = |text| pattern.test(text, budget).unwrap_or(false);
        matches(url) || matches(path.unwrap_or(without_scheme))
    }
}

#[cfg(feature = "regex")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_and_its_path_are_tested() {
        let cases = [
            ("^/home$", "https://www.example.com/home", true),
            ("^https:", "https://www.example.com/home", true),
            (r"example\.com\/home", "http://example.com/home", true),
            ("^/home", "/home?x", true),
            ("^/other", "https://www.example.com/home", false),
            ("(?=x)", "https://www.example.com/x", true),
            ("^/(?!x)", "https://www.example.com/x", false),
        ];
        for (pattern, url, expected) in cases {
            let legacy =
                LegacyUrl::new(pattern, &PatternCompiler::default(), &mut Vec::new()).unwrap();
            let budget = Budget::default();
            let matches = legacy.matches(Some(&PageUrl::new(url)), &budget);
            assert_eq!(matches, expected, "{pattern} on {url}");
            assert!(!legacy.matches(None, &budget));
        }
        assert!(LegacyUrl::new("(", &PatternCompiler::default(), &mut Vec::new()).is_none());
    }
}
