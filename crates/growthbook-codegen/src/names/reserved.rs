//! Names that generated code must not use.

/// Keywords of every edition, also those that are reserved for the future.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "union",
];

/// The methods of the client's `UserScope`. A call by such a name would call them, and not the
/// function of the flag. The trait's own method `scope` is among them.
const SCOPE_METHODS: &[&str] = &[
    "all_results",
    "deferring_exposures",
    "eval_condition",
    "eval_feature",
    "evaluate_all",
    "explain",
    "exposures",
    "feature_value",
    "for_user",
    "is_off",
    "is_on",
    "log_event",
    "on_experiment_viewed",
    "on_feature_usage",
    "payload",
    "payload_source",
    "recording",
    "run",
    "run_auto_experiments",
    "scope",
    "snapshot",
    "sticky_assignment",
    "sticky_buckets",
    "sticky_keys",
    "take_changed_sticky_buckets",
    "take_deferred_calls",
    "tracing_tags",
    "user",
    "with_attributes",
    "with_extra",
    "with_forced_features",
    "with_forced_variations",
    "with_plugin",
    "with_source",
];

/// Methods that every type may have. A call would be ambiguous, or call them.
const COMMON_METHODS: &[&str] = &[
    "as_mut",
    "as_ref",
    "borrow",
    "borrow_mut",
    "clone",
    "clone_from",
    "clone_into",
    "cmp",
    "drop",
    "eq",
    "fmt",
    "from",
    "into",
    "ne",
    "to_owned",
    "try_into",
    "type_id",
];

/// Types, traits and variants that generated code uses, or that every module has.
const TYPES: &[&str] = &[
    "AsMut",
    "AsRef",
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "Hash",
    "Into",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Self",
    "Send",
    "Sized",
    "Some",
    "String",
    "ToString",
    "Vec",
];

/// Whether a name is a keyword.
pub(crate) fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// Whether the function of a flag must not have this name.
pub(crate) fn is_method(name: &str) -> bool {
    is_keyword(name) || SCOPE_METHODS.contains(&name) || COMMON_METHODS.contains(&name)
}

/// Whether a generated type must not have this name.
pub(crate) fn is_type(name: &str) -> bool {
    TYPES.contains(&name)
}
