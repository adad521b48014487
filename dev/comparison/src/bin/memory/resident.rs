//! The growth of memory with the number of users. The target is no growth.

use std::hint::black_box;

use comparison::machine::resident_memory;
use comparison::report::{Quantity, Report, Target};
use growthbook::{Client, UserContext};

use crate::cases::Case;
use crate::people::id;
use crate::row;

const WARM_UP: usize = 500_000;
const EVALUATIONS: usize = 8_000_000;
/// The growth that the allocator may cause, in bytes.
const GROWTH: f64 = 1024.0 * 1024.0;

pub(crate) fn measure(report: &mut Report) {
    let payload = Case::Experiment.payload().to_string();
    let builder = || Client::embedded().payload(payload.as_str());
    let tracked = builder().on_experiment_viewed(|viewed| {
        black_box(viewed.result);
    });
    for (name, builder) in [("", builder()), (", tracking", tracked)] {
        let client = builder.build().expect("a payload");
        ask_everybody(&client, 0..WARM_UP);
        let before = resident_memory();
        ask_everybody(&client, WARM_UP..WARM_UP + EVALUATIONS);
        let growth = before.zip(resident_memory()).map(|(before, after)| after - before);
        let figure = Quantity::Bytes(growth.unwrap_or(f64::NAN));
        let what = format!("growth over 8 million evaluations of different users{name}");
        report.rows.push(row(12, what, figure, Target::AtMost(GROWTH)));
    }
}

fn ask_everybody(client: &Client, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let user = UserContext::new(id(number)).attribute("country", "US").attribute("age", number);
        black_box(client.for_user(user).is_on(Case::Experiment.flag()));
    }
}
