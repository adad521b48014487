//! The functions give what the payload says, and their defaults without a payload.

use growthbook::{Client, UserContext};
use typed_flags::flags::{Flags, RateLimits};
use typed_flags::order_page;

#[test]
fn page_follows_the_payload() {
    let client = Client::from_json(include_str!("../flags.json")).unwrap();
    let user = UserContext::new("user-2").attribute("country", "FR").attribute("plan", "pro");
    let page = order_page(&client.for_user(user));
    assert!(page.starts_with("Bienvenue ! Up to 25 items, three pages, a "), "{page}");
    assert!(page.ends_with(" button, 50 requests a second."), "{page}");
}

#[test]
fn defaults_are_used_without_a_payload() {
    let client = Client::from_json(r#"{"features": {}}"#).unwrap();
    let gb = client.for_user("user-1");
    let expected = "Welcome! Up to 25 items, three pages, a blue button, 10 requests a second.";
    assert_eq!(order_page(&gb), expected);
    assert_eq!(gb.rate_limits(), RateLimits { burst: 20, note: None, rps: 10 });
}
