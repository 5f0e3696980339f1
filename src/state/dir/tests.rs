use super::*;

#[test]
fn ids() {
    for good in ["a", "web-1", "A_b+c.d", "..a", "0", &"x".repeat(255)] {
        assert!(is_id(good), "{good}");
    }
    for bad in [
        "",
        ".",
        "..",
        "a/b",
        "/a",
        "a b",
        "a\n",
        "ä",
        "a:b",
        &"x".repeat(256),
    ] {
        assert!(!is_id(bad), "{bad:?}");
    }
}

#[test]
fn one_of_two_reservations_wins() {
    let root = tempfile::tempdir().unwrap();
    let home = Home::at(&root.path().join("home")).unwrap();
    let seat = home.reserve("a").unwrap();
    let second = home.reserve("a").unwrap_err();
    assert!(
        second
            .one_line()
            .contains("container with given ID already exists"),
        "{second}"
    );
    seat.remove().unwrap();
    home.reserve("a").unwrap();
}
