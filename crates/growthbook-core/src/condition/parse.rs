//! The parser that compiles JSON to the tree. It cannot fail: a malformed part becomes a part that
//! does not pass, with a warning.

use alloc::{boxed::Box, string::ToString, vec::Vec};

use super::groups::{GroupId, GroupLinker, GroupReference, SavedGroup};
use super::operator::{Comparison, ElemMatch, InsensitiveTest, Operator, Scalar};
use super::path::Path;
use super::tree::{Clause, Clauses, Literal, ValueTest};
use super::value_set::ValueSet;
use crate::attributes::Kind;
use crate::json::{Json, Object};
use crate::pattern::PatternCompiler;
use crate::warning::WarningKind;
use crate::wire::{GroupReferenceWire, SavedGroupWire};

/// Compiles conditions, links the saved groups they name, and collects warnings.
pub(crate) struct ConditionParser<'p> {
    link_group: Option<GroupLinker<'p>>,
    patterns: &'p PatternCompiler,
    warnings: &'p mut Vec<WarningKind>,
}

impl<'p> ConditionParser<'p> {
    /// Makes a parser. Without `link_group`, evaluation looks groups up by id.
    pub(crate) fn new(
        link_group: Option<GroupLinker<'p>>,
        patterns: &'p PatternCompiler,
        warnings: &'p mut Vec<WarningKind>,
    ) -> Self {
        ConditionParser { link_group, patterns, warnings }
    }

    /// Compiles a condition. For a value that is not an object, each evaluation that reaches it
    /// fails.
    pub(crate) fn condition(&mut self, json: &Json<'_>) -> Clauses {
        match json {
            Json::Object(object) => {
                Clauses(object.iter().map(|(key, operand)| self.clause(key, operand)).collect())
            }
            _ => {
                self.warnings.push(WarningKind::MalformedCondition);
                Clauses::malformed()
            }
        }
    }

    fn clause(&mut self, key: &str, operand: &Json<'_>) -> Clause {
        match key {
            "$or" => self.branches(operand).map_or(Clause::Malformed, Clause::Or),
            "$nor" => self.branches(operand).map_or(Clause::Malformed, Clause::Nor),
            "$and" => self.branches(operand).map_or(Clause::Malformed, Clause::And),
            "$not" => Clause::Not(self.condition(operand)),
            "$savedGroup" => {
                let reference = self.group_reference(operand).map(Box::new);
                reference.map_or(Clause::Never, Clause::SavedGroup)
            }
            "$savedGroups" => Clause::Never,
            path => Clause::Attribute(Path::new(path), self.value_test(operand)),
        }
    }

    fn branches(&mut self, operand: &Json<'_>) -> Option<Box<[Clauses]>> {
        let Some(branches) = operand.as_array() else {
            self.warnings.push(WarningKind::MalformedCondition);
            return None;
        };
        Some(branches.iter().map(|branch| self.condition(branch)).collect())
    }

    fn group_reference(&mut self, operand: &Json<'_>) -> Option<GroupReference> {
        let reference = GroupReferenceWire::of(operand.as_object()?);
        let group = self.group_id(reference.id.get()?)?;
        let attribute = match reference.attribute_key.get() {
            None => None,
            Some(key) => {
                let key = key.as_str()?;
                Some((key.into(), Path::new(key)))
            }
        };
        Some(GroupReference { group, attribute })
    }

    fn group_id(&self, operand: &Json<'_>) -> Option<GroupId> {
        let id = operand.as_str()?;
        Some(match self.link_group.and_then(|link| link(id)) {
            Some(index) => GroupId::Linked(index),
            None => GroupId::Named(id.into()),
        })
    }

    fn value_test(&mut self, json: &Json<'_>) -> ValueTest {
        match json {
            Json::Object(object) if is_operator_object(object) => self.operators(object),
            literal => ValueTest::Equals(Literal::new(literal)),
        }
    }

