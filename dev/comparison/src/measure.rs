//! Timing contestants beside one another.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use crate::spread::Samples;

/// How long one batch of evaluations takes at least, unless a single one takes longer.
const BATCH: Duration = Duration::from_millis(1);
/// Every contestant has so many batches.
pub const ROUNDS: usize = 101;

/// Asks as many questions as it is told, and tells how many were answered with yes.
pub type Ask<'a> = Box<dyn FnMut(usize) -> usize + 'a>;

/// Someone who is timed.
pub struct Contestant<'a> {
    /// What tables call it.
    pub name: &'static str,
    /// What is timed.
    pub ask: Ask<'a>,
}

impl<'a> Contestant<'a> {
    /// Asks the same of everybody in turn. The loop is compiled together with what it asks.
    pub fn new<T: 'a>(
        name: &'static str,
        asked: Vec<T>,
        mut ask: impl FnMut(&T) -> bool + 'a,
    ) -> Self {
        assert!(!asked.is_empty(), "{name} has nobody to ask");
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

/// A process that has started a thread allocates more slowly; every server has.
pub fn park_a_thread() {
    thread::spawn(thread::park);
}

/// Nanoseconds for a question, for each contestant in their order. Batches alternate between the
/// contestants, so that whatever else the machine does hits them alike.
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

/// Warms up, and finds how many questions fill a batch.
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

/// Nanoseconds of single runs of things that take long, in turn. What they make is dropped after
/// the clock has stopped.
pub fn alternate_once<T>(contestants: &mut [&mut dyn FnMut() -> T], rounds: usize) -> Vec<Samples> {
    let mut samples = vec![Samples::default(); contestants.len()];
    for round in 0..=rounds {
        for (contestant, samples) in contestants.iter_mut().zip(&mut samples) {
            let start = Instant::now();
            let made = black_box(contestant());
            let taken = start.elapsed();
            drop(made);
            // The first one warms up.
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
    fn everybody_is_asked_in_turn() {
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
    fn each_round_has_everybody() {
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
        // One each to find the size of a batch.
        assert_eq!(*asked.borrow(), ["a", "b", "a", "b", "a", "b"]);
        assert!(samples.iter().all(|samples| samples.spread().low >= BATCH.as_nanos() as f64));
    }

    #[test]
    fn the_first_run_of_long_things_does_not_count() {
        let mut runs = 0;
        let mut contestant = || runs += 1;
        let samples = alternate_once(&mut [&mut contestant], 4);
        assert_eq!((samples.len(), runs), (1, 5));
    }
}
