//! Evaluation: walks a snapshot for one user.
//!
//! [`Evaluator`] and [`RecordingEvaluator`] are the public API. Each of their calls makes one
//! [`Evaluation`](evaluation::Evaluation), whose methods are spread over the other files by subject.

mod all;
mod answer;
mod auto;
mod evaluation;
mod evaluator;
mod experiment;
mod feature;
mod hash_attribute;
mod legacy;
mod recording;
mod sticky;
mod verdict;

pub use all::FeatureResults;
pub use evaluator::Evaluator;
pub use recording::RecordingEvaluator;
