//! A summary of many measurements of one figure.

use serde::{Deserialize, Serialize};

/// Measurements in their order.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

/// The median and the quartiles of measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The lower quartile.
    pub low: f64,
    /// The upper quartile.
    pub high: f64,
}

impl Samples {
    /// Adds a measurement.
    pub fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    /// Divides each measurement by the other measurement of the same round. So the load of the
    /// machine in a round has no effect.
    pub fn relative_to(&self, other: &Samples) -> Samples {
        self.0.iter().zip(&other.0).map(|(own, other)| own / other).collect()
    }

    /// Returns the median and the quartiles. They are not numbers if there are no measurements.
    pub fn spread(&self) -> Spread {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        Spread {
            median: quantile(&sorted, 0.5),
            low: quantile(&sorted, 0.25),
            high: quantile(&sorted, 0.75),
        }
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(samples: I) -> Self {
        Samples(samples.into_iter().collect())
    }
}

impl Spread {
    /// Returns the spread of an exact count.
    pub fn exactly(count: f64) -> Self {
        Spread { median: count, low: count, high: count }
    }
}

/// Returns a quantile of sorted values. Interpolates between two neighbours.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = share * last as f64;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or(f64::NAN);
    let (below, above) = (at(position.floor()), at(position.ceil()));
    below + (above - below) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        values.iter().copied().collect()
    }

    #[test]
    fn spread_does_not_depend_on_the_order() {
        let expected = Spread { median: 3.0, low: 2.0, high: 4.0 };
        assert_eq!(samples(&[5.0, 1.0, 3.0, 2.0, 4.0]).spread(), expected);
    }

    #[test]
    fn median_of_even_count_is_between_two_values() {
        let expected = Spread { median: 2.5, low: 1.75, high: 3.25 };
        assert_eq!(samples(&[4.0, 1.0, 3.0, 2.0]).spread(), expected);
    }

    #[test]
    fn one_outlier_has_no_effect() {
        assert_eq!(samples(&[1.0, 1.0, 1.0, 1.0, 900.0]).spread(), Spread::exactly(1.0));
    }

    #[test]
    fn spread_of_no_samples_is_not_a_number() {
        assert!(samples(&[]).spread().median.is_nan());
    }

    #[test]
    fn ratios_compare_the_same_round() {
        // The third round was slow for both.
        let ratios = samples(&[2.0, 2.0, 20.0]).relative_to(&samples(&[1.0, 1.0, 10.0]));
        assert_eq!(ratios.spread(), Spread::exactly(2.0));
    }
}
