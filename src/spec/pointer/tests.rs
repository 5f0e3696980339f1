use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value};

#[test]
fn the_innermost_value_around_a_byte() {
    // The byte meant stands before each mark.
    for (marked, expected) in [
        (r#"{^"a": 1}"#, ""),
        (r#"{"a"^: 1}"#, "/a"),
        (r#"{"a":^ 1}"#, "/a"),
        (r#"{"a": 1^}"#, "/a"),
        (r#"{"a": 1}^"#, ""),
        (r#"{"a": 1,^ "b": 2}"#, ""),
        (r#"{"a": {"b": "x"^}}"#, "/a/b"),
        (r#"{"a": {"b": "x"}^}"#, "/a"),
        (r#"{"a": [1, 2^]}"#, "/a/1"),
        (r#"{"a": [1,^ 2]}"#, "/a/1"),
        (r#"{"a": [1, 2]^}"#, "/a"),
        (r#"{"a": [[], {"c": tr^ue}]}"#, "/a/1/c"),
        (r#"{"a\"]": "}\\", "b": 3^}"#, "/b"),
        (r#"{"x/y~z": 1^}"#, "/x~1y~0z"),
        (r#"{"\u0061": 1^}"#, "/a"),
    ] {
        let at = marked.find('^').unwrap();
        let text = marked.replacen('^', "", 1);
        assert_eq!(
            around(text.as_bytes(), at - 1).as_str(),
            expected,
            "{marked}"
        );
    }
}

#[test]
fn lines_and_columns_are_counted_from_one() {
    let text = b"ab\ncd\n\nef";
    for (line, column, byte) in [
        (1, 1, 0),
        (1, 2, 1),
        (2, 1, 3),
        (4, 2, 8),
        (2, 0, 3),
        (9, 9, 8),
    ] {
        assert_eq!(offset(text, line, column), byte, "{line}:{column}");
    }
    assert_eq!(offset(b"", 1, 1), 0);
}

/// Documents of four levels, with names that need care.
fn documents() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["a", "b/c", "~", "\"", "\\", "é", "", "[", "}"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        "[\\[\\]{}\",:a\\\\]{0,4}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let member = (name.clone().prop_map(str::to_owned), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            prop::collection::vec(member, 0..5)
                .prop_map(|all| Value::Object(all.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// All pointers of the document with the text of their values.
fn places(value: &Value, pointer: &Pointer, all: &mut Vec<Pointer>) {
    all.push(pointer.clone());
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, member)| places(member, &pointer.at(name), all)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| places(item, &pointer.at(index), all)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn every_pointer_is_found_and_no_other(document in documents()) {
        let text = document.to_string().into_bytes();
        let mut known = Vec::new();
        places(&document, &Pointer::default(), &mut known);
        let mut missing: std::collections::BTreeSet<_> = known.iter().cloned().collect();
        for at in 0..text.len() {
            let found = around(&text, at);
            // Right after "[" of an empty list one may expect its first element.
            let list = found.as_str().strip_suffix("/0").and_then(|list| document.pointer(list));
            prop_assert!(known.contains(&found) || list.is_some_and(Value::is_array), "{} at {at}", found.as_str());
            missing.remove(&found);
        }
        prop_assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn bytes_that_are_no_json_do_no_harm(text in prop::collection::vec(any::<u8>(), 0..60), at in 0_usize..80) {
        let _ = around(&text, at);
    }
}
