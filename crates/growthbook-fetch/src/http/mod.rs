//! Requests to the server: addresses, headers and replies.

mod client;
mod eval;
mod features;
mod limits;
mod redirect;
mod settings;
mod stream;
mod tag;

pub(crate) use eval::EvalClient;
pub(crate) use features::{FeaturesClient, Reply};
pub(crate) use limits::Limits;
pub(crate) use settings::{Settings, SourceId};
pub(crate) use stream::{EventStream, StreamClient, StreamRead, Update};
pub(crate) use tag::likely_tag;
