//! What is known about a user: the attributes targeting and hashing look at. An application
//! hands over [`Attributes`] it has built, or lets its own types be asked ([`AttributeSource`]).

mod equality;
mod lookup;
mod node;
mod set;
mod source;
mod value;

pub use crate::json::Number;
pub(crate) use equality::deep_equal;
pub(crate) use lookup::AttributeLookup;
pub(crate) use node::{Kind, Node};
pub use set::Attributes;
pub use source::{AttributeList, AttributeRef, AttributeSource};
pub use value::AttributeValue;
