//! A payload to reduce, with the options.

use growthbook_core::Attributes;
use growthbook_core::reduce::{PayloadFilters, PrerequisiteMode, ReduceOptions};
use serde_json::{Map, Value};

use crate::case::{Mismatch, members};

/// The members of a case of the suite `reducePayload`.
pub(crate) struct Reduction {
    /// The case's own JSON: the payload and the options.
    pub(crate) text: String,
    /// The payload's document.
    pub(crate) payload: String,
    pub(crate) options: ReduceOptions,
}

impl Reduction {
    pub(crate) fn parse(case: &str) -> Result<Self, Mismatch> {
        let mut payload = None;
        let mut options = ReduceOptions::new();
        for (name, value) in members(case).map_err(shape)? {
            let text = value.get();
            options = match name.as_str() {
                "payload" => {
                    payload = Some(text.to_owned());
                    options
                }
                "attributes" => options.attributes(Attributes::from_json(text).map_err(shape)?),
                "globalAttributes" => {
                    options.global_attributes(Attributes::from_json(text).map_err(shape)?)
                }
                "include" => options.include(filters(text)?),
                "exclude" => options.exclude(filters(text)?),
                "prerequisites" => options.prerequisites(prerequisites(text)?),
                other => return Err(Mismatch::Shape(format!("{other:?} is not an option"))),
            };
        }
        match payload {
            Some(payload) => Ok(Reduction { text: case.to_owned(), payload, options }),
            None => Err(Mismatch::Shape("the member payload is missing".into())),
        }
    }
}

fn shape(error: serde_json::Error) -> Mismatch {
    Mismatch::Shape(format!("reduction: {error}"))
}

fn filters(text: &str) -> Result<PayloadFilters, Mismatch> {
    let mut filters = PayloadFilters::new();
    for (name, value) in members(text).map_err(shape)? {
        filters = match name.as_str() {
            "projects" => filters.projects(list(value.get())?),
            "tags" => filters.tags(list(value.get())?),
            "customFields" => {
                let fields: Map<String, Value> =
                    serde_json::from_str(value.get()).map_err(shape)?;
                fields.into_iter().try_fold(filters, |filters, (field, values)| {
                    Ok(filters.custom_field(field, list(&values.to_string())?))
                })?
            }
            other => return Err(Mismatch::Shape(format!("{other:?} is not a filter"))),
        };
    }
    Ok(filters)
}

fn list(text: &str) -> Result<Vec<Value>, Mismatch> {
    serde_json::from_str(text).map_err(shape)
}

fn prerequisites(text: &str) -> Result<PrerequisiteMode, Mismatch> {
    match text {
        r#""keep""# => Ok(PrerequisiteMode::Keep),
        r#""filter""# => Ok(PrerequisiteMode::Filter),
        other => Err(Mismatch::Shape(format!(
            "prerequisites must be \"keep\" or \"filter\", not {other}"
        ))),
    }
}
