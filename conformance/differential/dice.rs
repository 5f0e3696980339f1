//! Random numbers that are the same for the same seed on every machine: SplitMix64.

/// The state; each throw changes it.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for bundle `number` of `seed`: another bundle's throws do not change this one's.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
        dice.throw();
        dice
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `below` − 1; 0 for 0.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.throw() % below.max(1)
    }

    /// A number between two, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = usize::try_from(self.below(of.len() as u64)).unwrap_or_default();
        &of[index]
    }

    /// Each of these with that chance, in their order.
    pub(crate) fn some<'a, T>(&mut self, of: &'a [T], percent: u64) -> Vec<&'a T> {
        of.iter().filter(|_| self.chance(percent)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_throws_and_another_does_not() {
        let throws = |seed, number| {
            let mut dice = Dice::new(seed, number);
            [dice.throw(), dice.throw(), dice.throw()]
        };
        assert_eq!(throws(1, 7), throws(1, 7));
        assert_ne!(throws(1, 7), throws(1, 8));
        assert_ne!(throws(1, 7), throws(2, 7));
    }

    #[test]
    fn a_throw_stays_within_its_bounds() {
        let mut dice = Dice::new(3, 3);
        for _ in 0..1000 {
            assert!((5..=9).contains(&dice.between(5, 9)));
            assert!(!dice.chance(0) && dice.chance(100));
        }
    }
}
