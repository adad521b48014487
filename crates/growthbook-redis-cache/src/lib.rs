//! A GrowthBook payload cache in Redis.