    fn operators(&mut self, object: &Object<'_>) -> ValueTest {
        let mut members = object.iter();
        match (members.next(), members.next()) {
            (Some((name, operand)), None) => ValueTest::Operator(self.operator(name, operand)),
            _ => {
                let mut operators: Vec<Operator> = Vec::with_capacity(object.len());
                for (name, operand) in object.iter() {
                    let operator = self.operator(name, operand);
                    // One unknown operator has the effect of several. So a test has few operators.
                    let is_unknown = |it: &Operator| matches!(it, Operator::Unknown);
                    if !(is_unknown(&operator) && operators.iter().any(is_unknown)) {
                        operators.push(operator);
                    }
                }
                ValueTest::Operators(operators.into())
            }
        }
    }

    fn value_tests(&mut self, operand: &Json<'_>) -> Option<Box<[ValueTest]>> {
        Some(operand.as_array()?.iter().map(|item| self.value_test(item)).collect())
    }

    fn operator(&mut self, name: &str, operand: &Json<'_>) -> Operator {
        let order = |comparison| Operator::Order { comparison, operand: scalar(operand) };
        let version = |comparison| Operator::Version { comparison, operand: scalar(operand) };
        match name {
            "$eq" => equality(operand, false),
            "$ne" => equality(operand, true),
            "$lt" => order(Comparison::Less),
            "$lte" => order(Comparison::LessOrEqual),
            "$gt" => order(Comparison::Greater),
            "$gte" => order(Comparison::GreaterOrEqual),
            "$veq" => version(Comparison::Equal),
            "$vne" => version(Comparison::NotEqual),
            "$vlt" => version(Comparison::Less),
            "$vlte" => version(Comparison::LessOrEqual),
            "$vgt" => version(Comparison::Greater),
            "$vgte" => version(Comparison::GreaterOrEqual),
            "$exists" => Operator::Exists { negate: !operand.is_truthy() },
            "$type" => Operator::Type(operand.as_str().and_then(Kind::from_name)),
            "$in" => membership(operand, false),
            "$nin" => membership(operand, true),
            "$ini" => membership_insensitive(operand, false),
            "$nini" => membership_insensitive(operand, true),
            "$inGroup" => self.in_group(operand, false),
            "$notInGroup" => self.in_group(operand, true),
            "$regex" => self.regex(operand, false, false),
            "$regexi" => self.regex(operand, true, false),
            "$notRegex" => self.regex(operand, false, true),
            "$notRegexi" => self.regex(operand, true, true),
            "$all" => self.value_tests(operand).map_or(Operator::Never, Operator::All),
            "$alli" => self.insensitive_tests(operand),
            "$size" => Operator::Size(Box::new(self.value_test(operand))),
            "$elemMatch" => Operator::ElemMatch(Box::new(self.elem_match(operand))),
            "$not" => Operator::Not(Box::new(self.value_test(operand))),
            "$or" | "$and" | "$nor" | "$savedGroup" => Operator::Never,
            unknown => {
                self.warnings.push(WarningKind::UnknownOperator(unknown.into()));
                Operator::Unknown
            }
        }
    }

