//! Patterns with look-around or back-references that make searches as long as possible. Several
//! searches reach their limit within one evaluation.

use growthbook_core::UserContext;

use crate::work::{Case, MAX_USER, endless, rules};

/// A name, an operator, a pattern and a text that is repeated.
const SEARCHES: [(&str, &str, &str, &str); 14] = [
    ("nested repetitions", "$regex", "(?=(a+)+b)", "a"),
    ("equal alternatives", "$regex", "(?=(?:a|a)*b)", "a"),
    ("lazy repetitions", "$regex", "(?=(?:a*?)*?b)", "a"),
    ("long runs", "$regex", "(?=.*.*.*c)", "a"),
    ("long runs of a large set", "$regex", r"(?=[^\\u0080-\\u00ff\\u0400]*[^\\d]*c)", "é"),
    ("runs from each start", "$regex", "a*(?!a|$)", "a"),
    ("runs from right to left", "$regex", "(?<=c.*.*)$", "a"),
    ("repetitions from right to left", "$regex", "(?<=b(?:a+)+)c|(?<=b(?:a|a)+)$", "a"),
    ("long references", "$regex", r"^(.*)(?:\\1)*c", "a"),
    ("references that ignore case", "$regexi", r"(?=(é+))(?:É|é)*\\1c", "éÉ"),
    ("references in other case", "$regexi", r"^(.*?)(?:\\1)+c", "éÉ"),
    ("captures of look-ahead", "$regex", r"^(?:(?=(a))(?=(a))a)*b", "a"),
    ("negated look-ahead in a loop", "$regex", "(?:(?!b)a)*c", "a"),
    ("counted loops", "$regex", r"(?=(?:(a)|b){2,9}c)\\1", "a"),
];

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    SEARCHES.into_iter().map(|(name, operator, pattern, text)| {
        let rule = format!(r#"{{"condition":{{"id":{{"{operator}":"{pattern}"}}}},"force":1}}"#);
        let user = UserContext::new(text.repeat((MAX_USER - 100) / text.len()));
        endless(name, rules(&|_| rule.clone()), user)
    })
}
