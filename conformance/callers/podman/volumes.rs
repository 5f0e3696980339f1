//! What is mounted into a container, and copied to and from it.

use crate::case::Case;
use crate::check::Outcome;
use crate::place::Place;

use super::shows;

pub(super) const CASES: &[Case] = &[
    Case::new("podman/folders-of-the-host", folders),
    Case::new("podman/folders-mounted-on-while-it-runs", propagation),
    Case::new("podman/volumes-keep-what-is-written", volumes),
    Case::new("podman/tmpfs-that-copies-up", tmpfs),
    Case::new("podman/files-through-a-link", link),
    Case::new("podman/cp-into-and-out-of-a-running-one", copied),
    Case::new("podman/commit-a-running-one", committed),
];

fn folders(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "mkdir -p $dir/a $dir/b; echo of the host >$dir/a/file; touch $dir/single
        podman run --rm -v $dir/a:/a:ro -v $dir/b:/deep/b -v $dir/single:/etc/single \
            --mount type=bind,src=$dir/a,dst=/other,ro=true,bind-propagation=rslave box sh -c '
            cat /a/file /other/file; touch /a/x 2>&1 | grep -o \"Read-only file system\"
            echo written >/deep/b/new; echo line >/etc/single'
        cat $dir/b/new $dir/single",
        "of the host\nof the host\nRead-only file system\nwritten\nline",
    )
}

fn propagation(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "mkdir -p $dir/tree/sub; mount -t tmpfs tree $dir/tree; mount --make-shared $dir/tree; mkdir $dir/tree/sub
        podman run -d --name $tag -v $dir/tree:/slave:rslave -v $dir/tree:/private box sleep 1000 >/dev/null
        mount -t tmpfs late $dir/tree/sub; touch $dir/tree/sub/late
        podman exec $tag sh -c 'ls /slave/sub; ls /private/sub'
        podman rm -f -t 0 $tag >/dev/null
        umount $dir/tree/sub $dir/tree",
        "late",
    )
}

/// The volume begins with what the image has there.
fn volumes(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm -v $tag:/etc box sh -c 'wc -l </etc/passwd; echo more >>/etc/passwd'
        podman run --rm -v $tag:/seen:ro box sh -c 'wc -l </seen/passwd'
        podman volume rm $tag >/dev/null",
        "3\n4",
    )
}

fn tmpfs(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run --rm --mount type=tmpfs,dst=/etc,tmpcopyup,tmpfs-size=1m,tmpfs-mode=755 --tmpfs /empty:ro box sh -c '
            wc -l </etc/passwd; grep -c \" /etc tmpfs \" /proc/mounts; stat -c %a /etc; touch /empty/x 2>/dev/null || echo not'",
        "3\n1\n755\nnot",
    )
}

/// A mount on a link of the image stays inside the image.
fn link(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "echo of the host >$dir/file; mkdir $dir/image
        printf 'from box\\n' >/dev/null
        podman run --name $tag box sh -c 'mkdir /target; ln -s /target/../../../../target /link; ln -s /nowhere/file /dangling'
        podman commit -q $tag $tag-image >/dev/null
        podman rm $tag >/dev/null
        podman run --rm -v $dir:/link -v $dir/file:/dangling $tag-image sh -c 'cat /target/file; cat /dangling'
        podman rmi $tag-image >/dev/null
        ls -d /target /nowhere 2>/dev/null || echo the host is as it was",
        "of the host\nof the host\nthe host is as it was",
    )
}

fn copied(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag --tmpfs /mem box sleep 1000 >/dev/null
        echo there >$dir/file
        podman cp $dir/file $tag:/home/
        podman cp $dir/file $tag:/mem/
        podman exec $tag sh -c 'cat /home/file /mem/file; echo back >/mem/answer'
        podman cp $tag:/mem/answer $dir/
        cat $dir/answer
        podman rm -f -t 0 $tag >/dev/null",
        "there\nthere\nback",
    )
}

fn committed(place: &Place<'_>) -> Outcome {
    shows(
        place,
        "podman run -d --name $tag box sh -c 'echo layer >/new; sleep 1000' >/dev/null
        until podman exec $tag test -e /new; do :; done
        podman commit -q $tag $tag-image >/dev/null
        podman inspect --format '{{.State.Status}}' $tag
        podman diff $tag | grep new
        podman rm -f -t 0 $tag >/dev/null
        podman run --rm $tag-image cat /new
        podman rmi $tag-image >/dev/null",
        "running\nA /new\nlayer",
    )
}
