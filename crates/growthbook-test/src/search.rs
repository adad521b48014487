//! The search of a user for a variation.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;

use growthbook::auto::AutoExperimentOptions;
use growthbook::observe::{Exposure, Observer};
use growthbook::{Client, Evaluator, Experiment, UserContext};
use growthbook_support::nearest;
use serde_json::{Map, Value};

/// The number of users that a search tries at most.
pub const MAX_TRIED_USERS: usize = 10_000;

/// There is no user for a variation. The text says why.
///
/// `Debug` prints the text, so that `unwrap` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct NoUser(String);

impl fmt::Display for NoUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for NoUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for NoUser {}

/// Searches a user for an experiment of the payload.
pub(crate) fn in_payload(
    client: &Client,
    user: &UserContext,
    experiment: &str,
    variation: &str,
) -> Result<UserContext, NoUser> {
    let document: Value =
        serde_json::from_str(&client.payload().to_json_string()).unwrap_or_default();
    let places = Place::all_in(&document);
    let found: Vec<&Place<'_>> = places.iter().filter(|it| it.experiment == experiment).collect();
    let Some(first) = found.first() else {
        return Err(no_experiment(experiment, &places));
    };
    if !found.iter().any(|place| place.has_variation(variation)) {
        return Err(no_variation(experiment, variation, first));
    }
    let wanted = Wanted::Named(variation);
    search(client, user, first.hash_attribute, experiment, &wanted, |evaluator, watch| {
        for place in &found {
            match place.feature {
                Some(feature) => {
                    evaluator.observed(&mut *watch).eval_feature(feature);
                }
                None => {
                    let options = AutoExperimentOptions::default();
                    evaluator.observed(&mut *watch).run_auto_experiments(&options);
                }
            }
        }
    })
}

/// Searches a user for an experiment that is declared in code.
pub(crate) fn in_code<T>(
    client: &Client,
    experiment: &Experiment<T>,
    variation: usize,
) -> Result<UserContext, NoUser> {
    let key = experiment.definition().key();
    let count = experiment.variations().len();
    if variation >= count {
        return Err(NoUser(format!(
            "experiment {key:?} has no variation {variation}: it has {count}, from 0"
        )));
    }
    let attribute = experiment.definition().hash_attribute();
    let wanted = Wanted::At(variation);
    search(client, &UserContext::default(), attribute, key, &wanted, |evaluator, watch| {
        evaluator.observed(watch).run(experiment);
    })
}

/// A place in a payload where an experiment runs.
struct Place<'p> {
    experiment: &'p str,
    /// `None` for an auto experiment.
    feature: Option<&'p str>,
    hash_attribute: &'p str,
    variations: Vec<Label<'p>>,
}

/// The names of a variation.
struct Label<'p> {
    key: String,
    /// Its value, if that is a string.
    value: Option<&'p str>,
}

impl<'p> Place<'p> {
    fn all_in(document: &'p Value) -> Vec<Self> {
        let mut places = Vec::new();
        for (key, feature) in document["features"].as_object().into_iter().flatten() {
            for rule in list(&feature["rules"]).filter_map(Value::as_object) {
                places.extend(Place::of(rule, Some(key)));
            }
        }
        let own = list(&document["experiments"]).filter_map(Value::as_object);
        places.extend(own.filter_map(|experiment| Place::of(experiment, None)));
        places
    }

    /// Returns the experiment of a rule, or of an entry of `experiments`.
    fn of(members: &'p Map<String, Value>, feature: Option<&'p str>) -> Option<Self> {
        let text = |name: &str| members.get(name)?.as_str().filter(|text| !text.is_empty());
        let values = members.get("contextualVariations").or_else(|| members.get("variations"))?;
        let meta: Vec<&Value> = members.get("meta").into_iter().flat_map(list).collect();
        let label = |(index, value): (usize, &'p Value)| {
            let key = meta.get(index).and_then(|meta| meta["key"].as_str());
            let key = key.map_or_else(|| index.to_string(), str::to_owned);
            Label { key, value: value.as_str() }
        };
        Some(Place {
            experiment: text("key").or(feature)?,
            feature,
            hash_attribute: text("hashAttribute").unwrap_or("id"),
            variations: list(values).enumerate().map(label).collect(),
        })
    }

