//! Requests to the server: addresses, headers and replies.

mod client;
mod features;
mod redirect;
mod retry_after;
mod settings;
mod stream;

pub(crate) use features::{FeaturesClient, Reply};
pub(crate) use settings::{Settings, SourceId};
pub(crate) use stream::{EventStream, StreamClient, StreamRead, Update};
