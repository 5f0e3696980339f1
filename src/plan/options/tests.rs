use super::*;

const OFF: u64 = 0;

fn read(words: &[&str]) -> Result<Options> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    parse(&words, &Pointer::from("/mounts/3"))
}

fn change(set: u64, clear: u64) -> AttrChange {
    AttrChange { set, clear }
}

/// Words that the specification's table says a runtime must, should or may know, and that orbital obeys.
const SPECIFIED: &str = "async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime \
    nodev nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private \
    ratime rbind rdev rdiratime relatime rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid \
    rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared \
    silent slave strictatime suid symfollow sync tmpcopyup unbindable remount idmap ridmap";

#[test]
fn no_word_of_the_specification_is_taken_for_data() {
    for word in SPECIFIED.split_whitespace() {
        assert_eq!(read(&[word]).unwrap().data, [], "{word}");
        assert!(known().any(|known| known == word), "{word}");
    }
    let more: Vec<&str> = known()
        .filter(|known| SPECIFIED.split_whitespace().all(|word| word != *known))
        .collect();
    assert_eq!(
        more,
        ["rnodev", "src-nofollow", "copy-symlink", "dest-nofollow"],
        "the first is forgotten in the specification's table only; crun has the others"
    );
}

#[test]
fn each_attribute_and_its_opposite() {
    for (on, off, bit) in [
        ("ro", "rw", RDONLY),
        ("nosuid", "suid", NOSUID),
        ("nodev", "dev", NODEV),
        ("noexec", "exec", NOEXEC),
        ("nosymfollow", "symfollow", NOSYMFOLLOW),
        ("nodiratime", "diratime", NODIRATIME),
    ] {
        assert_eq!(read(&[on]).unwrap().attributes, change(bit, 0), "{on}");
        assert_eq!(read(&[off]).unwrap().attributes, change(0, bit), "{off}");
        assert_eq!(
            read(&[on, off]).unwrap().attributes,
            change(0, bit),
            "{on},{off}"
        );
        assert_eq!(
            read(&[off, on]).unwrap().attributes,
            change(bit, 0),
            "{off},{on}"
        );
        let (all_on, all_off) = (format!("r{on}"), format!("r{off}"));
        assert_eq!(
            read(&[&all_on]).unwrap().tree_attributes,
            change(bit, 0),
            "{all_on}"
        );
        assert_eq!(
            read(&[&all_off]).unwrap().tree_attributes,
            change(0, bit),
            "{all_off}"
        );
        assert_eq!(
            read(&[&all_on]).unwrap().attributes,
            change(0, 0),
            "{all_on}"
        );
    }
}

