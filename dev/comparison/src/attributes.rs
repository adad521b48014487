//! A person's attributes as JSON, for other products.

use serde_json::{Value, json};

use crate::people::Person;

/// Returns the attributes of [`Person::context`].
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
