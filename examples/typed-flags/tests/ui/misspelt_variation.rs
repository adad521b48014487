use growthbook::Client;
use typed_flags::flags::{ButtonColor, Flags};

fn main() {
    let client = Client::from_json(r#"{"features": {}}"#).unwrap();
    let gb = client.for_user("user-1");
    assert_eq!(gb.button_color(), ButtonColor::Bleu);
}
