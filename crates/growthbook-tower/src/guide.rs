//! A guide with examples.

#[doc = include_str!("../docs/web-frameworks.md")]
pub mod web_frameworks {}
