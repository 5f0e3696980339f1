//! One or a few values of a whole document, exchanged for others that could stand there: so that most of
//! what is made can be read, and comes as far as the planners.
//!
//! What could stand somewhere is learnt from the seeds: every value that one of them has at the same place
//! (elements of a list share theirs), and every member that one of them has in the same object.

use super::words::STRINGS;
use crate::random::Random;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Documents, and what stands where in them.
#[derive(Debug, Default)]
pub struct Lexicon {
    /// Those that end well as they are.
    whole: Vec<Value>,
    /// The others.
    broken: Vec<Value>,
    /// By place, elements being `*`: the values that those that end well have there.
    usual: Places,
    /// The same of the others.
    odd: Places,
}

type Places = BTreeMap<String, Vec<Value>>;

impl Lexicon {
    /// Learns from all that are JSON; `is_whole` says which of them end well.
    #[must_use]
    pub fn of(seeds: &[Vec<u8>], is_whole: impl Fn(&[u8]) -> bool) -> Lexicon {
        let mut lexicon = Lexicon::default();
        for seed in seeds {
            let Ok(document) = serde_json::from_slice::<Value>(seed) else {
                continue;
            };
            let (documents, places) = match is_whole(seed) {
                true => (&mut lexicon.whole, &mut lexicon.usual),
                false => (&mut lexicon.broken, &mut lexicon.odd),
            };
            learn(&document, &mut String::new(), places);
            documents.push(document);
        }
        lexicon
    }

    /// Some document with one to four changes; `None` where none is known.
    #[must_use]
    pub fn change(&self, random: &mut Random) -> Option<Vec<u8>> {
        let from = match random.one_in(8) || self.whole.is_empty() {
            true => &self.broken,
            false => &self.whole,
        };
        let mut document = random.of_these(from)?.clone();
        // One change most often: two that are each let pass meet in one plan, four rarely do.
        for _ in 0..=random.below(4).min(random.below(4)) {
            self.somewhere(&mut document, &mut String::new(), random);
        }
        Some(document.to_string().into_bytes())
    }

    /// Changes a value, or goes on with one of those in it: so a member counts as much as any other beside it,
    /// however long the lists in the others are.
    fn somewhere(&self, value: &mut Value, place: &mut String, random: &mut Random) {
        let stays = random.one_in(5);
        match value {
            Value::Array(items) if !stays && !items.is_empty() => {
                place.push_str("/*");
                let at = random.below(items.len());
                self.somewhere(&mut items[at], place, random);
            }
            Value::Object(members) if !stays && !members.is_empty() => {
                let at = random.below(members.len());
                if let Some((name, member)) = members.iter_mut().nth(at) {
                    place.push('/');
                    place.push_str(name);
                    self.somewhere(member, place, random);
                }
            }
            _ => self.here(value, place, random),
        }
    }

    fn here(&self, value: &mut Value, place: &str, random: &mut Random) {
        match (random.below(4), &mut *value) {
            (1.., Value::Array(items)) => self.list(items, place, random),
            (1.., Value::Object(members)) => self.object(members, place, random),
            (1, Value::Number(_)) => *value = near(value, random),
            (1, Value::Bool(on)) => *on = !*on,
            (1, Value::String(text)) if random.one_in(4) => {
                let word = random.of_these(STRINGS).copied().unwrap_or_default();
                *text = word.to_owned();
            }
            _ => {
                if let Some(other) = self.at(place, random) {
                    *value = other;
                }
            }
        }
    }

    /// A value that could stand there.
    fn at(&self, place: &str, random: &mut Random) -> Option<Value> {
        let odd = self.odd.get(place).filter(|_| random.one_in(6));
        let known = odd.or_else(|| self.usual.get(place))?;
        random.of_these(known).cloned()
    }

    fn list(&self, items: &mut Vec<Value>, place: &str, random: &mut Random) {
        let at = random.below(items.len());
        match random.below(4) {
            0 if !items.is_empty() => drop(items.remove(at)),
            1 if !items.is_empty() => {
                let mut twin = items[at].clone();
                if !random.one_in(4) {
                    self.somewhere(&mut twin, &mut format!("{place}/*"), random);
                }
                items.push(twin);
            }
            2 if !items.is_empty() => items.swap(at, 0),
            _ => items.extend(self.at(&format!("{place}/*"), random)),
        }
    }

