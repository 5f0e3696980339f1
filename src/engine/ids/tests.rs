use super::*;

fn maps(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn maps_as_they_are_typed() {
    let typed = parse(None, &maps(&["0:100000:1000", "1000:5"]), &[]).unwrap();
    let Userns::Typed(ids) = typed else {
        panic!("{typed:?}")
    };
    assert_eq!(ids.uids, ids.gids);
    assert_eq!(ids.of_host(7, 1000), Some((100_007, 5)));
    assert_eq!(ids.of_host(1001, 0), None);
    assert!(ids.has_group(1000) && !ids.has_group(1001));
    for wrong in ["0", "a:b:c", "0:1:0", "0:1:2:3", ""] {
        assert!(parse(None, &maps(&[wrong]), &[]).is_err(), "{wrong}");
    }
    assert!(parse(None, &maps(&["0:5:10", "20:14:1"]), &[]).is_err());
    assert!(parse(Some("auto"), &maps(&["0:5:10"]), &[]).is_err());
}

#[test]
fn modes_and_their_options() {
    assert_eq!(parse(Some("host"), &[], &[]).unwrap(), Userns::Host);
    assert_eq!(
        parse(Some("auto:size=9"), &[], &[]).unwrap(),
        Userns::Auto { size: 9 }
    );
    for wrong in [
        "auto:size=0",
        "auto:size=x",
        "auto:uid=1",
        "host:x=1",
        "other",
        "keep-id:size=1",
    ] {
        assert!(parse(Some(wrong), &[], &[]).is_err(), "{wrong}");
    }
}
