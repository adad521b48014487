//! The application with flags of an embedded client.

use growthbook::Client;
use growthbook_openfeature::GrowthBookProvider;
use open_feature::OpenFeature;
use openfeature::{shop_page, visitor};
use serde_json::json;

#[tokio::test]
async fn page_shows_flags_or_defaults() {
    let features = json!({
        "new-checkout": {"defaultValue": false, "rules": [
            {"condition": {"country": "US"}, "force": true},
        ]},
        "button-color": {"defaultValue": "blue", "rules": [
            {"key": "color", "variations": ["blue", "green"], "weights": [0, 1]},
        ]},
        "limits": {"defaultValue": {"rps": 50, "seats": null}},
    });
    let client = Client::embedded().features(features).build().unwrap();
    let mut api = OpenFeature::default();
    api.set_provider(GrowthBookProvider::new(client)).await;
    let flags = api.create_client();
    assert_eq!(
        shop_page(&flags, &visitor(Some("user-1"), "US")).await,
        "new checkout: true, items: 10, button: green (SPLIT, variant \"1\"), \
         requests per second: 50"
    );
    assert_eq!(
        shop_page(&flags, &visitor(None, "FR")).await,
        "new checkout: false, items: 10, button: grey (TARGETING_KEY_MISSING), \
         requests per second: 50"
    );
}
