//! A person's attributes as JSON, for the binaries that hand them to others.

use serde_json::{Value, json};

use crate::people::Person;

/// The same as [`Person::context`].
pub(crate) fn attributes(person: &Person) -> Value {
    json!({
        "id": person.id,
        "country": person.country,
        "age": person.age,
        "plan": person.plan,
        "tags": person.tags,
        "version": person.version,
        "email": person.email,
        "company": {
            "name": person.company.name,
            "size": person.company.size,
            "region": person.company.region,
        },
    })
}
