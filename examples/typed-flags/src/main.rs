//! Prints the order page of three users: `cargo run -p typed-flags`.

use growthbook::{Client, UserContext};

fn main() -> Result<(), growthbook::PayloadError> {
    let client = Client::from_json(include_str!("../flags.json"))?;
    for (id, country, plan) in
        [("user-1", "US", "free"), ("user-2", "FR", "pro"), ("user-3", "DE", "free")]
    {
        let user = UserContext::new(id).attribute("country", country).attribute("plan", plan);
        println!("{id}: {}", typed_flags::order_page(&client.for_user(user)));
    }
    Ok(())
}
