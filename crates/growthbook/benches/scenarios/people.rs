//! The users, with attributes as in a real application.

use growthbook::{AttributeValue, UserContext};

/// The number of users. The benchmarks use them in turn.
pub(crate) const USERS: usize = 1024;

pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) country: &'static str,
    pub(crate) age: usize,
    pub(crate) plan: &'static str,
    pub(crate) tags: [&'static str; 3],
    pub(crate) version: String,
    pub(crate) email: String,
    pub(crate) company: Company,
}

pub(crate) struct Company {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) region: &'static str,
}

impl Person {
    /// Returns the user with this number.
    pub(crate) fn new(number: usize) -> Self {
        const COUNTRIES: [&str; 8] = ["US", "DE", "CA", "JP", "GB", "BR", "FR", "IN"];
        const PLANS: [&str; 3] = ["free", "pro", "enterprise"];
        let id = id(number);
        Person {
            country: COUNTRIES.get(number % COUNTRIES.len()).copied().unwrap_or_default(),
            age: 18 + number % 60,
            plan: PLANS.get(number % PLANS.len()).copied().unwrap_or_default(),
            tags: ["reader", "beta", "2026"],
            version: format!("3.{}.{}", number % 12, number % 7),
            email: format!("{id}@example.com"),
            company: Company { name: "Example", size: number, region: "eu" },
            id,
        }
    }

    pub(crate) fn context(&self) -> UserContext {
        let company = &self.company;
        UserContext::new(self.id.as_str())
            .attribute("country", self.country)
            .attribute("age", self.age)
            .attribute("plan", self.plan)
            .attribute("tags", self.tags)
            .attribute("version", self.version.as_str())
            .attribute("email", self.email.as_str())
            .attribute(
                "company",
                AttributeValue::object([
                    ("name", company.name.into()),
                    ("size", company.size.into()),
                    ("region", company.region.into()),
                ]),
            )
    }
}

/// Returns all users.
pub(crate) fn people() -> Vec<Person> {
    (0..USERS).map(Person::new).collect()
}

pub(crate) fn id(number: usize) -> String {
    format!("user-{number:06}")
}
