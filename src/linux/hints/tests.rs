use crate::error::nearest;

const WORDS: [&str; 7] = [
    "ro",
    "rw",
    "size",
    "rslave",
    "rprivate",
    "private",
    "SCMP_ACT_ALLOW",
];

#[test]
fn the_nearest_known_word() {
    for (word, expected) in [
        ("siz", Some("size")),
        ("sizes", Some("size")),
        ("seze", Some("size")),
        ("SIZE", Some("size")),
        ("slave", Some("rslave")),
        ("rlsave", Some("rslave")),
        ("privat", Some("private")),
        ("rprivat", Some("rprivate")),
        ("SCMP_ACT_ALOW", Some("SCMP_ACT_ALLOW")),
        ("scmp_act_allwo", Some("SCMP_ACT_ALLOW")),
        ("SCMP_ACT_XXX", None),
        ("sl", None),
        ("rx", None),
        ("RO", Some("ro")),
        ("mode", None),
        ("", None),
        ("größe", None),
    ] {
        assert_eq!(nearest(word, WORDS), expected, "{word}");
    }
    assert_eq!(nearest("any", []), None);
}