#[test]
fn an_access_time_mode_clears_the_whole_field() {
    for (words, expected) in [
        (&["noatime"][..], change(NOATIME, ATIME)),
        (&["strictatime"], change(STRICTATIME, ATIME)),
        (&["relatime"], change(OFF, ATIME)),
        (&["noatime", "strictatime"], change(STRICTATIME, ATIME)),
        (&["strictatime", "noatime"], change(STRICTATIME, ATIME)),
        (&["strictatime", "relatime"], change(STRICTATIME, ATIME)),
        (&["noatime", "relatime"], change(NOATIME, ATIME)),
        (&["atime"], change(OFF, ATIME)),
        (&["noatime", "atime"], change(OFF, ATIME)),
        (&["strictatime", "atime"], change(STRICTATIME, ATIME)),
        (&["nostrictatime"], change(OFF, ATIME)),
        (&["strictatime", "nostrictatime"], change(OFF, ATIME)),
        (&["noatime", "nostrictatime"], change(NOATIME, ATIME)),
        (&["norelatime"], change(OFF, OFF)),
        (&["noatime", "norelatime"], change(NOATIME, ATIME)),
        (
            &["noatime", "nodiratime", "ro"],
            change(NOATIME | NODIRATIME | RDONLY, ATIME),
        ),
        (&["nodiratime", "relatime"], change(NODIRATIME, ATIME)),
    ] {
        assert_eq!(read(words).unwrap().attributes, expected, "{words:?}");
        let all: Vec<String> = words.iter().map(|word| format!("r{word}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let expected = AttrChange {
            set: expected.set & !RDONLY,
            ..expected
        };
        if !words.contains(&"ro") {
            assert_eq!(read(&all).unwrap().tree_attributes, expected, "{all:?}");
        }
    }
}

#[test]
fn propagation_keeps_its_order() {
    for (words, expected) in [
        (&["shared"][..], &[MS_SHARED][..]),
        (&["rshared"], &[MS_SHARED | MS_REC]),
        (&["slave"], &[MS_SLAVE]),
        (&["rslave"], &[MS_SLAVE | MS_REC]),
        (&["private"], &[MS_PRIVATE]),
        (&["rprivate"], &[MS_PRIVATE | MS_REC]),
        (&["unbindable"], &[MS_UNBINDABLE]),
        (&["runbindable"], &[MS_UNBINDABLE | MS_REC]),
        (&["rslave", "ro", "shared"], &[MS_SLAVE | MS_REC, MS_SHARED]),
    ] {
        assert_eq!(read(words).unwrap().propagation, expected, "{words:?}");
    }
}

#[test]
fn rbind_wins_over_bind() {
    for (words, expected) in [
        (&["ro"][..], None),
        (&["bind"], Some(Recursive::No)),
        (&["rbind"], Some(Recursive::Yes)),
        (&["bind", "rbind"], Some(Recursive::Yes)),
        (&["rbind", "bind"], Some(Recursive::Yes)),
    ] {
        assert_eq!(read(words).unwrap().bind, expected, "{words:?}");
    }
}

fn shown(options: &[FsOption]) -> Vec<String> {
    let show = |option: &FsOption| match &option.value {
        Some(value) => format!(
            "{}:{}={}",
            option.index,
            option.key.to_str().unwrap(),
            value.to_str().unwrap()
        ),
        None => format!("{}:{}", option.index, option.key.to_str().unwrap()),
    };
    options.iter().map(show).collect()
}

#[test]
fn flags_of_the_superblock() {
    for (words, expected) in [
        (&["sync"][..], &["0:sync"][..]),
        (
            &["ro", "dirsync", "lazytime", "mand"],
            &["1:dirsync", "2:lazytime", "3:mand"],
        ),
        (&["sync", "async"], &[]),
        (&["lazytime", "sync", "nolazytime"], &["1:sync"]),
        (&["mand", "nomand"], &[]),
        (
            &["silent", "loud", "iversion", "noiversion", "defaults"],
            &[],
        ),
    ] {
        let options = read(words).unwrap();
        assert_eq!(shown(&options.superblock), expected, "{words:?}");
        assert_eq!(options.data, [], "{words:?}");
    }
}

#[test]
fn data_for_the_file_system() {
    for (words, expected) in [
        (
            &["newinstance", "ptmxmode=0666", "mode=0620", "gid=5"][..],
            &["0:newinstance", "1:ptmxmode=0666", "2:mode=0620", "3:gid=5"][..],
        ),
        (&["nosuid", "size=65536k"], &["1:size=65536k"]),
        (&["mode=755,size=1m"], &["0:mode=755", "0:size=1m"]),
        (
            &["context=\"system_u:object_r:c_t:s0:c1,c2\""],
            &["0:context=system_u:object_r:c_t:s0:c1,c2"],
        ),
        (
            &["lowerdir=/a\\,b:/c,upperdir=/u"],
            &["0:lowerdir=/a\\,b:/c", "0:upperdir=/u"],
        ),
        (&["key="], &["0:key="]),
        (&["a=b=c"], &["0:a=b=c"]),
        (&["", "x-y", ","], &["1:x-y"]),
        (&["RO"], &["0:RO"]),
    ] {
        assert_eq!(shown(&read(words).unwrap().data), expected, "{words:?}");
    }
}

#[test]
fn what_orbital_does_beside_the_mount() {
    let of = |words: &[&str]| read(words).unwrap().extras;
    assert_eq!(of(&["ro", "size=1m", "sync"]), Extras::default());
    assert_eq!(of(&["ro", "remount"]).remount, Some(1));
    assert_eq!(of(&["tmpcopyup", "ro"]).copy_up, Some(0));
    assert_eq!(of(&["dest-nofollow"]).no_follow, Some(0));
    for (words, depth, index) in [
        (&["idmap"][..], Recursive::No, 0),
        (&["ro", "ridmap"], Recursive::Yes, 1),
        (&["idmap", "ridmap"], Recursive::Yes, 1),
        (&["ridmap", "idmap"], Recursive::Yes, 0),
    ] {
        assert_eq!(of(words).map_ids, Some((depth, index)), "{words:?}");
    }
    let twice = of(&["src-nofollow", "src-nofollow"]);
    assert_eq!(twice.source_link, Some((SourceLink::Itself, 1)));
    let line = read(&["src-nofollow", "copy-symlink"]).unwrap_err();
    assert_eq!(
        line.one_line(),
        "cannot read the mount options: config.json#/mounts/3/options/1: refused: a link is either copied or \
         mounted itself (hint: keep one of copy-symlink and src-nofollow)"
    );
}

#[test]
fn words_that_say_nothing() {
    let line = read(&["=x"]).unwrap_err().one_line();
    assert_eq!(
        line,
        "cannot read the mount options: config.json#/mounts/3/options/0: refused: there is no name before the ="
    );
    let line = read(&["ro", "a\0b"]).unwrap_err().one_line();
    assert_eq!(
        line,
        "cannot read the mount options: config.json#/mounts/3/options/1: refused: a C string cannot hold the character NUL (hint: take \\u0000 out)"
    );
}
