//! The measurements and the report of the comparison. The binaries use this library:
//! - `evaluate` compares our times with hand-written code and other products,
//! - `alone` and `memory` measure only this SDK,
//! - `scenarios` prints the scenarios for scripts in other languages,
//! - `report` combines all results.

pub mod machine;
pub mod measure;
pub mod report;
pub mod spread;
