//! Reads a value as a type of the application.

use alloc::string::String;

use serde::de::value::{
    BorrowedStrDeserializer, MapAccessDeserializer, MapDeserializer, SeqDeserializer,
};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

/// Reads a value as `serde_json` does, but a whole number is an integer even if it is written as
/// `17.0` or `1e2`. JavaScript does not distinguish them.
///
/// serde buffers the content of untagged enums and of flattened structs. There, such a number is
/// not an integer.
#[derive(Clone, Copy)]
pub(super) struct ValueReader<'v>(pub(super) &'v Value);

impl ValueReader<'_> {
    /// Returns the integer that a float equals, if there is one.
    fn whole_float<I: TryFrom<i128>>(self) -> Option<I> {
        let Value::Number(number) = self.0 else { return None };
        if number.is_i64() || number.is_u64() {
            return None;
        }
        let float = number.as_f64()?;
        // The cast saturates. It changes a float that is not whole, or out of range.
        let whole = float as i128;
        if whole as f64 == float { I::try_from(whole).ok() } else { None }
    }
}

fn members<'v>(
    object: &'v Map<String, Value>,
) -> MapDeserializer<'v, impl Iterator<Item = (NameReader<'v>, ValueReader<'v>)>, Error> {
    MapDeserializer::new(object.iter().map(|(name, value)| (NameReader(name), ValueReader(value))))
}

macro_rules! integers {
    ($integer:ty, $visit:ident: $($deserialize:ident)+) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.whole_float::<$integer>() {
                Some(whole) => visitor.$visit(whole),
                None => self.0.$deserialize(visitor),
            }
        }
    )+};
}

/// Types that are not integers. Reading them directly takes fewer steps.
macro_rules! as_by_serde_json {
    ($($deserialize:ident)+) => {$(
        #[inline]
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.0.$deserialize(visitor)
        }
    )+};
}

impl<'de> Deserializer<'de> for ValueReader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter().map(ValueReader));
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Value::Object(object) => {
                let mut members = members(object);
                let value = visitor.visit_map(&mut members)?;
                members.end()?;
                Ok(value)
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    integers!(i64, visit_i64: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64);
    integers!(u64, visit_u64: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    integers!(i128, visit_i128: deserialize_i128);
    integers!(u128, visit_u128: deserialize_u128);

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(object) if object.len() == 1 => {
                MapAccessDeserializer::new(members(object))
                    .deserialize_enum(name, variants, visitor)
            }
            value => value.deserialize_enum(name, variants, visitor),
        }
    }

    as_by_serde_json! {
        deserialize_bool deserialize_f32 deserialize_f64
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

impl<'v> IntoDeserializer<'v, Error> for ValueReader<'v> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads the name of a member. Names are strings, but a map may have numbers or booleans as keys.
struct NameReader<'v>(&'v str);

macro_rules! parsed {
    ($($deserialize:ident $visit:ident)+) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse() {
                Ok(parsed) => visitor.$visit(parsed),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for NameReader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    parsed! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_u128 visit_u128
        deserialize_f32 visit_f32
        deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        BorrowedStrDeserializer::new(self.0).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

impl<'v> IntoDeserializer<'v, Error> for NameReader<'v> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, vec, vec::Vec};

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    fn read<'v, T: Deserialize<'v>>(value: &'v Value) -> Option<T> {
        T::deserialize(ValueReader(value)).ok()
    }

    #[test]
    fn whole_float_is_an_integer() {
        for text in ["17.0", "17", "1.7e1"] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(read::<i32>(&value), Some(17), "{text}");
            assert_eq!(read::<u8>(&value), Some(17), "{text}");
            assert_eq!(read::<u128>(&value), Some(17), "{text}");
            assert_eq!(read::<f64>(&value), Some(17.0), "{text}");
            assert_eq!(read::<Value>(&value), Some(value), "{text}");
        }
        assert_eq!(read::<i64>(&json!(-0.0)), Some(0));
        assert_eq!(read::<i64>(&json!(-9_223_372_036_854_775_808.0)), Some(i64::MIN));
    }

    #[test]
    fn other_float_is_not_an_integer() {
        for float in [17.5, 1e300, -1e300, 9_223_372_036_854_775_808.0] {
            assert_eq!(read::<i64>(&json!(float)), None, "{float}");
        }
        assert_eq!(read::<u8>(&json!(256.0)), None);
        assert_eq!(read::<u64>(&json!(-1.0)), None);
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Choice {
        Unit,
        New(i32),
        Tuple(i32, u8),
        Struct { count: u64 },
    }

    #[test]
    fn whole_floats_are_found_at_every_depth() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Limits<'v> {
            name: &'v str,
            counts: Vec<i32>,
            pair: (u8, f64),
            most: Option<u32>,
            least: Option<u32>,
            by_key: BTreeMap<&'v str, i64>,
            choices: Vec<Choice>,
        }
        let value = json!({
            "name": "a", "counts": [1.0, 2], "pair": [3.0, 4.0], "most": 5.0, "least": null,
            "by_key": {"k": 6.0},
            "choices": ["Unit", {"New": 7.0}, {"Tuple": [8.0, 9.0]}, {"Struct": {"count": 10.0}}],
        });
        let expected = Limits {
            name: "a",
            counts: vec![1, 2],
            pair: (3, 4.0),
            most: Some(5),
            least: None,
            by_key: [("k", 6)].into(),
            choices: vec![
                Choice::Unit,
                Choice::New(7),
                Choice::Tuple(8, 9),
                Choice::Struct { count: 10 },
            ],
        };
        assert_eq!(read(&value), Some(expected));
    }

    #[test]
    fn names_are_read_as_by_serde_json() {
        #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        struct Id(u32);
        fn check<'v, K: Deserialize<'v> + Ord + core::fmt::Debug>(value: &'v Value) {
            let expected = BTreeMap::<K, i32>::deserialize(value).ok();
            assert_eq!(read::<BTreeMap<K, i32>>(value), expected, "{value}");
        }
        for value in [json!({"1": 2}), json!({"-1": 2}), json!({"x": 2}), json!({"true": 1})] {
            check::<u8>(&value);
            check::<i64>(&value);
            check::<bool>(&value);
            check::<&str>(&value);
            check::<String>(&value);
            check::<Option<Id>>(&value);
        }
    }

    #[test]
    fn wrong_types_are_refused_as_by_serde_json() {
        let values = [
            json!({}),
            json!({"New": 1, "Unit": null}),
            json!([1]),
            json!("Other"),
            json!({"New": "x"}),
            json!({"Tuple": [1, 2, 3]}),
            json!(1),
            json!(null),
            json!({"Unit": null}),
        ];
        for value in &values {
            assert_eq!(read::<Choice>(value), Choice::deserialize(value).ok(), "{value}");
            assert_eq!(read::<(u8, u8)>(value), <(u8, u8)>::deserialize(value).ok(), "{value}");
            assert_eq!(read::<&str>(value), <&str>::deserialize(value).ok(), "{value}");
            assert_eq!(read::<()>(value).is_some(), <()>::deserialize(value).is_ok(), "{value}");
        }
    }
}
