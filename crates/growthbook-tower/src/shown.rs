//! What a browser may see of a user.

use growthbook::{Attributes, UserScope};
use serde_json::Value;

use crate::attributes;
use crate::options::Settings;

/// The attributes that a browser may see: those that it has by itself, and those that the
/// application shows.
pub(crate) struct Shown<'s>(&'s Settings);

/// The attributes of a user.
pub(crate) struct Divided {
    /// The attributes that the browser gets, with the global ones that it may see.
    pub(crate) shown: Attributes,
    /// The user's attributes that it does not get.
    pub(crate) hidden: Attributes,
    /// The global attributes that it does not get.
    pub(crate) hidden_globals: Attributes,
}

impl<'s> Shown<'s> {
    pub(crate) fn new(settings: &'s Settings) -> Self {
        Shown(settings)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        let id = self.0.id_cookie.as_ref().map_or("id", |cookie| cookie.attribute_name());
        name == id || self.0.shown.contains(name) || attributes::names().any(|it| it == name)
    }

    /// Divides the attributes of a user.
    pub(crate) fn divide(&self, scope: &UserScope<'_>, globals: &Attributes) -> Divided {
        let mut divided = Divided {
            shown: Attributes::new(),
            hidden: Attributes::new(),
            hidden_globals: Attributes::new(),
        };
        for (name, value) in globals.iter() {
            let into =
                if self.contains(name) { &mut divided.shown } else { &mut divided.hidden_globals };
            into.insert(name, value);
        }
        for (name, value) in scope.user().attributes().iter() {
            let into = if self.contains(name) { &mut divided.shown } else { &mut divided.hidden };
            into.insert(name, value);
        }
        divided
    }

    /// Removes from an experiment, as JSON, what the browser does not need: conditions may have
    /// values that it may not see.
    pub(crate) fn scrub_experiment(&self, experiment: &mut Value) {
        if let Some(experiment) = experiment.as_object_mut() {
            experiment.remove("condition");
            experiment.remove("parentConditions");
        }
    }

    /// Removes the hash value from a result, as JSON, if the browser may not see it.
    pub(crate) fn scrub_result(&self, result: &mut Value) {
        let Some(result) = result.as_object_mut() else { return };
        let is_shown = match result.get("hashAttribute") {
            Some(Value::String(name)) => self.contains(name),
            _ => false,
        };
        if !is_shown && let Some(value) = result.get_mut("hashValue") {
            *value = Value::String(String::new());
        }
    }
}
