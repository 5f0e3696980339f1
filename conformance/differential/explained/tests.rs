use super::*;

#[test]
fn a_star_is_any_text() {
    for (pattern, text) in [
        ("*", ""),
        ("*", "x"),
        ("a*", "abc"),
        ("*c", "abc"),
        ("a*c", "ac"),
        ("a*b*c", "a-b-b-c"),
        ("x", "x"),
    ] {
        assert!(matches(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [
        ("", "x"),
        ("a*", "ba"),
        ("*c", "cb"),
        ("a*c", "a"),
        ("a*b*c", "ac"),
        ("x", "xx"),
    ] {
        assert!(!matches(pattern, text), "{pattern} {text}");
    }
}

fn draw() -> Draw {
    let mut draw = Draw::plain();
    draw.spec
        .set("/process/noNewPrivileges", serde_json::json!(true));
    draw
}

fn difference() -> Difference {
    let [what, ours, theirs] = ["status CapEff", "1", "2"].map(str::to_owned);
    Difference {
        what,
        ours,
        theirs,
        said: None,
    }
}

fn covers(text: &str) -> bool {
    let because = r#", "because": "because the specification says it should"}]"#;
    let all = parse(&format!("[{{{text}{because}")).unwrap();
    all[0].covers(&draw(), "runc", &difference())
}

#[test]
fn every_part_of_an_explanation_must_hold() {
    assert!(covers(
        r#""peers": ["crun", "runc"], "what": ["status Cap*"], "theirs": "2""#
    ));
    assert!(covers(
        r#""peers": ["*"], "what": ["*"], "when": {"/process/noNewPrivileges": true, "/no/such": null}"#
    ));
    for part in [
        r#""peers": ["crun"], "what": ["*"]"#,
        r#""peers": ["runc"], "what": ["mount *"]"#,
        r#""peers": ["runc"], "what": ["*"], "ours": "2""#,
        r#""peers": ["runc"], "what": ["*"], "said": "*no*""#,
        r#""peers": ["runc"], "what": ["*"], "when": {"/process/noNewPrivileges": false}"#,
        r#""peers": ["runc"], "what": ["*"], "when": {"/process/noNewPrivileges": null}"#,
    ] {
        assert!(!covers(part), "{part}");
    }
}

#[test]
fn an_explanation_without_a_reason_is_none() {
    assert!(parse(r#"[{"peers": ["runc"], "what": ["*"], "because": "yes"}]"#).is_err());
    assert!(parse(r#"[{"peers": ["runc"], "because": "a reason that is long enough"}]"#).is_err());
    assert!(
        parse(r#"[{"peers": ["runc"], "what": ["*"], "becuase": "a reason that is long enough"}]"#)
            .is_err()
    );
}

#[test]
fn the_file_is_one() {
    assert!(!read().unwrap().is_empty());
}
