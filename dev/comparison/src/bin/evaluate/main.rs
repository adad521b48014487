//! Compares the times of evaluations with hand-written code and other products, in one process.
//!
//! `evaluate FOLDER` reads the results of the scripts from `javascript.json` and `python.json` in
//! the folder. It writes `evaluate.json` there.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

#[path = "../../attributes.rs"]
mod attributes;
#[path = "../../../../../crates/growthbook/benches/scenarios/cases.rs"]
mod cases;
mod load;
#[path = "../../../../../crates/growthbook-core/benches/payloads/mod.rs"]
mod payloads;
#[path = "../../../../../crates/growthbook/benches/scenarios/people.rs"]
mod people;
mod products;

use std::error::Error;
use std::path::PathBuf;

use comparison::machine::locked_versions;
use comparison::measure::{Contestant, ROUNDS, alternate, park_a_thread};
use comparison::report::{Quantity, Report, Row, Target, Time, fastest};
use comparison::spread::Samples;

use cases::Case;
use people::Person;
use products::growthbook::{CORE, CORE_BY_KEY, FACADE, GrowthBook, TRACKED};
use products::{PACKAGES, eppo, growthbook_rust, handwritten, launchdarkly, unleash};

/// The number of rounds for the comparison with products that take milliseconds.
const SLOW_ROUNDS: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: evaluate FOLDER")?);
    park_a_thread();

    let mut scripts = Report::read(&folder.join("javascript.json"))?;
    scripts.append(Report::read(&folder.join("python.json"))?);
    let mut report = Report::default();
    report.versions.extend(locked_versions(include_str!("../../../Cargo.lock"), &PACKAGES));
    report.notes.extend([eppo::NOTES, unleash::NOTES].concat().into_iter().map(str::to_owned));
    let people = people::people();
    for case in Case::ALL {
        eprintln!("{}", case.name());
        measure(case, &people, &scripts, &mut report);
    }
    requests(&people, &mut report);
    official_sdk(&people, &mut report);
    load::measure(&mut report);
    report.append(scripts);
    report.write(&folder.join("evaluate.json"))?;
    println!("{}", report.to_markdown());
    Ok(())
}