    fn insensitive_tests(&mut self, operand: &Json<'_>) -> Operator {
        let Some(items) = operand.as_array() else {
            return Operator::Never;
        };
        let test = |item: &Json<'_>| match item {
            Json::String(text) => InsensitiveTest::Text(text.to_lowercase().into()),
            other => InsensitiveTest::Other(self.value_test(other)),
        };
        Operator::AllInsensitive(items.iter().map(test).collect())
    }

    fn in_group(&mut self, operand: &Json<'_>, negate: bool) -> Operator {
        match self.group_id(operand) {
            Some(group) => Operator::InGroup { group, negate },
            None => Operator::Never,
        }
    }

    /// Compiles a pattern. A pattern that JavaScript rejects never matches. For a pattern that only
    /// this SDK cannot run, the outcome is unknown, so that users do not pass a negated test.
    fn regex(&mut self, operand: &Json<'_>, ignore_case: bool, negate: bool) -> Operator {
        let Some(source) = operand.as_str() else {
            return Operator::Regex { pattern: None, negate };
        };
        match self.patterns.compile(source, ignore_case) {
            Ok(pattern) => Operator::Regex { pattern: Some(pattern), negate },
            Err(error) => {
                let reason = error.to_string().into();
                self.warnings.push(WarningKind::Regex { pattern: source.into(), reason });
                if error.is_syntax() {
                    Operator::Regex { pattern: None, negate }
                } else {
                    Operator::Unknown
                }
            }
        }
    }

    fn elem_match(&mut self, operand: &Json<'_>) -> ElemMatch {
        match operand {
            Json::Object(object) if tests_elements(object) => {
                ElemMatch::Value(self.value_test(operand))
            }
            Json::Object(_) => ElemMatch::Properties(self.condition(operand)),
            _ => {
                self.warnings.push(WarningKind::MalformedCondition);
                ElemMatch::Malformed
            }
        }
    }

    /// Compiles an entry of `savedGroups`.
    pub(crate) fn saved_group(&mut self, id: &str, entry: &Json<'_>) -> SavedGroup {
        let object = match entry {
            Json::Array(values) => return SavedGroup::LegacyList(ValueSet::new(values)),
            Json::Object(object) => object,
            _ => {
                self.warnings.push(WarningKind::MalformedSavedGroup);
                return SavedGroup::Malformed;
            }
        };
        let wire = SavedGroupWire::of(object);
        let attribute = wire.attribute_key.as_str();
        let group = match wire.kind.as_str() {
            Some("list") => SavedGroup::List {
                attribute: attribute.map(Path::new),
                values: wire.values.as_array().map(ValueSet::new),
            },
            Some("condition") => SavedGroup::Condition(
                wire.condition
                    .get()
                    .filter(|condition| condition.as_object().is_some())
                    .map(|condition| self.condition(condition)),
            ),
            Some("remote") => {
                SavedGroup::Remote { id: id.into(), attribute: attribute.map(Box::from) }
            }
            _ => SavedGroup::Unknown,
        };
        match group {
            SavedGroup::Unknown => self.warnings.push(WarningKind::UnknownSavedGroupType),
            SavedGroup::List { values: None, .. } | SavedGroup::Condition(None) => {
                self.warnings.push(WarningKind::MalformedSavedGroup);
            }
            _ => {}
        }
        group
    }
}

/// Whether every key starts with `$`. `{}` is an operator object, too.
fn is_operator_object(object: &Object<'_>) -> bool {
    object.iter().all(|(key, _)| key.starts_with('$'))
}

/// Whether `$elemMatch` tests the elements themselves: its operand only has operators on values.
fn tests_elements(object: &Object<'_>) -> bool {
    is_operator_object(object)
        && !object.iter().any(|(key, _)| matches!(key, "$or" | "$and" | "$nor" | "$savedGroup"))
}

fn equality(operand: &Json<'_>, negate: bool) -> Operator {
    match Literal::new(operand) {
        operand @ Literal::LongString(_) => Operator::EqualLong { operand, negate },
        _ => Operator::Equal { operand: scalar(operand), negate },
    }
}

fn scalar(operand: &Json<'_>) -> Scalar {
    match operand {
        Json::Array(_) | Json::Object(_) => Scalar::Container,
        literal => Scalar::Literal(Literal::new(literal)),
    }
}

fn membership(operand: &Json<'_>, negate: bool) -> Operator {
    match operand.as_array() {
        Some(list) => Operator::In { values: ValueSet::new(list), negate },
        None => Operator::Never,
    }
}

fn membership_insensitive(operand: &Json<'_>, negate: bool) -> Operator {
    match operand.as_array() {
        Some(list) => Operator::InInsensitive { values: ValueSet::lowercase(list), negate },
        None => Operator::Never,
    }
}
