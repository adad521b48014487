//! Requests: where they go, what they say, and what the server answered.

mod client;
mod features;
mod redirect;
mod retry_after;
mod settings;
mod stream;

pub(crate) use features::{FeaturesClient, Reply};
pub(crate) use settings::{Settings, SourceId};
pub(crate) use stream::{EventStream, StreamClient, StreamRead, Update};
