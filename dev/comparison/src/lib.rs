//! Measuring, and telling what was measured. The binaries do the rest: `evaluate` times us beside
//! hand-written code and other products, `alone` and `memory` measure us by ourselves, `scenarios`
//! writes down what scripts in other languages are to ask, and `report` puts it all together.

pub mod machine;
pub mod measure;
pub mod report;
pub mod spread;
