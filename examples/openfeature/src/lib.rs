//! An application that asks its flags through OpenFeature. This file does not know GrowthBook: only
//! `main.rs` names the provider.

use growthbook_openfeature::Json;
use open_feature::{Client, EvaluationContext};
use serde::Deserialize;

/// The limits of a customer's plan: a flag with a JSON value.
#[derive(Debug, Deserialize)]
pub struct Limits {
    /// Requests per second.
    pub rps: u32,
    /// Seats, if the plan limits them.
    pub seats: Option<u32>,
}

/// Returns the context of a visitor. Visitors without an account have no targeting key.
pub fn visitor(id: Option<&str>, country: &str) -> EvaluationContext {
    let context = EvaluationContext::default().with_custom_field("country", country);
    match id {
        Some(id) => context.with_targeting_key(id),
        None => context,
    }
}

/// Describes the shop page that a visitor gets. The application's own defaults are used if a flag
/// has no value.
pub async fn shop_page(flags: &Client, visitor: &EvaluationContext) -> String {
    let new_checkout = flags.get_bool_value("new-checkout", Some(visitor), None).await;
    let max_items = flags.get_int_value("max-items", Some(visitor), None).await;
    let color = match flags.get_string_details("button-color", Some(visitor), None).await {
        Ok(details) => {
            let reason = details.reason.map(|reason| reason.to_string()).unwrap_or_default();
            let variant = details.variant.unwrap_or_default();
            format!("{} ({reason}, variant {variant:?})", details.value)
        }
        Err(error) => format!("grey ({})", error.code),
    };
    let limits = flags.get_struct_value::<Json<Limits>>("limits", Some(visitor), None).await;
    let limits = limits.map(|Json(limits)| limits).unwrap_or(Limits { rps: 1, seats: None });
    format!(
        "new checkout: {}, items: {}, button: {color}, requests per second: {}",
        new_checkout.unwrap_or(false),
        max_items.unwrap_or(10),
        limits.rps,
    )
}
