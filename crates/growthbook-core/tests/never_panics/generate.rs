//! Makes JSON text, users and strings from random bytes. Most are plausible, some are wrong.

use growthbook_core::{Attributes, UserContext};

const ATTRIBUTES: [&str; 6] = ["id", "company", "tags", "value", "nested.deep", "tags.0"];
const FEATURES: [&str; 4] = ["f0", "f1", "f2", "f3"];
const GROUPS: [&str; 3] = ["g0", "g1", "g2"];
const BANDITS: [&str; 2] = ["b0", "b1"];
const BRANCHES: [&str; 3] = ["$and", "$or", "$nor"];
const COMPARISONS: [&str; 16] = [
    "$eq",
    "$ne",
    "$lt",
    "$lte",
    "$gt",
    "$gte",
    "$veq",
    "$vne",
    "$vlt",
    "$vlte",
    "$vgt",
    "$vgte",
    "$exists",
    "$type",
    "$size",
    "$unheardOf",
];
const LISTS: [&str; 6] = ["$in", "$nin", "$ini", "$nini", "$all", "$alli"];
const PATTERNS: [&str; 4] = ["$regex", "$regexi", "$notRegex", "$notRegexi"];
const GROUP_OPERATORS: [&str; 2] = ["$inGroup", "$notInGroup"];
const MEMBERS: [&str; 30] = [
    "rules",
    "defaultValue",
    "force",
    "variations",
    "weights",
    "ranges",
    "range",
    "filters",
    "namespace",
    "parentConditions",
    "condition",
    "coverage",
    "hashVersion",
    "hashAttribute",
    "fallbackAttribute",
    "seed",
    "meta",
    "contextualBanditRef",
    "contextualVariations",
    "savedGroups",
    "type",
    "values",
    "attributeKey",
    "contexts",
    "leafId",
    "minBucketVersion",
    "$savedGroup",
    "$savedGroups",
    "$elemMatch",
    "$not",
];
const TEXTS: [&str; 10] =
    ["", "a", "1", "number", "1.2.3-rc.1", "^a+$", "(?<n>a)\\B", "[^\\w]", "a*.example.com", "f0"];
const NUMBERS: [&str; 12] = [
    "0",
    "1",
    "2",
    "0.5",
    "0.25",
    "-1",
    "-0",
    "1e-400",
    "1e308",
    "9007199254740993",
    "18446744073709551616",
    "3",
];

/// Makes choices by bytes. After the last byte every choice is the first one, which is the
/// simplest. So fewer bytes make less text, and proptest can shrink.
pub(crate) struct Draw<'a>(std::slice::Iter<'a, u8>);

impl<'a> Draw<'a> {
    pub(crate) fn from(bytes: &'a [u8]) -> Self {
        Draw(bytes.iter())
    }

    fn below(&mut self, bound: u8) -> u8 {
        self.0.next().copied().unwrap_or(0) % bound
    }

    fn rarely(&mut self) -> bool {
        self.below(24) == 23
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        let index = usize::from(self.below(u8::MAX)) % choices.len();
        choices.get(index).copied().unwrap_or_default()
    }

    /// A string of any kind.
    pub(crate) fn string(&mut self) -> String {
        if self.below(4) < 3 {
            return self.pick(&TEXTS).into();
        }
        (0..self.below(6)).map(|_| self.char()).collect()
    }

    fn char(&mut self) -> char {
        let [plane, high, low] = [self.below(20), self.below(255), self.below(255)].map(u32::from);
        let code = match plane {
            0..=11 => low % 0x80,
            12..=16 => high << 8 | low,
            plane => plane << 16 | high << 8 | low,
        };
        char::from_u32(code).unwrap_or('\u{fffd}')
    }

    fn text(&mut self) -> String {
        if self.rarely() && self.rarely() { r#""\ud800""#.into() } else { quoted(&self.string()) }
    }

    fn number(&mut self) -> String {
        if self.rarely() && self.rarely() { "1e400".into() } else { self.pick(&NUMBERS).into() }
    }

    fn bool(&mut self) -> String {
        (self.below(2) == 1).to_string()
    }

    fn list(&mut self, most: u8, item: impl Fn(&mut Self) -> String) -> String {
        let items: Vec<String> = (0..self.below(most + 1)).map(|_| item(self)).collect();
        format!("[{}]", items.join(","))
    }

    fn object(&mut self, most: u8, member: impl Fn(&mut Self) -> (String, String)) -> String {
        let members: Vec<(String, String)> =
            (0..self.below(most + 1)).map(|_| member(self)).collect();
        object_text(&members)
    }

    /// Any JSON, up to `depth` levels deep.
    pub(crate) fn json(&mut self, depth: u8) -> String {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => "null".into(),
            1 => self.bool(),
            2 => self.number(),
            3 | 4 => self.text(),
            5 => self.list(4, |draw| draw.json(depth - 1)),
            _ => self.object(4, |draw| (draw.name(), draw.json(depth - 1))),
        }
    }

