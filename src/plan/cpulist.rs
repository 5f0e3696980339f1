//! Lists of numbers as the kernel writes them, such as `0-3,7`: CPUs and memory nodes (cpuset(7), "List format").

/// A list as ranges, both ends included, in the order given.
///
/// # Errors
/// Why it is none, in words that follow the value.
pub fn ranges(text: &str, largest: u32) -> Result<Vec<(u32, u32)>, String> {
    text.split(',').map(|part| range(part, largest)).collect()
}

fn range(part: &str, largest: u32) -> Result<(u32, u32), String> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (number(first, largest)?, number(last, largest)?);
    match first <= last {
        true => Ok((first, last)),
        false => Err(format!("the range {part} ends before it begins")),
    }
}

fn number(digits: &str, largest: u32) -> Result<u32, String> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("it must be a list of numbers and ranges, such as 0-3,7".to_owned());
    }
    match digits.parse() {
        Ok(number) if number <= largest => Ok(number),
        _ => Err(format!(
            "{digits} is above {largest}, the largest that Linux has"
        )),
    }
}

/// The same as bits: bit N stands for number N. What does not fit is left out.
#[must_use]
pub fn bits<const WORDS: usize>(ranges: &[(u32, u32)]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    for number in ranges.iter().flat_map(|(first, last)| *first..=*last) {
        if let Some(word) = words.get_mut(number as usize / 64) {
            *word |= 1_u64 << (number % 64);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{bits, ranges};

    #[test]
    fn numbers_as_bits() {
        assert_eq!(bits::<2>(&[(0, 1), (64, 64)]), [3, 1]);
        assert_eq!(bits::<1>(&[(63, 70)]), [1 << 63]);
    }

    #[test]
    fn lists() {
        assert_eq!(ranges("0-3,7", 10), Ok(vec![(0, 3), (7, 7)]));
        assert_eq!(ranges("10", 10), Ok(vec![(10, 10)]));
        for (text, why) in [
            ("", "it must be a list"),
            ("1,", "it must be a list"),
            ("-1", "it must be a list"),
            ("1-", "it must be a list"),
            ("1-2-3", "it must be a list"),
            ("+1", "it must be a list"),
            ("1, 2", "it must be a list"),
            ("3-1", "ends before it begins"),
            ("11", "above 10"),
            ("99999999999999999999", "above 10"),
        ] {
            let told = ranges(text, 10).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
