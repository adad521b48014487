//! Where payloads are kept.