/// The samples of contestants, by name.
struct Measured(Vec<(&'static str, Samples)>);

impl Measured {
    fn new(mut contestants: Vec<Contestant<'_>>, rounds: usize) -> Self {
        let samples = alternate(&mut contestants, rounds);
        Measured(contestants.iter().map(|it| it.name).zip(samples).collect())
    }

    fn of(&self, name: &str) -> Option<&Samples> {
        self.0.iter().find(|(it, _)| *it == name).map(|(_, samples)| samples)
    }

    /// Returns a row that compares one contestant with another.
    fn row(&self, number: u8, case: &str, name: &str, beside: &str, target: Target) -> Row {
        let samples = |name| self.of(name).cloned().unwrap_or_default();
        let (own, other) = (samples(name), samples(beside));
        Row {
            number,
            what: format!("{case}: {name}"),
            figure: Quantity::Nanoseconds(own.spread()),
            beside: Some((beside.to_owned(), Quantity::Nanoseconds(other.spread()))),
            ratio: Some(own.relative_to(&other).spread()),
            target,
        }
    }
}

fn measure(case: Case, people: &[Person], scripts: &Report, report: &mut Report) {
    let payload = case.payload().to_string();
    let ours = GrowthBook::new(&payload, people);
    let mut contestants = vec![
        handwritten::contestant(case, people),
        ours.core(case.flag()),
        ours.core_by_key(case.flag()),
        ours.facade(case.flag()),
        ours.tracked(case.flag()),
    ];
    contestants.extend(growthbook_rust::contestants(&payload, case.flag(), people));
    contestants.extend(eppo::contestant(case, people));
    contestants.extend(unleash::contestant(case, people));
    contestants.extend(launchdarkly::contestant(case, people));
    check(case, &mut contestants, people.len());

    let measured = Measured::new(contestants, ROUNDS);
    for (name, samples) in &measured.0 {
        report.times.push(Time {
            scenario: case.name().to_owned(),
            product: (*name).to_owned(),
            nanoseconds: samples.spread(),
        });
    }
    let row = |number, name, beside, limit| {
        measured.row(number, case.name(), name, beside, Target::AtMost(limit))
    };
    report.rows.push(row(1, CORE, handwritten::NAME, 2.0));
    let own = [handwritten::NAME, CORE, CORE_BY_KEY, FACADE, TRACKED];
    let others = report.times.iter().filter(|time| !own.contains(&time.product.as_str()));
    if let Some(best) = fastest(others.chain(&scripts.times), case.name()) {
        let row = beside_best(&measured, case, best);
        report.rows.push(row);
    }
    report.rows.push(row(2, FACADE, CORE, 1.3));
    report.rows.push(row(3, TRACKED, FACADE, 2.0));
}

/// Compares whole requests: a context of eight attributes, what the product needs for each user, and
/// one evaluation.
fn requests(people: &[Person], report: &mut Report) {
    const CASE: Case = Case::Experiment;
    const NAME: &str = "8 attributes and an experiment";
    let ours = GrowthBook::new(&CASE.payload().to_string(), people);
    let mut contestants = vec![ours.request(people, CASE.flag())];
    let others = [eppo::request, unleash::request, launchdarkly::request];
    contestants.extend(others.into_iter().filter_map(|request| request(CASE, people)));
    check(CASE, &mut contestants, people.len());

    let measured = Measured::new(contestants, ROUNDS);
    for other in [eppo::NAME, unleash::NAME, launchdarkly::NAME] {
        report.rows.push(measured.row(4, NAME, FACADE, other, Target::AtMost(1.0)));
    }
}

/// Checks that all contestants give the same answers. Products with another hash may differ a
/// little.
fn check(case: Case, contestants: &mut [Contestant<'_>], people: usize) {
    let on: Vec<usize> = contestants.iter_mut().map(|it| (it.ask)(people)).collect();
    let expected = on.first().copied().unwrap_or_default();
    for (contestant, on) in contestants.iter().zip(on) {
        let name = contestant.name;
        let tolerance = match name {
            eppo::NAME | unleash::NAME | launchdarkly::NAME => people / 16,
            _ => 0,
        };
        assert!(
            on.abs_diff(expected) <= tolerance,
            "{}: {name} is on for {on} of {people} people, hand-written code for {expected}",
            case.name(),
        );
    }
}

/// Returns a row that compares our core with the best other product. The scripts measured theirs in
/// another process.
fn beside_best(measured: &Measured, case: Case, best: &Time) -> Row {
    let target = Target::AtMost(0.5);
    if measured.of(&best.product).is_some() {
        return measured.row(1, case.name(), CORE, &best.product, target);
    }
    let own = measured.of(CORE).cloned().unwrap_or_default();
    let other: Samples = std::iter::repeat_n(best.nanoseconds.median, ROUNDS).collect();
    Row {
        number: 1,
        what: format!("{}: {CORE}", case.name()),
        figure: Quantity::Nanoseconds(own.spread()),
        beside: Some((best.product.clone(), Quantity::Nanoseconds(other.spread()))),
        ratio: Some(own.relative_to(&other).spread()),
        target,
    }
}

/// Compares us with the official Rust SDK: one flag of a payload with 1,000 features of three rules
/// each.
fn official_sdk(people: &[Person], report: &mut Report) {
    const NAME: &str = "one of 1,000 features";
    let payload = payloads::payload(1_000);
    let flag = "team-10-flag-510";
    let ours = GrowthBook::new(&payload, people);
    let mut contestants = vec![ours.core(flag), ours.facade(flag)];
    contestants.extend(growthbook_rust::contestants(&payload, flag, people));
    let on: Vec<usize> = contestants.iter_mut().map(|it| (it.ask)(64)).collect();
    assert!(on.windows(2).all(|pair| pair.first() == pair.last()), "{on:?}");

    let measured = Measured::new(contestants, SLOW_ROUNDS);
    let row = |own, other, limit| measured.row(8, NAME, other, own, Target::AtLeast(limit));
    report.rows.push(row(CORE, growthbook_rust::CORE, 10.0));
    report.rows.push(row(FACADE, growthbook_rust::CLIENT, 1_000.0));
}
