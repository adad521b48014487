//! Guides: longer texts with examples.
//!
//! | page | for |
//! |---|---|
//! | [`getting_started`] | the first flag, experiment and live client |
//! | [`sdk_connection`] | which settings of GrowthBook's SDK connection to choose |
//! | [`keeping_fresh`] | a client that asks a server: options and failures |
//! | [`inline_experiments`] | experiments that are declared in code |
//! | [`tracking`] | exposures, events and plugins |
//! | [`sticky_buckets`] | users who keep their variation |
//! | [`many_processes`] | one payload for many processes, in Redis |
//! | [`browser`] | what a server hands to the browser |
//! | [`remote_evaluation`] | a server evaluates: as its client, and as the server |
//! | [`webhooks`] | messages that the payload has changed |
//! | [`explaining`] | why a user got a value |
//! | [`speed`] | flags without building anything first |
//! | [`own_cache_and_store`] | a cache and a sticky bucket store of your own |
//! | [`migrating`] | from another GrowthBook SDK, name by name |
//! | [`cookbook`] | short answers to common tasks |
//!
//! Pages with connected clients need the Cargo feature `fetch`.

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/getting-started.md")]
pub mod getting_started {}

#[doc = include_str!("../docs/sdk-connection.md")]
pub mod sdk_connection {}

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/keeping-fresh.md")]
pub mod keeping_fresh {}

#[doc = include_str!("../docs/inline-experiments.md")]
pub mod inline_experiments {}

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/tracking.md")]
pub mod tracking {}

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/sticky-buckets.md")]
pub mod sticky_buckets {}

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/many-processes.md")]
pub mod many_processes {}

#[doc = include_str!("../docs/browser.md")]
pub mod browser {}

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/webhooks.md")]
pub mod webhooks {}

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/remote-evaluation.md")]
pub mod remote_evaluation {}

#[doc = include_str!("../docs/explaining.md")]
pub mod explaining {}

#[doc = include_str!("../docs/speed.md")]
pub mod speed {}

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/own-cache-and-store.md")]
pub mod own_cache_and_store {}

#[doc = include_str!("../docs/migrating.md")]
pub mod migrating {}

#[cfg(feature = "fetch")]
#[doc = include_str!("../docs/cookbook.md")]
pub mod cookbook {}
