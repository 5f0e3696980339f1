//! Archives that are broken, lie about their sizes, or never end.

use super::archive::{Entry, Tar, entry};
use super::hostile::Target;
use super::image::{Layer, image};

#[test]
fn sizes_that_are_not_there() {
    let huge = Entry {
        size: Some(0o77_777_777_777),
        ..entry("huge", b'0')
    };
    Target::refuses(
        Tar::default().add(&huge, b"x").cut(),
        "the archive ends in the middle of an entry",
    );
    let most = Tar::default()
        .pax(&[("size", b"18446744073709551615")])
        .file("huge", "x")
        .end();
    Target::refuses(most, "an entry says that it has");
    Target::refuses(
        Tar::default().file("a", "a").cut()[..700].to_vec(),
        "in the middle of an entry",
    );
    Target::refuses(
        Tar::default().file("a", "a").cut()[..300].to_vec(),
        "in the middle of a header",
    );
    let header = Entry {
        size: Some(2 << 20),
        ..entry("x", b'x')
    };
    Target::refuses(
        Tar::default().add(&header, b"").end(),
        "1048576 are the most",
    );
    let name = Entry {
        size: Some(9 << 20),
        ..entry("x", b'L')
    };
    Target::refuses(Tar::default().add(&name, b"").end(), "4097 are the most");
}

#[test]
fn broken_headers() {
    let mut wrong = Tar::default().file("a", "a").end();
    wrong[0] = b'b';
    Target::refuses(wrong, "a header's sum is wrong");
    for record in [
        b"5 a=b".as_slice(),
        b"99999 path=x\n",
        b"x path=x\n",
        b"9 pathx\n",
        b"18446744073709551616 a=b\n",
    ] {
        let tar = Tar::default()
            .add(&entry("pax", b'x'), record)
            .file("a", "a")
            .end();
        Target::refuses(tar, "an extended header is broken");
    }
    let tar = Tar::default()
        .pax(&[("path", b"a\0b")])
        .file("a", "a")
        .end();
    Target::refuses(tar, "a name with a zero byte");
    let tar = Tar::default()
        .pax(&[("uid", b"99999999999")])
        .file("a", "a")
        .end();
    Target::refuses(tar, "no owner that could be read");
}

#[test]
fn broken_sparse_files() {
    let sparse =
        |records: &[(&str, &[u8])], data: &[u8]| Tar::default().pax(records).file("s", data).end();
    let map = |map: &'static [u8]| -> Vec<(&'static str, &'static [u8])> {
        vec![("GNU.sparse.size", b"100"), ("GNU.sparse.map", map)]
    };
    for broken in [
        b"0,2,1,2".as_slice(),
        b"0,200",
        b"99,4",
        b"18446744073709551615,4",
    ] {
        Target::refuses(sparse(&map(broken), b"abcd"), "the pieces of a sparse file");
    }
    Target::refuses(sparse(&map(b"0,3"), b"abcd"), "not as long as its data");
    Target::refuses(
        sparse(&map(b"0,x"), b"abcd"),
        "a sparse file's map is broken",
    );
    let one = [
        ("GNU.sparse.major", b"1".as_slice()),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.realsize", b"9"),
    ];
    Target::refuses(sparse(&one, b"7"), "a sparse file's map is broken");
    Target::refuses(sparse(&one, &[b'9'; 512]), "a sparse file's map is broken");
}

#[test]
fn bombs_end_at_their_bound() {
    // A gigabyte and more of zeros in a megabyte; the bound for so small a blob is one gigabyte.
    let script = "{ printf ''; head -c 1100000000 /dev/zero; } | gzip -1";
    let target = Target::new();
    let zeros = std::process::Command::new("sh")
        .args(["-c", script])
        .output()
        .unwrap()
        .stdout;
    let header = Entry {
        size: Some(1_200_000_000),
        ..entry("bomb", b'0')
    };
    // Two members of gzip are one stream.
    let blob = [
        super::archive::gzip(&Tar::default().add(&header, b"").cut()[..512]),
        zeros,
    ]
    .concat();
    let layer = Layer {
        kind: super::image::GZIP.to_owned(),
        blob,
        diff_id: super::image::digest(b""),
    };
    target.registry.push("a", "1", &image(vec![layer]));
    target.lab.bad(
        &["pull", &target.registry.name("a:1")],
        "more than 1073741824 bytes come out of it",
    );
    assert!(target.lab.listed("layers").is_empty());
}
