//! The user of a request, with eight attributes.

use growthbook::{AttributeRef, AttributeSource, UserContext};

use super::id;

/// The texts and numbers of a request. They become a user context or an attribute source.
pub(crate) struct Request {
    id: String,
    country: &'static str,
    age: u32,
    plan: &'static str,
    employee: bool,
    version: String,
    email: String,
    seats: u32,
}

impl Request {
    /// Returns the request of the user with this number.
    pub(crate) fn new(number: usize) -> Self {
        let small = number as u32 % 60;
        Request {
            id: id(number),
            country: if number.is_multiple_of(2) { "US" } else { "DE" },
            age: 18 + small,
            plan: if number.is_multiple_of(3) { "enterprise" } else { "free" },
            employee: number.is_multiple_of(50),
            version: format!("3.{}.{}", number % 12, number % 7),
            email: format!("{}@example.com", id(number)),
            seats: small,
        }
    }

    /// Builds the user context.
    pub(crate) fn user(&self) -> UserContext {
        UserContext::new(self.id.as_str())
            .attribute("country", self.country)
            .attribute("age", self.age)
            .attribute("plan", self.plan)
            .attribute("employee", self.employee)
            .attribute("version", self.version.as_str())
            .attribute("email", self.email.as_str())
            .attribute("seats", self.seats)
    }
}

/// The same attributes, without building a user context.
impl AttributeSource for Request {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        Some(match name {
            "id" => (&self.id).into(),
            "country" => self.country.into(),
            "age" => self.age.into(),
            "plan" => self.plan.into(),
            "employee" => self.employee.into(),
            "version" => (&self.version).into(),
            "email" => (&self.email).into(),
            "seats" => self.seats.into(),
            _ => return None,
        })
    }
}
