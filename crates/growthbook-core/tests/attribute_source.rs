//! Attributes in the caller's own types evaluate like built attributes.

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "never_panics/generate.rs"]
mod generate;

use generate::Draw;
use growthbook_core::condition::Condition;
use growthbook_core::{
    AttributeRef, AttributeSource, GlobalContext, Payload, Snapshot, UserContext,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A user as an application has them.
struct Session<'r> {
    user_id: u64,
    country: &'r str,
    age: Option<u8>,
    score: f64,
    premium: bool,
    tags: Vec<String>,
    sizes: [i32; 2],
    company: Company<'r>,
    /// An attribute value that was built before.
    extra: &'r growthbook_core::AttributeValue,
}

struct Company<'r> {
    name: &'r str,
    employees: u32,
}

impl AttributeSource for Session<'_> {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        Some(match name {
            "id" => self.user_id.into(),
            "country" => self.country.into(),
            "age" => self.age.into(),
            "score" => self.score.into(),
            "premium" => self.premium.into(),
            "tags" => (&self.tags).into(),
            "sizes" => (&self.sizes).into(),
            "company" => AttributeRef::Object(&self.company),
            "extra" => self.extra.into(),
            _ => return None,
        })
    }
}

impl AttributeSource for Company<'_> {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        match name {
            "name" => Some(self.name.into()),
            "employees" => Some(self.employees.into()),
            _ => None,
        }
    }

    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        visitor("name", self.name.into());
        visitor("employees", self.employees.into());
    }
}

#[test]
fn every_kind_of_attribute_is_found() {
    let extra = json!({"a": [1, {"b": "c"}]}).into();
    let session = Session {
        user_id: 7,
        country: "US",
        age: None,
        score: 1.5,
        premium: true,
        tags: vec!["beta".into(), "reader".into()],
        sizes: [2, 40],
        company: Company { name: "Example", employees: 12 },
        extra: &extra,
    };
    let cases = [
        (r#"{"id": 7}"#, true),
        (r#"{"id": "7"}"#, false),
        (r#"{"country": {"$in": ["US", "CA"]}}"#, true),
        (r#"{"country": {"$regex": "^U"}}"#, true),
        (r#"{"age": null}"#, true),
        (r#"{"age": {"$exists": true}}"#, false),
        (r#"{"score": {"$gt": 1}, "premium": true}"#, true),
        (r#"{"tags": {"$in": ["beta"]}}"#, true),
        (r#"{"tags": {"$all": ["beta", "reader"]}}"#, true),
        (r#"{"tags": {"$all": ["beta", "writer"]}}"#, false),
        (r#"{"tags": {"$elemMatch": {"$eq": "reader"}}}"#, true),
        (r#"{"tags": {"$size": 2}}"#, true),
        (r#"{"tags": {"$type": "array"}}"#, true),
        (r#"{"tags": ["beta", "reader"]}"#, true),
        (r#"{"tags": ["reader", "beta"]}"#, false),
        (r#"{"tags.length": 2, "tags.1": "reader"}"#, true),
        (r#"{"tags.2": null}"#, true),
        (r#"{"sizes": {"$elemMatch": {"$gte": 40}}}"#, true),
        (r#"{"sizes": [2, 40]}"#, true),
        (r#"{"company.name": "Example", "company.employees": {"$lt": 50}}"#, true),
        (r#"{"company.owner": null}"#, true),
        (r#"{"company": {"$type": "object"}}"#, true),
        (r#"{"company": {"name": "Example", "employees": 12}}"#, true),
        (r#"{"company": {"employees": 12, "name": "Example"}}"#, true),
        (r#"{"company": {"name": "Example"}}"#, false),
        (r#"{"company": {"name": "Example", "employees": 13}}"#, false),
        (r#"{"extra.a.1.b": "c"}"#, true),
        (r#"{"nothing": {"$exists": false}}"#, true),
    ];
    let snapshot = Snapshot::empty();
    let gb = snapshot.for_source(&session);
    for (text, expected) in cases {
        assert_eq!(gb.eval_condition(&Condition::from_json(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn source_comes_before_user_before_globals() {
    let source: Map<String, Value> =
        [("a".into(), 1.into()), ("none".into(), Value::Null)].into_iter().collect();
    let user = UserContext::new("user-1").attribute("a", 2).attribute("b", 2).attribute("none", 2);
    let globals = GlobalContext::new().attributes(json!({"a": 3, "b": 3, "c": 3}));
    let snapshot = Snapshot::empty();
    let gb = snapshot.for_user_with(&globals, &user).with_source(&source);
    let condition = r#"{"a": 1, "b": 2, "c": 3, "none": null, "id": "user-1"}"#;
    assert!(gb.eval_condition(&Condition::from_json(condition).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_map_as_source_evaluates_like_attributes(
        bytes in vec(any::<u8>(), 0..1_500),
    ) {
        let mut draw = Draw::from(&bytes);
        let (user, text) = (draw.user(), draw.payload());
        let map: Map<String, Value> =
            user.attributes().iter().map(|(name, value)| (name.into(), value.to_json())).collect();
        let built = UserContext::from_attributes(map.clone());
        let Ok(payload) = Payload::from_json(&text) else { return Ok(()) };
        let snapshot = payload.compile();
        let (sourced, built) = (snapshot.for_source(&map), snapshot.for_user(&built));
        for key in snapshot.feature_keys() {
            let results = [sourced, built].map(|gb| json!(gb.eval_feature(key)));
            prop_assert_eq!(&results[0], &results[1], "{} of {}", key, text);
        }
        prop_assert_eq!(sourced.sticky_keys(), built.sticky_keys());
    }
}
