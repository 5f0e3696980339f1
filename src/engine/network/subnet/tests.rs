use super::Subnet;

fn subnet(text: &str) -> Subnet {
    text.parse().unwrap()
}

#[test]
fn texts_are_ranges_or_refused() {
    for good in [
        "10.77.0.0/24",
        "0.0.0.0/0",
        "10.0.0.1/32",
        "fd00::/64",
        "::/0",
        "::1/128",
    ] {
        assert_eq!(subnet(good).to_string(), good);
    }
    for (bad, why) in [
        ("10.77.0.1/24", "is 10.77.0.0/24"),
        ("10.77.0.0", "written as"),
        ("10.77.0.0/33", "32 bits"),
        ("fd00::/129", "128 bits"),
        ("x/8", "written as"),
        ("10.0.0.0/", "written as"),
    ] {
        let told = bad.parse::<Subnet>().unwrap_err();
        assert!(told.contains(why), "{bad}: {told}");
    }
}

#[test]
fn addresses_are_counted_from_the_first() {
    let four = subnet("10.77.3.0/24");
    assert_eq!(four.nth(1).unwrap().to_string(), "10.77.3.1");
    assert_eq!(four.nth(256), None);
    assert_eq!(four.last(), 254);
    assert_eq!(four.position("10.77.3.9".parse().unwrap()), Some(9));
    assert_eq!(four.position("10.77.4.9".parse().unwrap()), None);
    let six = subnet("fd01:2::/64");
    assert_eq!(six.nth(0x1_0000).unwrap().to_string(), "fd01:2::1:0");
    assert_eq!(six.last(), u128::from(u64::MAX));
    assert_eq!(subnet("::/0").last(), u128::MAX);
}

#[test]
fn ranges_overlap_or_not() {
    for (one, other, answer) in [
        ("10.0.0.0/8", "10.77.0.0/24", true),
        ("10.77.0.0/24", "10.77.1.0/24", false),
        ("10.77.0.0/23", "10.77.1.0/24", true),
        ("0.0.0.0/0", "fd00::/64", false),
        ("fd00::/8", "fd12::/64", true),
    ] {
        assert_eq!(subnet(one).overlaps(subnet(other)), answer, "{one} {other}");
        assert_eq!(subnet(other).overlaps(subnet(one)), answer, "{other} {one}");
    }
}

#[test]
fn a_range_has_parts() {
    let parts: Vec<String> = subnet("10.0.0.0/22")
        .parts(24)
        .map(|p| p.to_string())
        .collect();
    assert_eq!(
        parts,
        ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]
    );
    assert_eq!(subnet("255.255.255.0/24").parts(24).count(), 1);
    assert_eq!(subnet("::/0").parts(0).count(), 1);
}

#[test]
fn a_mask_is_in_network_order() {
    assert_eq!(subnet("10.0.0.0/12").mask(), [255, 240, 0, 0]);
    assert_eq!(subnet("0.0.0.0/0").mask(), [0; 4]);
}