    fn has_variation(&self, name: &str) -> bool {
        self.variations.iter().any(|it| it.key == name || it.value == Some(name))
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn no_experiment(experiment: &str, places: &[Place<'_>]) -> NoUser {
    // Sorted: the order of a JSON object depends on the features of `serde_json`.
    let keys: BTreeSet<&str> = places.iter().map(|place| place.experiment).collect();
    let keys = || keys.iter().copied();
    let hint = match nearest(experiment, keys()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if places.is_empty() => "it has no experiments".into(),
        None => format!("it has {}", quoted(keys())),
    };
    NoUser(format!("the payload has no experiment {experiment:?}: {hint}"))
}

fn no_variation(experiment: &str, variation: &str, place: &Place<'_>) -> NoUser {
    let keys = place.variations.iter().map(|it| &*it.key);
    NoUser(format!(
        "experiment {experiment:?} has no variation {variation:?}: it has {}",
        quoted(keys)
    ))
}

fn quoted<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ")
}

/// The variation that is searched.
enum Wanted<'w> {
    /// By its key, or by its value.
    Named(&'w str),
    /// By its index.
    At(usize),
}

impl Wanted<'_> {
    fn is(&self, exposure: &Exposure<'_>) -> bool {
        match self {
            Wanted::At(index) => exposure.result.variation_id == *index,
            Wanted::Named(name) => {
                exposure.result.key == *name || exposure.value.is_some_and(|value| value == name)
            }
        }
    }
}

/// Watches the experiment during evaluations, and counts the outcomes.
struct Watch<'w> {
    experiment: &'w str,
    wanted: &'w Wanted<'w>,
    is_found: bool,
    /// How often each outcome was seen.
    outcomes: BTreeMap<String, usize>,
}

impl Observer for Watch<'_> {
    fn wants_results(&self) -> bool {
        true
    }

    fn experiment_ran(&mut self, ran: &Exposure<'_>) {
        if ran.experiment.key() != self.experiment {
            return;
        }
        let outcome = match ran.result.exclusion {
            None if self.wanted.is(ran) => {
                self.is_found = true;
                return;
            }
            None => format!("got variation {:?}", ran.result.key),
            Some(exclusion) => format!("did not take part: {exclusion}"),
        };
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    fn wants_feature_usage(&self) -> bool {
        false
    }
}

/// Tries users who differ in one attribute. A user who has it already is the only one to try.
fn search(
    client: &Client,
    user: &UserContext,
    attribute: &str,
    experiment: &str,
    wanted: &Wanted<'_>,
    evaluate: impl Fn(Evaluator<'_>, &mut Watch<'_>),
) -> Result<UserContext, NoUser> {
    let (snapshot, globals) = (client.snapshot(), client.globals());
    let mut watch = Watch { experiment, wanted, is_found: false, outcomes: BTreeMap::new() };
    let is_given = user.attributes().get(attribute).is_some();
    let count = if is_given { 1 } else { MAX_TRIED_USERS };
    for number in 1..=count {
        let candidate = match is_given {
            true => user.clone(),
            false => user.clone().attribute(attribute, format!("user-{number}")),
        };
        evaluate(snapshot.for_user_with(&globals, &candidate), &mut watch);
        if watch.is_found {
            return Ok(candidate);
        }
    }
    Err(no_user(experiment, attribute, wanted, count, &watch.outcomes))
}

fn no_user(
    experiment: &str,
    attribute: &str,
    wanted: &Wanted<'_>,
    tried: usize,
    outcomes: &BTreeMap<String, usize>,
) -> NoUser {
    let variation = match wanted {
        Wanted::Named(name) => format!("{name:?}"),
        Wanted::At(index) => index.to_string(),
    };
    let mut text = format!(
        "no user gets variation {variation} of experiment {experiment:?}, of {tried} with \
         different values of {attribute:?}:"
    );
    let ran: usize = outcomes.values().sum();
    for (outcome, count) in outcomes {
        text += &format!("\n  {count} {outcome}");
    }
    if ran < tried {
        let missing = tried - ran;
        text += &format!(
            "\n  {missing} did not reach the experiment: another rule of the feature decided, or a \
             prerequisite failed"
        );
    }
    text += "\nGive the user the attributes that the rule needs, with user_like";
    NoUser(text)
}
