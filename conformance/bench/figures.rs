//! Median and percentiles of a handful of times.

use std::time::Duration;

/// The times of one program in one act.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In milliseconds, in the order in which they were taken.
    pub(crate) fn raw(&self) -> Vec<f64> {
        self.0.iter().map(|took| took.as_secs_f64() * 1e3).collect()
    }

    /// Milliseconds below which a share of the times lies (nearest rank), 0.0 to 1.0;
    /// nothing without times.
    pub(crate) fn at(&self, share: f64) -> Option<f64> {
        let mut sorted = self.raw();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank among a few runs"
        )]
        let rank = (share * last as f64).round() as usize;
        sorted.get(rank.min(last)).copied()
    }

    pub(crate) fn median(&self) -> Option<f64> {
        let mut sorted = self.raw();
        sorted.sort_by(f64::total_cmp);
        let half = sorted.len() / 2;
        let upper = *sorted.get(half)?;
        match sorted.len() % 2 {
            0 => Some((upper + sorted.get(half.checked_sub(1)?)?) / 2.0),
            _ => Some(upper),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: &[u64]) -> Times {
        Times(ms.iter().copied().map(Duration::from_millis).collect())
    }

    #[test]
    fn ranks_are_of_the_sorted_times() {
        let ten = times(&[10, 1, 9, 2, 8, 3, 7, 4, 6, 5, 11]);
        assert_eq!(ten.at(0.0), Some(1.0));
        assert_eq!(ten.at(0.1), Some(2.0));
        assert_eq!(ten.at(0.9), Some(10.0));
        assert_eq!(ten.median(), Some(6.0));
    }

    #[test]
    fn few_times_have_figures_too() {
        assert_eq!(times(&[]).median(), None);
        assert_eq!(times(&[]).at(0.1), None);
        assert_eq!(times(&[3]).at(0.9), Some(3.0));
        assert_eq!(times(&[3, 4]).median(), Some(3.5));
    }
}
