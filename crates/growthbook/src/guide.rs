//! Guides: longer texts with examples.

#[doc = include_str!("../docs/inline-experiments.md")]
pub mod inline_experiments {}
