//! The attributes of a user, which targeting and hashing read.
//!
//! An application builds [`Attributes`], or implements [`AttributeSource`] for its own types.
//! Evaluation sees every value as a `Node`.

mod convert;
mod equality;
mod lookup;
mod name;
mod node;
mod set;
mod source;
mod value;

pub use crate::json::Number;
pub(crate) use equality::deep_equal;
pub(crate) use lookup::AttributeLookup;
pub(crate) use node::{Items, Kind, Node};
pub use set::Attributes;
pub use source::{AttributeList, AttributeRef, AttributeSource};
pub use value::AttributeValue;
