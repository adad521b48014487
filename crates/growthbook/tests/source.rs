//! A client and users whose attributes are in the application's own types.

use std::sync::{Arc, Mutex};

use growthbook::{AttributeRef, AttributeSource, Client, FeatureKey, UserContext, UserScope};

const PAYLOAD: &str = r#"{"features": {
    "targeted": {"defaultValue": false, "rules": [
        {"condition": {"country": {"$in": ["US", "CA"]}, "age": {"$gte": 18}}, "force": true}
    ]},
    "tagged": {"defaultValue": 1, "rules": [
        {"condition": {"tags": {"$elemMatch": {"$eq": "beta"}}}, "force": 2}
    ]},
    "experiment": {"defaultValue": "none", "rules": [
        {"key": "experiment", "hashVersion": 2, "variations": ["control", "treatment"]}
    ]}
}}"#;

struct Session {
    user_id: String,
    country: &'static str,
    age: u8,
    tags: [&'static str; 2],
}

impl AttributeSource for Session {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        Some(match name {
            "id" => (&self.user_id).into(),
            "country" => self.country.into(),
            "age" => self.age.into(),
            "tags" => (&self.tags).into(),
            _ => return None,
        })
    }

    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        visitor("id", (&self.user_id).into());
        visitor("country", self.country.into());
    }
}

fn session() -> Session {
    Session { user_id: "user-1".into(), country: "US", age: 31, tags: ["reader", "beta"] }
}

static TARGETED: FeatureKey = FeatureKey::new("targeted");

fn ask(gb: &UserScope<'_>) {
    assert!(gb.is_on("targeted") && gb.is_on(&TARGETED) && !gb.is_off("targeted"));
    assert_eq!(gb.feature_value("tagged", 0), 2);
    assert_ne!(gb.feature_value("experiment", "fallback"), "none");
}

#[test]
fn scope_on_a_source_allocates_nothing() {
    let client = Client::from_json(PAYLOAD).expect("a payload");
    let session = session();
    // The first scope of a thread registers it with the client.
    ask(&client.for_source(&session));
    let measured = allocation_counter::measure(|| ask(&client.for_source(&session)));
    assert_eq!(measured.count_total, 0);
}

#[test]
fn reported_exposures_on_a_source_allocate_nothing() {
    let client = Client::embedded()
        .payload(PAYLOAD)
        .on_experiment_viewed(|_| {})
        .build()
        .expect("a payload");
    let session = session();
    ask(&client.for_source(&session));
    let measured = allocation_counter::measure(|| ask(&client.for_source(&session)));
    assert_eq!(measured.count_total, 0);
}

#[test]
fn callbacks_receive_the_shown_attributes() {
    let received = Arc::new(Mutex::new(Vec::new()));
    let attributes = received.clone();
    let client = Client::embedded()
        .payload(PAYLOAD)
        .on_experiment_viewed(move |viewed| {
            attributes.lock().expect("a list").push(viewed.user.attributes());
        })
        .build()
        .expect("a payload");
    let user = UserContext::default().attribute("plan", "pro");
    ask(&client.for_user(user).with_source(&session()));
    let received = received.lock().expect("a list");
    let attributes: Vec<(&str, String)> = received
        .iter()
        .flat_map(|it| it.iter())
        .map(|(name, value)| (name, value.to_json().to_string()))
        .collect();
    let expected = [("country", r#""US""#), ("id", r#""user-1""#), ("plan", r#""pro""#)];
    assert_eq!(attributes, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn source_that_panics_in_visit_shows_the_rest() {
    struct Shy;
    impl AttributeSource for Shy {
        fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
            (name == "id").then_some("user-1".into())
        }

        fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
            visitor("id", "user-1".into());
            panic!("not to be shown");
        }
    }

    let viewed = Arc::new(Mutex::new(Vec::new()));
    let seen = viewed.clone();
    let client = Client::embedded()
        .payload(PAYLOAD)
        .on_experiment_viewed(move |viewed| {
            let attributes = viewed.user.attributes();
            let names = attributes.iter().map(|(name, _)| name.to_owned());
            seen.lock().expect("unpoisoned").extend(names);
        })
        .build()
        .expect("a payload");
    assert_ne!(client.for_source(&Shy).feature_value("experiment", "fallback"), "fallback");
    assert_eq!(*viewed.lock().expect("unpoisoned"), ["id"]);
}

#[test]
fn source_that_panics_counts_as_missing() {
    struct Broken;
    impl AttributeSource for Broken {
        fn attribute(&self, _: &str) -> Option<AttributeRef<'_>> {
            panic!("on purpose");
        }
    }

    let client = Client::from_json(PAYLOAD).expect("a payload");
    let user = UserContext::new("user-1").attribute("country", "US").attribute("age", 31);
    let gb = client.for_user(user).with_source(&Broken);
    assert!(gb.is_on("targeted"));
    assert_eq!(gb.feature_value("tagged", 0), 1);
    assert_ne!(gb.feature_value("experiment", "fallback"), "none");
}

#[test]
fn source_combines_with_the_user_settings() {
    let client = Client::from_json(PAYLOAD).expect("a payload");
    let session = session();
    let user = UserContext::default().forced_feature("tagged", 3);
    let gb = client.for_user(user).with_source(&session);
    assert!(gb.is_on("targeted"));
    assert_eq!(gb.feature_value("tagged", 0), 3);
}

#[cfg(feature = "sticky")]
#[test]
fn sticky_buckets_are_those_of_the_source() {
    use growthbook::sticky::MemoryStickyBucketStore;

    let client = Client::embedded()
        .payload(PAYLOAD)
        .sticky_bucket_store(MemoryStickyBucketStore::default())
        .build()
        .expect("a payload");
    let session = session();
    ask(&client.for_source(&session));
    // Another scope, so that this one's documents come from the store.
    let gb = client.for_source(&session);
    let buckets = gb.sticky_buckets().expect("sticky bucketing");
    let document = buckets.get("id", "user-1").expect("an assignment was saved");
    assert!(document.assignments.contains_key("experiment__0"));
}
