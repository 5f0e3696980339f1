use super::*;
use crate::plan::birth::Birth;
use crate::plan::mounts::tests::of;
use crate::plan::mounts::{MountOp, Source};
use crate::plan::root::Opener;
use crate::plan::root::tests::{mapped, plain};
use serde_json::{Value, json};

/// One bind with these members more, its ids, and who opens it.
fn planned(
    more: Value,
    birth: &Birth,
    privilege: Privilege,
) -> Result<(Option<IdMapping>, Opener)> {
    let mut mount = json!({"destination": "/d", "source": "/s", "type": "bind"});
    let members = more.as_object().unwrap().clone();
    mount.as_object_mut().unwrap().extend(members);
    let mut ops: Vec<MountOp> = of(json!({"mounts": [mount]}), birth, privilege)?;
    match ops.remove(0).source {
        Source::Bind { ids, opener, .. } => Ok((ids, opener)),
        other => panic!("{other:?}"),
    }
}

fn maps(first: u32) -> Value {
    json!([{"containerID": first, "hostID": 0, "size": 10}])
}

#[test]
fn mappings_of_the_mount() {
    for (options, recursive, place) in [
        (json!([]), Recursive::No, "uidMappings"),
        (json!(["ro", "idmap"]), Recursive::No, "options/1"),
        (json!(["ridmap"]), Recursive::Yes, "options/0"),
    ] {
        let more = json!({"options": options, "uidMappings": maps(5), "gidMappings": maps(6)});
        let (ids, opener) = planned(more, &plain(), Privilege::Root).unwrap();
        let ids = ids.unwrap();
        let Ids::Maps(uid, gid) = &ids.by else {
            panic!("{ids:?}")
        };
        assert_eq!(
            (&uid.bytes[..], &gid.bytes[..]),
            (&b"5 0 10\n"[..], &b"6 0 10\n"[..])
        );
        assert_eq!(ids.recursive, recursive);
        assert_eq!(ids.pointer.as_str(), format!("/mounts/0/{place}"));
        assert_eq!(opener, Opener::Parent, "the child may not map ids");
    }
    let (none, opener) = planned(json!({}), &plain(), Privilege::Root).unwrap();
    assert_eq!((none, opener), (None, Opener::Child));
    let empty = json!({"uidMappings": [], "gidMappings": []});
    assert_eq!(planned(empty, &plain(), Privilege::Root).unwrap().0, None);
}

#[test]
fn mappings_of_the_container() {
    let more = || json!({"options": ["idmap"]});
    let (ids, _) = planned(more(), &mapped(), Privilege::Root).unwrap();
    let UserNamespace::New(maps) = mapped().user else {
        panic!("not new")
    };
    assert_eq!(ids.unwrap().by, Ids::Maps(maps.uid, maps.gid));
    let joined = Birth {
        user: UserNamespace::Joined,
        ..plain()
    };
    let (ids, _) = planned(more(), &joined, Privilege::Root).unwrap();
    assert_eq!(ids.unwrap().by, Ids::OfJoined);
}

#[test]
fn refusals() {
    let both = json!({"uidMappings": maps(0), "gidMappings": maps(0)});
    for (more, privilege, expected) in [
        (
            json!({"options": ["idmap"]}),
            Privilege::Root,
            "/options/0: refused: there are no mappings",
        ),
        (
            json!({"uidMappings": maps(0)}),
            Privilege::Root,
            "/gidMappings: refused: uidMappings is given, and one",
        ),
        (
            json!({"gidMappings": maps(0)}),
            Privilege::Root,
            "/uidMappings: refused: gidMappings is given, and one",
        ),
        (
            both,
            Privilege::User,
            "/uidMappings: refused: the kernel lets only root",
        ),
        (
            json!({"uidMappings": [{"containerID": 0, "hostID": u32::MAX, "size": 2}], "gidMappings": maps(0)}),
            Privilege::Root,
            "/uidMappings/0: refused: the range goes beyond the last id",
        ),
    ] {
        let line = planned(more, &plain(), privilege).unwrap_err().one_line();
        assert!(
            line.contains(&format!("config.json#/mounts/0{expected}")),
            "{line}"
        );
    }
}

#[test]
fn ranges_in_the_option() {
    let with = |option: &str, birth: &Birth| {
        let planned = planned(json!({"options": [option]}), birth, Privilege::Root);
        match planned.map(|(ids, _)| ids) {
            Ok(Some(IdMapping {
                recursive,
                by: Ids::Maps(uid, gid),
                ..
            })) => {
                let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
                format!("{recursive:?} {}{}", text(uid.bytes), text(gid.bytes))
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => error.one_line(),
        }
    };
    assert_eq!(
        with("idmap=uids=0-1000-10#10-2000-5;gids=3-4-5", &plain()),
        "No 0 1000 10\n10 2000 5\n3 4 5\n"
    );
    assert!(with("ridmap=gids=3-4-5;uids=1-2-3", &plain()).starts_with("Yes 1 2 3\n3 4 5\n"));
    let UserNamespace::New(maps) = mapped().user else {
        panic!()
    };
    let first = maps.uid.outside(0).unwrap();
    let told = with("idmap=uids=@7-0-1;gids=7-0-1", &mapped());
    assert_eq!(told, format!("No 7 {first} 1\n7 0 1\n"));
    assert!(with("idmap=uids=@0-0-1;gids=0-0-1", &plain()).contains("has no 0"));
    for bad in [
        "idmap=",
        "idmap=uids=0-0-1",
        "idmap=uids=0:0:1;gids=0-0-1",
        "idmap=uids=0-0;gids=0-0-1",
        "idmap=uids=0-0-1;gids=0-0-1;x=1",
        "idmap=uids=;gids=",
        "idmap=uids=0-0--1;gids=0-0-1",
    ] {
        assert!(with(bad, &plain()).contains("are not understood"), "{bad}");
    }
}