    fn object(&self, members: &mut Map<String, Value>, place: &str, random: &mut Random) {
        if random.one_in(3) {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = random.of_these(&names);
            drop(name.and_then(|name| members.remove(name)));
            return;
        }
        let from = match random.one_in(6) {
            true => &self.odd,
            false => &self.usual,
        };
        let begin = format!("{place}/");
        let inside = |known: &&String| {
            let name = known.strip_prefix(&begin);
            name.is_some_and(|name| !name.contains('/') && name != "*")
        };
        let known: Vec<&String> = from.keys().filter(inside).collect();
        let Some(known) = random.of_these(&known) else {
            return;
        };
        let value = from.get(*known).and_then(|values| random.of_these(values));
        let name = known.strip_prefix(&begin).unwrap_or_default();
        members.insert(name.to_owned(), value.cloned().unwrap_or_default());
    }
}

/// Each value once, under its place.
fn learn(value: &Value, place: &mut String, places: &mut Places) {
    let known = places.entry(place.clone()).or_default();
    if !known.contains(value) {
        known.push(value.clone());
    }
    let length = place.len();
    let mut inner = |name: &str, value: &Value| {
        place.push('/');
        place.push_str(name);
        learn(value, place, places);
        place.truncate(length);
    };
    match value {
        Value::Array(items) => items.iter().for_each(|item| inner("*", item)),
        Value::Object(members) => members.iter().for_each(|(name, value)| inner(name, value)),
        _ => {}
    }
}

/// A number beside it, or one at the edge of something, below 0 only where it was there.
fn near(value: &Value, random: &mut Random) -> Value {
    let edges = [
        0,
        1,
        2,
        1000,
        65_535,
        i64::from(i32::MAX),
        i64::from(u32::MAX),
        1 << 32,
        i64::MAX,
    ];
    let Some(number) = value.as_i64() else {
        return value.clone();
    };
    let other = match random.below(4) {
        0 => number.saturating_add(1),
        1 => number.saturating_sub(1),
        2 => number.saturating_mul(2),
        _ => random.of_these(&edges).copied().unwrap_or_default(),
    };
    Value::from(if number >= 0 { other.max(0) } else { other })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon() -> Lexicon {
        let seeds: [&[u8]; 3] = [
            br#"{"a":[{"n":1},{"n":2,"m":true}],"w":"x"}"#,
            br#"{"a":[],"w":"odd"}"#,
            b"no JSON",
        ];
        Lexicon::of(&seeds.map(<[u8]>::to_vec), |seed| {
            !seed.ends_with(b"\"odd\"}")
        })
    }

    #[test]
    fn elements_share_what_is_known_of_them() {
        let lexicon = lexicon();
        assert_eq!((lexicon.whole.len(), lexicon.broken.len()), (1, 1));
        assert_eq!(lexicon.usual["/a/*/n"], [Value::from(1), Value::from(2)]);
        assert_eq!(lexicon.odd["/w"], [Value::from("odd")]);
    }

    #[test]
    fn changes_keep_the_kind_of_what_is_there_and_can_be_repeated() {
        let lexicon = lexicon();
        let made = |number| {
            lexicon
                .change(&mut Random::of(1, number))
                .unwrap_or_default()
        };
        let mut different = std::collections::BTreeSet::new();
        for number in 0..400 {
            let text = made(number);
            assert_eq!(text, made(number));
            let document: Value = serde_json::from_slice(&text).unwrap_or_default();
            for (name, member) in document.as_object().into_iter().flatten() {
                let fits = match name.as_str() {
                    "a" => member.is_array(),
                    "w" => member.is_string(),
                    _ => false,
                };
                assert!(fits, "{document}");
            }
            different.insert(text);
        }
        assert!(different.len() > 60, "only {} of 400", different.len());
    }
}
