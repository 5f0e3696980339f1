//! Two views, line by line.

use std::collections::BTreeSet;

use crate::view::View;

/// One line that differs; an empty text is a line that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What was looked at.
    pub(crate) what: String,
    pub(crate) ours: String,
    pub(crate) theirs: String,
    /// What the peer said, where it refused and orbital did not, or the other way round.
    pub(crate) said: Option<String>,
}

/// What differs. Where one refuses and the other runs that is all there is to say; two refusals are
/// alike, whatever their words.
pub(crate) fn compare(ours: &View, theirs: &View) -> Vec<Difference> {
    if ours.ran != theirs.ran {
        let refusal = if ours.ran { theirs } else { ours };
        let outcome = |view: &View| view.lines.get("outcome").cloned().unwrap_or_default();
        let (ours, theirs) = (outcome(ours), outcome(theirs));
        let said = Some(refusal.text.clone());
        return vec![Difference {
            what: "outcome".to_owned(),
            ours,
            theirs,
            said,
        }];
    }
    let names: BTreeSet<_> = ours.lines.keys().chain(theirs.lines.keys()).collect();
    let of = |view: &View, name: &str| view.lines.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .filter(|name| ours.lines.get(*name) != theirs.lines.get(*name))
        .filter(|name| !part_of_nothing(name, ours) && !part_of_nothing(name, theirs))
        .map(|name| Difference {
            what: name.clone(),
            ours: of(ours, name),
            theirs: of(theirs, name),
            said: None,
        })
        .collect()
}

/// Whether the line is about a mount (`mount /x, options`) that this view does not have at all: that
/// is told once.
fn part_of_nothing(name: &str, view: &View) -> bool {
    let whole = name.split_once(", ").map(|(whole, _)| whole);
    whole.is_some_and(|whole| !view.lines.contains_key(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(ran: bool, lines: &[(&str, &str)]) -> View {
        let lines = lines
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        View {
            ran,
            text: "words".to_owned(),
            lines: lines.collect(),
        }
    }

    #[test]
    fn what_only_one_shows_is_a_difference_too() {
        let ours = view(true, &[("a", "1"), ("b", "2"), ("c", "3")]);
        let theirs = view(true, &[("a", "1"), ("b", "7"), ("d", "4")]);
        let found = compare(&ours, &theirs);
        let found: Vec<_> = found
            .iter()
            .map(|d| (&*d.what, &*d.ours, &*d.theirs))
            .collect();
        assert_eq!(found, [("b", "2", "7"), ("c", "3", ""), ("d", "", "4")]);
    }

    #[test]
    fn a_refusal_says_its_words_once() {
        let ours = view(true, &[("outcome", "ran"), ("a", "1")]);
        let theirs = view(false, &[("outcome", "refused")]);
        let found = compare(&ours, &theirs);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].said.as_deref(), Some("words"));
        assert!(compare(&theirs, &view(false, &[("outcome", "refused")])).is_empty());
    }
}
