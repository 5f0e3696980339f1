//! Members, elements and values of JSON.

use super::words::{self, NAMES, STRINGS};
use crate::random::Random;
use serde_json::Value;

/// The longest text that this makes.
const LONGEST: usize = 1 << 18;

/// `input` with one to four places changed; `None` where it is no JSON. Values come from itself, from
/// `other` and from the words that mean something.
#[must_use]
pub fn change(input: &[u8], other: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(input).ok()?;
    let stranger: Value = serde_json::from_slice(other).unwrap_or_default();
    for _ in 0..=random.below(4) {
        let donor = match random.one_in(2) {
            true => any(&document, random).clone(),
            false => any(&stranger, random).clone(),
        };
        let place = random.below(count(&document));
        if let Some(value) = nth(&mut document, &mut place.clone()) {
            once(value, donor, random);
        }
    }
    let text = match random.one_in(4) {
        true => format!("{document:#}"),
        false => document.to_string(),
    };
    (text.len() <= LONGEST).then(|| text.into_bytes())
}

/// How many values there are, this one and all within it.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// The value that is `left` places further on, in the order of the text.
fn nth<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Object(members) => members.values_mut().find_map(|member| nth(member, left)),
        _ => None,
    }
}

/// Some value of the document.
fn any<'v>(document: &'v Value, random: &mut Random) -> &'v Value {
    let mut value = document;
    loop {
        let inner: Vec<&Value> = match value {
            Value::Array(items) => items.iter().collect(),
            Value::Object(members) => members.values().collect(),
            _ => return value,
        };
        match random.of_these(&inner) {
            Some(one) if !random.one_in(4) => value = one,
            _ => return value,
        }
    }
}

fn once(value: &mut Value, donor: Value, random: &mut Random) {
    match (random.below(8), &mut *value) {
        (0, _) => *value = words::edge(random),
        (1, _) => *value = donor,
        (2, _) => *value = as_other_kind(value),
        (_, Value::Object(members)) => of_object(members, donor, random),
        (_, Value::Array(items)) => of_list(items, donor, random),
        (_, Value::String(text)) => of_text(text, random),
        (_, Value::Bool(on)) => *on = !*on,
        _ => *value = words::edge(random),
    }
}

/// A number as text, text as a number, one as a list, a list as one.
fn as_other_kind(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::String(text) => text.parse::<i64>().map_or_else(
            |_| Value::Array(vec![value.clone()]),
            |number| Value::Number(number.into()),
        ),
        Value::Array(items) => items.first().cloned().unwrap_or_default(),
        other => Value::Array(vec![other.clone()]),
    }
}

fn of_object(members: &mut serde_json::Map<String, Value>, donor: Value, random: &mut Random) {
    let names: Vec<String> = members.keys().cloned().collect();
    let Some(name) = random.of_these(&names) else {
        let name = random.of_these(NAMES).copied().unwrap_or_default();
        members.insert(name.to_owned(), donor);
        return;
    };
    match random.below(5) {
        0 => drop(members.remove(name)),
        1 => drop(members.insert(name.clone(), donor)),
        2 => {
            let other = random.of_these(NAMES).copied().unwrap_or_default();
            members.insert(other.to_owned(), donor);
        }
        3 => {
            // Misspelt.
            let mut wrong = name.clone();
            of_text(&mut wrong, random);
            let value = members.remove(name).unwrap_or_default();
            members.insert(wrong, value);
        }
        _ => drop(members.insert(name.clone(), words::edge(random))),
    }
}

fn of_list(items: &mut Vec<Value>, donor: Value, random: &mut Random) {
    let at = random.below(items.len() + 1);
    let inside = at.min(items.len().saturating_sub(1));
    match random.below(6) {
        0 if !items.is_empty() => drop(items.remove(inside)),
        1 => items.insert(at, donor),
        2 if !items.is_empty() => items.push(items[inside].clone()),
        3 if !items.is_empty() => items.swap(inside, 0),
        4 if random.one_in(16) && !items.is_empty() => {
            let many = vec![items[inside].clone(); 1 << random.below(12)];
            items.extend(many);
        }
        _ => items.insert(at, words::edge(random)),
    }
}

fn of_text(text: &mut String, random: &mut Random) {
    let mut letters: Vec<char> = text.chars().collect();
    let at = random.below(letters.len());
    match random.below(8) {
        0 if !letters.is_empty() => drop(letters.remove(at)),
        1 if !letters.is_empty() => letters.insert(at, letters[at]),
        2 if !letters.is_empty() => letters.swap(at, 0),
        3 => letters = text.to_uppercase().chars().collect(),
        4 => letters.insert(at, '/'),
        5 => letters.insert(at, '\0'),
        _ => {
            let word = random.of_these(STRINGS).copied().unwrap_or_default();
            letters = word.chars().collect();
        }
    }
    *text = letters.into_iter().collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_json_again_and_can_be_repeated() {
        let input = br#"{"a":[1,"two",{"b":null}],"c":true}"#;
        let mut different = 0;
        for number in 0..200 {
            let once = change(input, b"[7]", &mut Random::of(1, number)).unwrap_or_default();
            let again = change(input, b"[7]", &mut Random::of(1, number)).unwrap_or_default();
            assert_eq!(once, again);
            assert!(serde_json::from_slice::<Value>(&once).is_ok() || once.len() > 128);
            different += usize::from(once != input);
        }
        assert!(different > 150, "only {different} of 200 were changed");
    }

    #[test]
    fn every_value_can_be_reached() {
        let mut document: Value =
            serde_json::from_slice(br#"{"a":[1,2],"b":3}"#).unwrap_or_default();
        let all: Vec<Value> = (0..count(&document))
            .filter_map(|place| nth(&mut document.clone(), &mut place.clone()).cloned())
            .collect();
        assert_eq!(all.len(), 5);
        assert_eq!(all.last(), nth(&mut document, &mut 4).map(|value| &*value));
    }
}