    fn name(&mut self) -> String {
        match self.below(6) {
            0 => self.pick(&ATTRIBUTES).into(),
            1 => self.pick(&COMPARISONS).into(),
            2 => self.pick(&BRANCHES).into(),
            3 | 4 => self.pick(&MEMBERS).into(),
            _ => self.string(),
        }
    }

    /// A valid member, or sometimes any other JSON.
    fn member(&mut self, name: &str, value: impl Fn(&mut Self) -> String) -> (String, String) {
        let value = if self.rarely() { self.json(2) } else { value(self) };
        (name.into(), value)
    }

    pub(crate) fn condition(&mut self, depth: u8) -> String {
        self.object(3, |draw| match draw.below(if depth == 0 { 4 } else { 9 }) {
            0 => (draw.pick(&ATTRIBUTES).into(), draw.json(1)),
            1..=3 => (draw.pick(&ATTRIBUTES).into(), draw.operators(depth)),
            4 | 5 => {
                let name = draw.pick(&BRANCHES);
                draw.member(name, |draw| draw.list(3, |draw| draw.condition(depth - 1)))
            }
            6 => draw.member("$not", |draw| draw.condition(depth - 1)),
            7 => draw.member("$savedGroup", |draw| {
                let id = quoted(draw.pick(&GROUPS));
                format!(r#"{{"id":{id}}}"#)
            }),
            _ => (draw.name(), draw.json(2)),
        })
    }

    fn operators(&mut self, depth: u8) -> String {
        self.object(3, |draw| match draw.below(if depth == 0 { 6 } else { 9 }) {
            0 | 1 => (draw.pick(&COMPARISONS).into(), draw.json(0)),
            2 | 3 => {
                let name = draw.pick(&LISTS);
                draw.member(name, |draw| draw.list(4, |draw| draw.json(1)))
            }
            4 => {
                let name = draw.pick(&PATTERNS);
                draw.member(name, Self::text)
            }
            5 => {
                let name = draw.pick(&GROUP_OPERATORS);
                draw.member(name, |draw| quoted(draw.pick(&GROUPS)))
            }
            6 => draw.member("$not", |draw| draw.operators(depth - 1)),
            7 => draw.member("$elemMatch", |draw| draw.operators(depth - 1)),
            _ => draw.member("$elemMatch", |draw| draw.condition(depth - 1)),
        })
    }

    fn pairs(&mut self) -> String {
        self.list(3, |draw| format!("[{},{}]", draw.number(), draw.number()))
    }

    fn attribute_name(&mut self) -> String {
        quoted(self.pick(&ATTRIBUTES))
    }

    fn parents(&mut self) -> String {
        self.list(2, |draw| {
            let id = quoted(draw.pick(&FEATURES));
            let condition = draw.condition(1);
            let gate = draw.bool();
            format!(r#"{{"id":{id},"condition":{condition},"gate":{gate}}}"#)
        })
    }

    fn experiment_member(&mut self) -> (String, String) {
        match self.below(18) {
            0 => self.member("condition", |draw| draw.condition(2)),
            1 => self.member("parentConditions", Self::parents),
            2 => self.member("coverage", Self::number),
            3 => self.member("weights", |draw| draw.list(3, Self::number)),
            4 => self.member("ranges", Self::pairs),
            5 => self.member("hashVersion", Self::number),
            6 => self.member("hashAttribute", Self::attribute_name),
            7 => self.member("fallbackAttribute", Self::attribute_name),
            8 => self.member("seed", Self::text),
            9 => self.member("key", Self::text),
            10 => self.member("meta", |draw| {
                draw.list(3, |draw| {
                    let (key, passes) = (draw.text(), draw.bool());
                    format!(r#"{{"key":{key},"passthrough":{passes}}}"#)
                })
            }),
            11 => self.member("filters", |draw| {
                draw.list(2, |draw| {
                    let (seed, ranges, version) = (draw.text(), draw.pairs(), draw.number());
                    format!(r#"{{"seed":{seed},"ranges":{ranges},"hashVersion":{version}}}"#)
                })
            }),
            12 => self.member("namespace", |draw| {
                format!("[{},{},{}]", draw.text(), draw.number(), draw.number())
            }),
            13 => self.member("bucketVersion", Self::number),
            14 => self.member("minBucketVersion", Self::number),
            15 => self.member("contextualBanditRef", |draw| quoted(draw.pick(&BANDITS))),
            16 => self.member("contextualVariations", |draw| draw.list(3, |draw| draw.json(1))),
            _ => (self.name(), self.json(2)),
        }
    }

    fn rule(&mut self) -> String {
        let mut members = vec![self.member("id", Self::text)];
        match self.below(4) {
            0 => members.push(self.member("force", |draw| draw.json(2))),
            1 | 2 => members.push(self.member("variations", |draw| draw.list(3, |it| it.json(1)))),
            _ => members.push(self.member("range", |draw| draw.list(2, Self::number))),
        }
        members.extend((0..self.below(7)).map(|_| self.experiment_member()));
        object_text(&members)
    }

    fn feature(&mut self) -> String {
        let members = [
            self.member("defaultValue", |draw| draw.json(2)),
            self.member("rules", |draw| draw.list(3, |draw| draw.rule())),
        ];
        object_text(&members)
    }

    fn saved_group(&mut self) -> String {
        if self.below(4) == 3 {
            return self.list(4, |draw| draw.json(1));
        }
        let kind = self.pick(&["list", "condition", "condition", "remote", "new"]);
        let members = [
            self.member("type", |_| quoted(kind)),
            self.member("attributeKey", Self::attribute_name),
            self.member("values", |draw| draw.list(4, |draw| draw.json(1))),
            self.member("condition", |draw| draw.condition(2)),
        ];
        object_text(&members)
    }

    fn bandit(&mut self) -> String {
        let version = self.number();
        let leaves = self.list(3, |draw| {
            let members = [
                draw.member("leafId", Self::number),
                draw.member("weights", |draw| draw.list(3, Self::number)),
                draw.member("condition", |draw| draw.condition(1)),
            ];
            object_text(&members)
        });
        format!(r#"{{"banditVersion":{version},"contexts":{leaves}}}"#)
    }

    /// A payload of plausible parts.
    pub(crate) fn payload(&mut self) -> String {
        let sections = [
            self.member("features", |draw| {
                let features = FEATURES.map(|key| (key.into(), draw.feature()));
                object_text(&features)
            }),
            self.member("savedGroups", |draw| {
                let groups = GROUPS.map(|id| (id.into(), draw.saved_group()));
                object_text(&groups)
            }),
            self.member("contextualBandits", |draw| {
                let bandits = BANDITS.map(|id| (id.into(), draw.bandit()));
                object_text(&bandits)
            }),
            self.member("experiments", |draw| draw.list(2, |draw| draw.auto_experiment())),
            self.member("dateUpdated", Self::text),
        ];
        object_text(&sections)
    }

    fn auto_experiment(&mut self) -> String {
        let redirect = format!(r#"{{"urlRedirect":{}}}"#, self.text());
        let members = [
            ("key".into(), quoted(self.pick(&FEATURES))),
            self.member("variations", |_| format!(r#"[{{"css":"a"}},{redirect}]"#)),
            self.member("urlPatterns", |_| r#"[{"type":"simple","pattern":"*"}]"#.into()),
            self.member("persistQueryString", Self::bool),
            self.experiment_member(),
        ];
        object_text(&members)
    }

    /// An inline experiment.
    pub(crate) fn experiment(&mut self) -> String {
        let mut members = vec![self.member("variations", |draw| draw.list(3, |it| it.json(1)))];
        for _ in 0..self.below(7) {
            let member = match self.below(9) {
                0 => self.member("active", Self::bool),
                1 => self.member("status", |draw| quoted(draw.pick(&["draft", "stopped", "new"]))),
                2 => self.member("force", Self::number),
                3 => self.member("url", Self::text),
                4 => self.member("urlPatterns", |draw| {
                    draw.list(2, |draw| {
                        let kind = quoted(draw.pick(&["simple", "regex", "new"]));
                        let (pattern, include) = (draw.text(), draw.bool());
                        format!(r#"{{"type":{kind},"pattern":{pattern},"include":{include}}}"#)
                    })
                }),
                _ => self.experiment_member(),
            };
            members.push(member);
        }
        object_text(&members)
    }

    pub(crate) fn attributes(&mut self) -> Attributes {
        let members = ATTRIBUTES.map(|name| (name.to_owned(), self.json(2)));
        let other = (self.string(), self.json(3));
        Attributes::from_json(&object_text(&[&members[..], &[other]].concat())).unwrap_or_default()
    }

    /// A user with the attributes that conditions name.
    pub(crate) fn user(&mut self) -> UserContext {
        let attributes = self.attributes();
        let id = self.string();
        let mut user = UserContext::from_attributes(attributes).attribute("id", id);
        if self.rarely() {
            user = user.forced_feature(self.pick(&FEATURES), self.below(2));
        }
        if self.rarely() {
            user = user.forced_variation(self.pick(&FEATURES), i64::from(self.below(5)) - 1);
        }
        user.url(&self.string())
    }
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn object_text(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    format!("{{{}}}", members.join(","))
}
