//! Generated functions give what the client gives.

use growthbook::{Client, UserScope};

use crate::{argument, embedded};

fn scope(payload: &str) -> UserScope<'static> {
    Client::from_json(payload).unwrap().for_user("user-1")
}

fn without_flags() -> UserScope<'static> {
    scope(r#"{"features": {}}"#)
}

#[test]
fn values_have_their_types() {
    use argument::{boolean, float, integer, text};
    let gb = scope(include_str!("../payloads/boolean.json"));
    assert!(!boolean::Flags::new_checkout(&gb, true));
    let gb = scope(include_str!("../payloads/integer.json"));
    assert_eq!(integer::Flags::max_items(&gb, 1), 25);
    assert_eq!(integer::Flags::negative(&gb, 1), i64::MIN);
    assert_eq!(integer::Flags::whole_float(&gb, 1), 100);
    let gb = scope(include_str!("../payloads/float.json"));
    assert!((float::Flags::mixed_number(&gb, 1.0) - 0.25).abs() < f64::EPSILON);
    let gb = scope(include_str!("../payloads/text.json"));
    assert_eq!(text::Flags::banner(&gb, "x"), "Bienvenue");
    assert_eq!(text::Flags::quotes(&gb, "x"), "\"#{}\\ \n\t\0");
}

#[test]
fn fallbacks_are_used_without_flags() {
    use argument::{boolean, choice, text};
    let gb = without_flags();
    assert!(boolean::Flags::new_checkout(&gb, true));
    assert_eq!(text::Flags::banner(&gb, "x"), "x");
    let color = choice::ButtonColor::DarkRed;
    assert_eq!(choice::Flags::button_color(&gb, color), color);
}

#[test]
fn embedded_defaults_are_those_of_the_payload() {
    use embedded::{boolean, choice, float, integer, list, nested_object, text};
    let gb = without_flags();
    assert!(boolean::Flags::dark_mode(&gb));
    assert_eq!(integer::Flags::negative(&gb), -1);
    assert!((float::Flags::huge(&gb) - 1e300).abs() < f64::EPSILON);
    assert_eq!(text::Flags::quotes(&gb), "\"#{}\\ \n\t\0");
    assert_eq!(text::Flags::unicode_text(&gb), "naïve 🎉 \u{202e} x");
    assert_eq!(choice::Flags::button_color(&gb), choice::ButtonColor::Blue);
    assert_eq!(list::Flags::nested(&gb), [vec![1], vec![2, 3]]);
    assert_eq!(list::Flags::mixed_list(&gb), [1.into(), serde_json::Value::from("a")]);

    let payload = scope(include_str!("../payloads/nested_object.json"));
    assert_eq!(nested_object::Flags::page(&gb), nested_object::Flags::page(&payload));
    assert_eq!(nested_object::Flags::page(&gb).theme.colors.main, "red");
}

#[test]
fn unknown_variation_gives_the_fallback() {
    use embedded::choice::{ButtonColor, Flags};
    let with = |value: &str| {
        let payload = format!(r#"{{"features": {{"button-color": {{"defaultValue": {value}}}}}}}"#);
        Flags::button_color(&scope(&payload))
    };
    assert_eq!(with("\"green\""), ButtonColor::Green);
    assert_eq!(with("\"yellow\""), ButtonColor::Blue);
    assert_eq!(with("7"), ButtonColor::Blue);
    for color in [ButtonColor::Blue, ButtonColor::Green, ButtonColor::DarkRed] {
        assert_eq!(ButtonColor::from_text(color.as_str()), Some(color));
    }
}

#[test]
fn optional_members_may_be_missing() {
    use embedded::optional_members::{Flags, Limits};
    let gb = scope(r#"{"features": {"limits": {"defaultValue": {"rps": 7, "burst": null}}}}"#);
    let expected = Limits { burst: None, inner: None, note: None, rps: 7 };
    assert_eq!(Flags::limits(&gb), expected);
    // A member that every known value has is required.
    let gb = scope(r#"{"features": {"limits": {"defaultValue": {"burst": 7}}}}"#);
    assert_eq!(Flags::limits(&gb).rps, 10);
}

#[test]
fn odd_members_are_found() {
    use embedded::members_with_odd_names::Flags;
    let gb = scope(include_str!("../payloads/members_with_odd_names.json"));
    let odd = gb.odd();
    assert_eq!((odd.type_, odd.field, odd.field_2nd, odd.fallback), (1, 5, 6, 9));
    assert_eq!(odd, without_flags().odd());
}

#[test]
fn method_of_the_scope_is_not_hidden() {
    use embedded::scope_methods::Flags;
    let gb = scope(include_str!("../payloads/scope_methods.json"));
    assert!(gb.is_on("user"));
    assert!(gb.user_() && gb.into_() && gb.clone_());
}

#[test]
fn hostile_keys_reach_their_flags() {
    use argument::hostile_keys_and_values::Flags;
    let gb = scope(include_str!("../payloads/hostile_keys_and_values.json"));
    assert_eq!(gb.fn_main_panic("x"), "*/ fn main() { panic!() } /*");
}
