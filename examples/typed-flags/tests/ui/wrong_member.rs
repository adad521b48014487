use growthbook::Client;
use typed_flags::flags::Flags;

fn main() {
    let client = Client::from_json(r#"{"features": {}}"#).unwrap();
    let gb = client.for_user("user-1");
    let _rps = gb.rate_limits().rpm;
}
