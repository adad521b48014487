//! Caches for payloads: in memory and in files.

mod file;
mod format;
mod memory;
mod regular_file;

pub use file::FileCache;
pub use memory::{DEFAULT_MEMORY_CACHE_ENTRIES, MemoryCache};
