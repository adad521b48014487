//! Reading flags from JSON.

mod definition;
pub(crate) mod entry;

use std::collections::BTreeSet;

use growthbook_core::encryption::DecryptionKey;
use growthbook_core::warning::Location;
use growthbook_core::{Payload, PayloadError};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::flag::{Flags, Warning};

impl Flags {
    /// Reads flags from JSON in one of these forms:
    ///
    /// - a payload, as SDKs get it: `{"features": {"<key>": {"defaultValue": ..}}}`,
    /// - a file of features: `{"<key>": {"defaultValue": ..}}`,
    /// - a list of the REST API: `{"features": [{"id": "<key>", ..}]}`, or only the list itself.
    ///
    /// # Errors
    ///
    /// The bytes are not JSON, have another form, or have encrypted features.
    pub fn from_json(bytes: impl AsRef<[u8]>) -> Result<Self, Error> {
        read(bytes.as_ref(), None)
    }

    /// Reads flags like [`from_json`](Flags::from_json). If the features of a payload are encrypted,
    /// they are decrypted with this key.
    ///
    /// # Errors
    ///
    /// The bytes are not JSON, have another form, or the key does not decrypt the features.
    pub fn from_encrypted_json(
        bytes: impl AsRef<[u8]>,
        key: &DecryptionKey,
    ) -> Result<Self, Error> {
        read(bytes.as_ref(), Some(key))
    }
}

fn read(bytes: &[u8], key: Option<&DecryptionKey>) -> Result<Flags, Error> {
    match form(bytes)? {
        Form::Payload => of_payload(bytes, key),
        Form::Features => {
            let wrapped = [br#"{"features":"#.as_slice(), bytes, b"}"].concat();
            of_payload(&wrapped, key)
        }
        Form::Entries(entries) => {
            let mut flags = Flags::default();
            entries.iter().for_each(|entry| entry::add(&mut flags, entry));
            Ok(flags)
        }
    }
}

/// The form of a document.
enum Form {
    Payload,
    Features,
    Entries(Vec<Value>),
}

fn form(bytes: &[u8]) -> Result<Form, Error> {
    // A number that is out of range must not make the whole document unreadable. Such a document can
    // only be a payload or a file of features, which the core reads entry by entry.
    let Ok(document) = serde_json::from_slice(bytes) else { return form_of_text(bytes) };
    match document {
        Value::Array(entries) if entries.iter().all(is_entry) => Ok(Form::Entries(entries)),
        Value::Object(mut object) => match object.remove("features") {
            Some(Value::Array(entries)) if entries.iter().all(is_entry) => {
                Ok(Form::Entries(entries))
            }
            Some(_) => Ok(Form::Payload),
            None if object.contains_key("encryptedFeatures") => Ok(Form::Payload),
            None if is_features(&object) => Ok(Form::Features),
            None => Err(Error::UnknownForm),
        },
        _ => Err(Error::UnknownForm),
    }
}

/// Decides the form of a document that `serde_json` does not read as a whole.
fn form_of_text(bytes: &[u8]) -> Result<Form, Error> {
    match Payload::from_json(bytes) {
        Ok(_) | Err(PayloadError::MissingDecryptionKey) => Ok(Form::Payload),
        Err(PayloadError::MissingFeatures) => Ok(Form::Features),
        Err(error) => Err(error.into()),
    }
}

/// Whether an object has definitions of features. Any other reply of a server has members of other
/// types.
fn is_features(object: &Map<String, Value>) -> bool {
    !object.is_empty() && object.values().all(Value::is_object)
}

fn is_entry(value: &Value) -> bool {
    value.get("id").is_some_and(Value::is_string)
}

fn of_payload(bytes: &[u8], key: Option<&DecryptionKey>) -> Result<Flags, Error> {
    let payload = match key {
        Some(key) => Payload::from_encrypted_json(bytes, key)?,
        None => Payload::from_json(bytes)?,
    };
    let mut flags = Flags::default();
    let mut unreadable = BTreeSet::new();
    for (key, definition) in &payload.features() {
        match definition {
            Value::Object(members) if has_finite_numbers(definition) => {
                flags.insert(definition::flag(key, members));
            }
            _ => {
                unreadable.insert(key.clone());
            }
        }
    }
    let snapshot = payload.compile();
    let left_out = snapshot.warnings().iter().filter_map(|warning| match &warning.location {
        Location::Feature(key) => Some(&**key),
        _ => None,
    });
    for key in snapshot.feature_keys().chain(left_out) {
        if flags.get(key).is_none() {
            unreadable.insert(key.to_owned());
        }
    }
    flags.warnings.extend(unreadable.into_iter().map(|key| Warning::Unreadable { key }));
    Ok(flags)
}

/// Whether all numbers fit a double. `serde_json` reads no others, unless a crate of the program turns
/// on its feature `arbitrary_precision`.
fn has_finite_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(f64::is_finite),
        Value::Array(items) => items.iter().all(has_finite_numbers),
        Value::Object(members) => members.values().all(has_finite_numbers),
        _ => true,
    }
}
