//! An application whose flags are functions.
//!
//! The build script generates the trait [`Flags`](flags::Flags) from `flags.json`. In a real project,
//! that file is a payload that was downloaded from GrowthBook.

/// The generated functions.
pub mod flags {
    include!(concat!(env!("OUT_DIR"), "/flags.rs"));
}

use flags::{ButtonColor, Flags};
use growthbook::UserScope;

/// Returns the text of the order page.
pub fn order_page(gb: &UserScope<'_>) -> String {
    let layout = if gb.new_checkout() { "one page" } else { "three pages" };
    // The compiler checks that no variation is forgotten.
    let button = match gb.button_color() {
        ButtonColor::Blue => "a blue button",
        ButtonColor::Green => "a green button",
        ButtonColor::DarkRed => "a dark red button",
    };
    let (banner, limits) = (gb.banner_text(), gb.rate_limits());
    format!(
        "{banner} Up to {} items, {layout}, {button}, {} requests a second.",
        gb.max_items(),
        limits.rps,
    )
}
