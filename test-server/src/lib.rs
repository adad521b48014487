//! A GrowthBook features server that behaves, or misbehaves, as a test says.
