use super::*;

fn property(name: &str, value: Variant) -> Property {
    Property {
        name: name.to_owned(),
        value,
        pointer: "/x".into(),
    }
}

/// What a peer would have to send to say the same with its bytes the other way round.
fn reply(order: u8) -> Vec<u8> {
    let number = |value: u32| match order {
        b'B' => value.to_be_bytes(),
        _ => value.to_le_bytes(),
    };
    let mut fields = Vec::new();
    fields.extend_from_slice(&[5, 1, b'u', 0]);
    fields.extend_from_slice(&number(7));
    fields.extend_from_slice(&[8, 1, b'g', 0, 1, b's', 0]);
    let mut all = vec![order, 2, 1, 1];
    all.extend_from_slice(&number(8));
    all.extend_from_slice(&number(99));
    all.extend_from_slice(&number(15));
    all.extend_from_slice(&fields);
    all.push(0);
    all.extend_from_slice(&number(3));
    all.extend_from_slice(b"/a\0\0");
    all[32 + 4 + 2] = b'b';
    all
}

#[test]
fn an_answer_is_read_in_either_order() {
    for order in [b'l', b'B'] {
        let all = reply(order);
        assert_eq!(rest(&all[..FIXED]), Some(all.len() - FIXED));
        let mut message = Message::read(&all).unwrap();
        assert_eq!((message.kind, message.answers), (Kind::Return, 7));
        assert_eq!(message.body.text(), Some("/ab"));
        assert_eq!(message.body.text(), None, "nothing after it");
    }
}

#[test]
fn a_call_is_read_back() {
    let mut body = Body::default();
    body.text("a.scope");
    let call = Call {
        destination: "d",
        path: "/p",
        interface: "i.i",
        member: "Stop",
        signature: "s",
        body,
    };
    let bytes = call.bytes(3);
    assert_eq!(bytes[..4], [b'l', 1, 0, 1]);
    assert_eq!(rest(&bytes[..FIXED]), Some(bytes.len() - FIXED));
    let mut message = Message::read(&bytes).unwrap();
    assert_eq!((message.kind, message.name), (Kind::Other, "Stop"));
    assert_eq!(message.body.text(), Some("a.scope"));
}

#[test]
fn values_stand_where_the_specification_wants_them() {
    let mut body = Body::default();
    let pair = Variant::Tuple(vec![Variant::text("n"), Variant::text("r")]);
    let list = Variant::List {
        of: "(ss)".to_owned(),
        members: vec![pair],
    };
    body.properties(&[property("A", Variant::Uint64(1)), property("B", list)]);
    let expected: Vec<u8> = [
        &[68, 0, 0, 0, 0, 0, 0, 0][..],        // bytes of the list, gap
        &[1, 0, 0, 0, b'A', 0, 1, b't', 0],    // "A", type t
        &[0, 0, 0, 0, 0, 0, 0],                // gap
        &[1, 0, 0, 0, 0, 0, 0, 0],             // 1
        &[1, 0, 0, 0, b'B', 0],                // "B"
        &[5, b'a', b'(', b's', b's', b')', 0], // its type
        &[0, 0, 0],                            // gap
        &[14, 0, 0, 0, 0, 0, 0, 0],            // bytes of the inner list, gap
        &[0, 0, 0, 0][..0],
        &[1, 0, 0, 0, b'n', 0, 0, 0],
        &[1, 0, 0, 0, b'r', 0],
    ]
    .concat();
    let mut expected = expected;
    expected[0] = u8::try_from(expected.len() - 8).unwrap();
    assert_eq!(body.0, expected);
    let mut empty = Body::default();
    empty.nothing_beside();
    assert_eq!(empty.0, [0; 8], "the gap stands before no member, too");
}

#[test]
fn broken_bytes_are_no_message() {
    let all = reply(b'l');
    for end in 0..all.len() {
        // Nothing is read beyond the end.
        if let Some(mut message) = Message::read(&all[..end]) {
            assert_eq!(message.body.text(), None, "{end}");
        }
    }
    assert_eq!(
        rest(&[b'l', 2, 1, 1, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]),
        None
    );
}
