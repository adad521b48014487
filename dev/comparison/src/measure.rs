//! The measurement of several contestants in turn.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use crate::spread::Samples;

/// The shortest time of one batch of evaluations.
const BATCH: Duration = Duration::from_millis(1);
/// The number of batches of each contestant.
pub const ROUNDS: usize = 101;

/// Evaluates this many times, and returns the number of true answers.
pub type Ask<'a> = Box<dyn FnMut(usize) -> usize + 'a>;

/// A product or a function to measure.
pub struct Contestant<'a> {
    /// The name in tables.
    pub name: &'static str,
    /// The measured function.
    pub ask: Ask<'a>,
}

impl<'a> Contestant<'a> {
    /// Returns a contestant that calls `ask` for each item in turn. The compiler sees the loop and
    /// the call together.
    pub fn new<T: 'a>(
        name: &'static str,
        asked: Vec<T>,
        mut ask: impl FnMut(&T) -> bool + 'a,
    ) -> Self {
        assert!(!asked.is_empty(), "{name} has no items");
        let mut next = 0;
        let ask = move |count: usize| {
            let (mut left, mut yes) = (count, 0);
            while left > 0 {
                let turn: &[T] = asked.get(next..).unwrap_or_default();
                let turn = turn.get(..left).unwrap_or(turn);
                yes += turn.iter().filter(|it| black_box(ask(black_box(it)))).count();
                left -= turn.len();
                next = if next + turn.len() == asked.len() { 0 } else { next + turn.len() };
            }
            yes
        };
        Contestant { name, ask: Box::new(ask) }
    }
}

/// Starts a thread that does nothing. Every server has several threads, and a process with several
/// threads allocates more slowly.
pub fn park_a_thread() {
    thread::spawn(thread::park);
}

/// Returns the nanoseconds of an evaluation, for each contestant in their order. Batches alternate
/// between the contestants, so that other load of the machine affects all of them equally.
pub fn alternate(contestants: &mut [Contestant<'_>], rounds: usize) -> Vec<Samples> {
    let counts: Vec<usize> = contestants.iter_mut().map(|it| batch_size(&mut it.ask)).collect();
    let mut samples = vec![Samples::default(); contestants.len()];
    for _ in 0..rounds {
        let turns = contestants.iter_mut().zip(&counts).zip(&mut samples);
        for ((contestant, &count), samples) in turns {
            samples.push(time(&mut contestant.ask, count).as_nanos() as f64 / count as f64);
        }
    }
    samples
}

/// Warms up, and returns the number of evaluations that fill a batch.
fn batch_size(ask: &mut Ask<'_>) -> usize {
    let mut count = 1;
    loop {
        let taken = time(ask, count);
        if taken >= BATCH {
            return count;
        }
        count *= 2;
    }
}

fn time(ask: &mut Ask<'_>, count: usize) -> Duration {
    let start = Instant::now();
    black_box(ask(count));
    start.elapsed()
}

/// Returns the nanoseconds of single runs, for contestants that take long. The runs alternate. The
/// results are dropped after the clock stops.
pub fn alternate_once<T>(contestants: &mut [&mut dyn FnMut() -> T], rounds: usize) -> Vec<Samples> {
    let mut samples = vec![Samples::default(); contestants.len()];
    for round in 0..=rounds {
        for (contestant, samples) in contestants.iter_mut().zip(&mut samples) {
            let start = Instant::now();
            let made = black_box(contestant());
            let taken = start.elapsed();
            drop(made);
            // The first run warms up.
            if round > 0 {
                samples.push(taken.as_nanos() as f64);
            }
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn items_are_used_in_turn() {
        let asked = RefCell::new(Vec::new());
        let mut contestant = Contestant::new("three", vec![1, 2, 3], |number| {
            asked.borrow_mut().push(*number);
            number % 2 == 1
        });
        assert_eq!((contestant.ask)(5), 3);
        assert_eq!((contestant.ask)(2), 2);
        drop(contestant);
        assert_eq!(*asked.borrow(), [1, 2, 3, 1, 2, 3, 1]);
    }

    #[test]
    fn each_round_has_all_contestants() {
        let asked = RefCell::new(Vec::new());
        let slow = |name| {
            let asked = &asked;
            Contestant::new(name, vec![name], move |name| {
                asked.borrow_mut().push(*name);
                thread::sleep(BATCH);
                true
            })
        };
        let samples = alternate(&mut [slow("a"), slow("b")], 2);
        // One call of each finds the size of a batch.
        assert_eq!(*asked.borrow(), ["a", "b", "a", "b", "a", "b"]);
        assert!(samples.iter().all(|samples| samples.spread().low >= BATCH.as_nanos() as f64));
    }

    #[test]
    fn first_long_run_does_not_count() {
        let mut runs = 0;
        let mut contestant = || runs += 1;
        let samples = alternate_once(&mut [&mut contestant], 4);
        assert_eq!((samples.len(), runs), (1, 5));
    }
}
