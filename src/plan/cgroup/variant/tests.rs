use super::{Variant, parse};

fn list(of: &str, members: Vec<Variant>) -> Variant {
    let of = of.to_owned();
    Variant::List { of, members }
}

#[test]
fn the_text_of_values() {
    let text = |text: &str| Variant::text(text);
    for (written, expected) in [
        ("true", Variant::Bool(true)),
        (" false ", Variant::Bool(false)),
        ("9", Variant::Int32(9)),
        ("-1", Variant::Int32(-1)),
        ("uint64 5000000", Variant::Uint64(5_000_000)),
        ("@t 18446744073709551615", Variant::Uint64(u64::MAX)),
        ("byte 0xff", Variant::Byte(255)),
        ("'inactive-or-failed'", text("inactive-or-failed")),
        ("\"it's\"", text("it's")),
        ("'it\\'s'", text("it's")),
        (
            "['a.service', 'b.service']",
            list("s", vec![text("a.service"), text("b.service")]),
        ),
        ("@as []", list("s", vec![])),
        (
            "@at [1, 2]",
            list("t", vec![Variant::Uint64(1), Variant::Uint64(2)]),
        ),
        (
            "[('a', 'b')]",
            list("(ss)", vec![Variant::Tuple(vec![text("a"), text("b")])]),
        ),
    ] {
        assert_eq!(parse(written).unwrap(), expected, "{written}");
    }
}

#[test]
fn what_is_no_value_is_refused_with_the_reason() {
    for (written, why) in [
        ("", "a value is missing"),
        ("mixed", "a text stands in quotes"),
        ("'open", "a ' is missing"),
        ("['a', (1, 2)]", "a list of the type s has a member of (ii)"),
        ("[]", "an empty list needs its type"),
        ("[1", "a ] is missing"),
        ("1 2", "'2' stands after the value"),
        ("byte 256", "\"256\" is no number of the type y"),
        ("@t 'a'", "a text is no value of the type t"),
        ("[[[[[[[[[1]]]]]]]]]", "nested too deep"),
        ("@@@ 1", "no number of the type @@"),
    ] {
        let refused = parse(written).map_err(|told| told.contains(why));
        assert_eq!(refused, Err(true), "{written}: {:?}", parse(written));
    }
}

#[test]
fn types_are_those_of_d_bus() {
    let both = Variant::Tuple(vec![Variant::text("a"), Variant::Uint64(1)]);
    assert_eq!(list("(st)", vec![both]).signature(), "a(st)");
    assert_eq!(Variant::bytes(vec![1, 2]).signature(), "ay");
    assert_eq!(Variant::texts([]).signature(), "as");
}
