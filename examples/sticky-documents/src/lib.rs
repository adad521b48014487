//! An application that loads and saves the documents of sticky buckets itself: with Redis in async
//! code, or in the cookies of a browser.
//!
//! The guide `sticky_buckets` shows both files. The tests check that it does, and run them.

pub mod cookies;
pub mod redis;
