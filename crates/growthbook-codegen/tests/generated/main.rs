//! Every generated module compiles without a warning.
//!
//! `snapshots` checks that the modules are those that the generator makes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![deny(warnings, missing_docs, missing_debug_implementations, nonstandard_style, unreachable_pub)]
#![deny(unused_lifetimes, unused_qualifications, single_use_lifetimes, elided_lifetimes_in_paths)]
#![deny(clippy::all, clippy::pedantic)]

mod answers;

/// Declares the modules of every payload.
macro_rules! modules {
    ($($name:ident,)*) => {
        /// With fallbacks as arguments.
        pub mod argument {
            $(
                #[doc = stringify!($name)]
                pub mod $name {
                    include!(concat!("../snapshots/argument/", stringify!($name), ".rs"));
                }
            )*
        }

        /// With defaults embedded.
        pub mod embedded {
            $(
                #[doc = stringify!($name)]
                pub mod $name {
                    include!(concat!("../snapshots/embedded/", stringify!($name), ".rs"));
                }
            )*
        }

        /// The names of all payloads.
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

modules! {
    all_sections,
    api_reply,
    boolean,
    camel_case_keys,
    choice,
    colliding_keys,
    colliding_types,
    contextual_variations,
    deep_object,
    digit_keys,
    empty,
    empty_and_punctuation_keys,
    encrypted,
    features_file,
    float,
    hostile_descriptions,
    hostile_keys_and_values,
    integer,
    keywords,
    list,
    list_of_objects,
    members_with_odd_names,
    mixed_types,
    nested_object,
    no_value,
    object,
    optional_members,
    remote_evaluation,
    scope_methods,
    text,
    too_many_choices,
    unicode_keys,
    unreadable_parts,
}

#[test]
fn every_payload_has_a_module_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/payloads");
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, NAMES);
}
