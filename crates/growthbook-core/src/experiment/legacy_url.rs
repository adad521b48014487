//! The regular expression for the address of a page, from before URL patterns.

use alloc::{string::ToString, vec::Vec};

use crate::pattern::{Pattern, PatternCompiler};
use crate::url::PageUrl;
use crate::warning::WarningKind;

/// A regular expression for the address of the page. `None` matches nothing.
#[derive(Clone, Debug)]
pub(crate) struct LegacyUrl(Option<Pattern>);

impl LegacyUrl {
    /// Compiles the expression. `None` for a pattern that JavaScript rejects too: it is ignored. A
    /// pattern that only this SDK cannot run matches nothing.
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

    /// Tests the whole address, and its path alone.
    pub(crate) fn matches(&self, url: Option<&PageUrl>) -> bool {
        let (Some(pattern), Some(url)) = (&self.0, url) else {
            return false;
        };
        let url = url.as_str();
        let without_scheme =
            url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
        let path = without_scheme.find('/').and_then(|slash| without_scheme.get(slash..));
        pattern.is_match(url) || pattern.is_match(path.unwrap_or(without_scheme))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_its_path_are_tested() {
        let cases = [
            ("^/home$", "https://www.example.com/home", true),
            ("^https:", "https://www.example.com/home", true),
            (r"example\.com\/home", "http://example.com/home", true),
            ("^/home", "/home?x", true),
            ("^/other", "https://www.example.com/home", false),
            ("(?=x)", "https://www.example.com/x", false),
        ];
        for (pattern, url, expected) in cases {
            let legacy =
                LegacyUrl::new(pattern, &PatternCompiler::default(), &mut Vec::new()).unwrap();
            assert_eq!(legacy.matches(Some(&PageUrl::new(url))), expected, "{pattern} on {url}");
            assert!(!legacy.matches(None));
        }
        assert!(LegacyUrl::new("(", &PatternCompiler::default(), &mut Vec::new()).is_none());
    }
}
