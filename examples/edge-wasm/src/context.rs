//! A user's context, as JavaScript passes it.

use growthbook_core::{Attributes, GlobalContext, UserContext};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The user, and the settings that hold for all users.
pub(crate) struct Context {
    pub(crate) globals: GlobalContext,
    pub(crate) user: UserContext,
}

/// The members of a context, with the names of the JavaScript SDK. Unknown members have no effect.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Members<'a> {
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    enabled: bool,
    qa_mode: bool,
    url: String,
    forced_variations: Map<String, Value>,
    remote_group_ids: Option<Vec<Value>>,
}

impl Default for Members<'_> {
    fn default() -> Self {
        Members {
            attributes: None,
            enabled: true,
            qa_mode: false,
            url: String::new(),
            forced_variations: Map::new(),
            remote_group_ids: None,
        }
    }
}

impl Context {
    /// Reads a JSON object.
    ///
    /// # Errors
    ///
    /// The text is not a JSON object, or a member has another type.
    pub(crate) fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let members: Members<'_> = serde_json::from_str(text)?;
        let attributes = members.attributes.map_or("{}", RawValue::get);
        let mut user =
            UserContext::from_attributes(Attributes::from_json(attributes)?).url(&members.url);
        if let Some(ids) = members.remote_group_ids {
            user = user.remote_group_ids(ids);
        }
        for (key, index) in &members.forced_variations {
            // An index that is not a whole number forces no variation, and keeps the user out.
            if let Some(index) = index.as_f64() {
                let whole = if index.fract() == 0.0 { index as i64 } else { -1 };
                user = user.forced_variation(key.as_str(), whole);
            }
        }
        let globals = GlobalContext::new().enabled(members.enabled).qa_mode(members.qa_mode);
        Ok(Context { globals, user })
    }
}
