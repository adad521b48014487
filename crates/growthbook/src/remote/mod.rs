//! Remote evaluation, on the client's side: a server evaluates for each user.

mod builder;
mod client;
mod user;

pub use builder::Remote;
pub use client::RemoteClient;
pub use user::{RemoteUser, UserFuture};

pub use growthbook_fetch::{
    DEFAULT_REMOTE_ANSWER_BYTES, DEFAULT_REMOTE_ANSWERS, DEFAULT_REMOTE_HARD_TTL,
    DEFAULT_REMOTE_REQUESTS, DEFAULT_REMOTE_SOFT_TTL, MAX_WAITING_REQUESTS, NoAnswer,
    RemoteCounters, RemoteOptions, RemoteStatus,
};
