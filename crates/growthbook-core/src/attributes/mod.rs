//! What is known about a user: the attributes targeting and hashing look at. An application
//! hands over [`Attributes`] it has built, or lets its own types be asked ([`AttributeSource`]).

mod lookup;
mod set;
mod source;
mod value;

pub use crate::json::Number;
pub(crate) use lookup::AttributeLookup;
pub use set::Attributes;
pub use source::{AttributeList, AttributeRef, AttributeSource};
pub use value::AttributeValue;
