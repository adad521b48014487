//! A person as an attribute source, for measurements without a user context.

use growthbook::{AttributeRef, AttributeSource};

use crate::people::{Company, Person};

impl AttributeSource for Person {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        Some(match name {
            "id" => (&self.id).into(),
            "country" => self.country.into(),
            "age" => self.age.into(),
            "plan" => self.plan.into(),
            "tags" => (&self.tags).into(),
            "version" => (&self.version).into(),
            "email" => (&self.email).into(),
            "company" => AttributeRef::Object(&self.company),
            _ => return None,
        })
    }
}

impl AttributeSource for Company {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        Some(match name {
            "name" => self.name.into(),
            "size" => self.size.into(),
            "region" => self.region.into(),
            _ => return None,
        })
    }
}
