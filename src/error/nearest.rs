//! What was probably meant.

/// The known word that `word` was probably meant to be: at most two letters are wrong, missing or too
/// many, most of it is right, and capitals do not count.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const FARTHEST: usize = 2;
    let lowered = word.to_ascii_lowercase();
    let near = known.into_iter().filter_map(|other| {
        let distance = edits(&lowered, &other.to_ascii_lowercase());
        let longest = word.chars().count().max(other.chars().count());
        (distance <= FARTHEST && distance * 2 < longest).then_some((distance, other))
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// How many letters must be changed, added or taken away to make `to` of `from` (Levenshtein), by one
/// row of the table at a time.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above, letter) in from.chars().enumerate() {
        let (mut left, mut diagonal) = (above + 1, above);
        for (cell, other) in row.iter_mut().skip(1).zip(to.chars()) {
            let substituted = diagonal + usize::from(letter != other);
            diagonal = *cell;
            left = substituted.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
