//! Tests of code that uses GrowthBook flags, without a network.
//!
//! # A flag that is on
//!
//! [`with_flags`] makes a client whose flags have the same value for every user:
//!
//! ```
//! use growthbook::Client;
//! use growthbook_test::with_flags;
//!
//! fn price(flags: &Client, user: &str) -> u32 {
//!     if flags.for_user(user).is_on("discount") { 90 } else { 100 }
//! }
//!
//! let flags = with_flags([("discount", true)]);
//! assert_eq!(price(&flags, "user-1"), 90);
//! ```
//!
//! A [`TestClient`] is used like a [`Client`](growthbook::Client). Code that needs a handle of its own
//! gets [`TestClient::client`].
//!
//! # Values, rules and experiments
//!
//! [`flags`] builds a payload, as GrowthBook would send it:
//!
//! ```
//! use growthbook::UserContext;
//! use growthbook_test::{flags, json, variations, when};
//!
//! let client = flags()
//!     .on("checkout")
//!     .value("limit", 10)
//!     .experiment("color", ["blue", "green"])
//!     .experiment("price", variations([10, 12]).weights([0.9, 0.1]))
//!     .rule("banner", when(json!({"country": "US"})).force("hi"))
//!     .client();
//!
//! let gb = client.for_user(UserContext::new("user-1").attribute("country", "US"));
//! assert!(gb.is_on("checkout"));
//! assert_eq!(gb.feature_value("limit", 1), 10);
//! assert_eq!(gb.feature_value("banner", "none"), "hi");
//! ```
//!
//! [`Flags::from_json`] starts with a payload of yours, such as a checked-in copy of the real one.
//!
//! # A flag that changes during the test
//!
//! [`TestClient::force_feature`] forces a value until its guard is dropped. Guards may be nested, and
//! dropped in any order and on any thread.
//!
//! ```
//! use growthbook_test::with_flags;
//!
//! let client = with_flags([("checkout", false)]);
//! {
//!     let _on = client.force_feature("checkout", true);
//!     assert!(client.for_user("user-1").is_on("checkout"));
//! }
//! assert!(client.for_user("user-1").is_off("checkout"));
//! ```
//!
//! # What was tracked
//!
//! A test client [records](Recorder) exposures, evaluated features and logged events. A failed
//! assertion prints what was recorded.
//!
//! ```
//! use growthbook_test::{flags, json};
//!
//! let client = flags().experiment("color", ["blue", "green"]).client();
//! let user = client.user_in("color", "green")?;
//! let gb = client.for_user(user);
//! gb.feature_value("color", "blue");
//! gb.log_event("Purchase", [("total", json!(9.5))]);
//!
//! client.recorder().assert_viewed("color", "green");
//! client.recorder().assert_evaluated("color");
//! client.recorder().assert_logged("Purchase", json!({"total": 9.5}));
//! # Ok::<(), growthbook_test::NoUser>(())
//! ```
//!
//! # A user in a variation
//!
//! [`TestClient::user_in`] searches a user who gets a variation. [`TestClient::user_like`] does so for
//! a user with given attributes. If there is no such user, the error says why.
//!
//! # Strict tests
//!
//! A misspelt flag is not an error in production: the code gets the fallback. [`Flags::strict`] makes
//! it one. When the client is dropped, the test fails because of
//!
//! - a flag that the payload does not have,
//! - a flag whose value has another type than the code asks for,
//! - an attribute that neither the payload nor [`Flags::allow_attributes`] names.
//!
//! The message has the nearest key:
//!
//! ```should_panic
//! use growthbook_test::flags;
//!
//! let client = flags().on("checkout").strict().client();
//! client.for_user("user-1").is_on("chekout");
//! // Panics: feature "chekout" is not in the payload: did you mean "checkout"?
//! ```
//!
//! # With a server
//!
//! With the Cargo feature `server`, `Flags::serve` starts a features server. A test can change its
//! payload, and make it fail: see the module `server`.
//!
#![cfg_attr(feature = "server", doc = "```")]
#![cfg_attr(not(feature = "server"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use growthbook::Client;
//! use growthbook_test::{TestClient, flags, server::Reply};
//!
//! let server = flags().on("checkout").serve();
//! server.script_features([Reply::status(503)]);
//! let client = TestClient::new(Client::builder("sdk-test").api_host(server.url()).start()?);
//! client.wait_ready(Duration::from_secs(30))?;
//! assert!(client.for_user("user-1").is_on("checkout"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! The source, in reading order:
//!
//! | module | what it does |
//! |---|---|
//! | `flags`, `rule` | builds a payload |
//! | `client` | the test client |
//! | `forced` | forced values that undo themselves |
//! | `recorder` | records events, and asserts them |
//! | `strict`, `attributes` | fails tests because of flags and attributes that do not exist |
//! | `search` | searches users for variations |

#![expect(clippy::panic, reason = "a test fails with a panic")]

mod attributes;
mod client;
mod flags;
mod forced;
mod recorder;
mod rule;
mod search;
mod strict;

pub use client::TestClient;
pub use flags::{Flags, flags, with_flags};
pub use forced::ForcedFeature;
pub use recorder::Recorder;
pub use rule::{Rule, Variations, When, everyone, variations, when};
pub use search::{MAX_TRIED_USERS, NoUser};
/// Makes the JSON of conditions and values.
pub use serde_json::json;
pub use strict::Strict;

/// A features server on a free port, and other parts of a network. With the Cargo feature `server`.
#[cfg(feature = "server")]
pub mod server {
    pub use growthbook_test_server::{
        BlackHole, Counts, FeaturesServer, Gate, GrowthBookProxy, ProxyServer, ProxySettings,
        Relay, Reply, Request,
    };
}
