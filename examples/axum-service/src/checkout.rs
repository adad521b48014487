//! The flags of the user as JSON.

use axum::Json;
use growthbook_tower::RequestScope;
use serde::Serialize;

/// The flags of the checkout.
#[derive(Serialize)]
pub(crate) struct Checkout {
    new_checkout: bool,
    button_color: String,
    max_items: u32,
}

/// Returns the flags. All of them come from one payload, even if another one arrives meanwhile.
pub(crate) async fn checkout(gb: RequestScope) -> Json<Checkout> {
    Json(Checkout {
        new_checkout: gb.is_on("new-checkout"),
        button_color: gb.feature_value("button-color", "blue".to_owned()),
        max_items: gb.feature_value("max-items", 10),
    })
}
