//! What a client that asks a server promises, against a server that can misbehave.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod lifecycle;
mod support;
