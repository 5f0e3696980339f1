use super::*;

#[test]
fn versions() {
    for (text, verdict) in [
        ("1.0.0", ""),
        ("1.2.1", ""),
        ("1.0.2-dev", ""),
        ("1.3.0-rc.1+dev", ""),
        ("1.10.0+build-7", ""),
        ("", "missing"),
        ("banana", "three numbers"),
        ("1", "three numbers"),
        ("1.2", "three numbers"),
        ("1.2.3.4", "three numbers"),
        ("1..3", "three numbers"),
        ("v1.2.3", "three numbers"),
        ("1.2.x", "three numbers"),
        ("-1.2.3", "three numbers"),
        ("2.0.0", "1.x"),
        ("0.9.0", "1.x"),
        ("10.0.0", "1.x"),
    ] {
        match version(text) {
            Ok(()) => assert_eq!(verdict, "", "{text}"),
            Err(error) => assert!(
                !verdict.is_empty() && error.to_string().contains(verdict),
                "{text}: {error}"
            ),
        }
    }
}

#[test]
fn a_list_in_the_place_of_an_object_is_found_and_nothing_else() {
    for (text, place) in [
        (r#"{"root": ["rootfs", true]}"#, Some("/root")),
        (r#"{"root" : [ "rootfs" ]}"#, Some("/root")),
        (r#"{"process": {"user": [0, 0]}}"#, Some("/process/user")),
        (r#"{"mounts": [["/a"]]}"#, Some("/mounts/0")),
        (
            r#"{"mounts": [{"destination": "/"}, ["/a"]]}"#,
            Some("/mounts/1"),
        ),
        (
            r#"{"linux": {"namespaces": [ ["pid"]]}}"#,
            Some("/linux/namespaces/0"),
        ),
        (
            r#"{"process": {"args": ["a", "[b", "\"root\":["], "env": []}, "mounts": []}"#,
            None,
        ),
        (r#"{"annotations": {"\"root\":[": "root\":["}}"#, None),
        (
            r#"{"vendor": {"root": ["x"], "deep": [["y"]], "process": [[[]]]}}"#,
            None,
        ),
    ] {
        let found = objects(text).err().map(|error| error.one_line());
        match (place, &found) {
            (None, None) => {}
            (Some(place), Some(line)) => {
                assert!(line.contains(&format!("config.json#{place}:")), "{line}")
            }
            _ => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn a_device_needs_both_numbers_unless_it_is_a_pipe() {
    for (device, missing) in [
        (
            r#"{"path": "/dev/a", "type": "c", "major": 0, "minor": 0}"#,
            None,
        ),
        (
            r#"{"path": "/dev/a", "type": "b", "major": 7, "minor": 0}"#,
            None,
        ),
        (r#"{"path": "/dev/a", "type": "p"}"#, None),
        (r#"{"path": "/dev/a", "type": "c"}"#, Some("major")),
        (
            r#"{"path": "/dev/a", "type": "u", "minor": 3}"#,
            Some("major"),
        ),
        (
            r#"{"path": "/dev/a", "type": "b", "major": 7}"#,
            Some("minor"),
        ),
    ] {
        let text = format!(r#"{{"ociVersion": "1.2.0", "linux": {{"devices": [{device}]}}}}"#);
        let spec = serde_json::from_str(&text).unwrap();
        let found = check(&spec, &text).err().map(|error| error.one_line());
        match (missing, &found) {
            (None, None) => {}
            (Some(name), Some(line)) => assert!(
                line.contains(&format!(
                    "#/linux/devices/0/{name}: refused: it is required"
                )),
                "{line}"
            ),
            _ => panic!("{device}: {found:?}"),
        }
    }
}

#[test]
fn a_device_of_number_0_is_there_even_if_nobody_can_read_the_rest() {
    let text = br#"{"ociVersion": "1.2.0", "x": 1e999, "linux": {"devices": [{"path": "/dev/a", "type": "c", "major": 0, "minor": 0}]}}"#;
    assert!(super::super::from_bytes(text.to_vec(), "/b".into()).is_ok());
}

#[test]
fn a_large_file_takes_no_longer_than_its_length() {
    let many = |one: &str| vec![one; 20_000].join(",");
    let text = format!(
        r#"{{"ociVersion": "1.2.0", "x": [{}], "linux": {{"devices": [{}]}}}}"#,
        many("[]"),
        many(r#"{"path": "/dev/a", "type": "c", "major": 0, "minor": 0}"#)
    );
    let begun = std::time::Instant::now();
    assert!(super::super::from_bytes(text.into_bytes(), "/b".into()).is_ok());
    // By the square of the number it would be hours.
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}
