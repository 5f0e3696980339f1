//! buildah: images from recipes and by hand, with `--isolation oci`, as root and as a user.
//!
//! `buildah` in a script is a wrapper with a store of the place's own, which has the image `box`, and `$oci` the flags
//! that name the runtime. What this does *not* do: `--isolation chroot`, which calls no runtime.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::case::{Caller, Case};
use crate::check::Outcome;
use crate::place::{Place, USER, Who};
use crate::said::Said;

pub(crate) const CALLER: Caller = Caller {
    name: "buildah",
    program: "buildah",
    version: "buildah --version",
    cases: &[&[
        Case::new("buildah/build", |place| build(place, Who::Root)),
        Case::new("buildah/build-as-a-user", |place| build(place, Who::User)),
        Case::new("buildah/build-with-mounts", mounts),
        Case::new("buildah/build-a-failure", failure),
        Case::new("buildah/run", run),
        Case::new("buildah/run-as-a-user", run_as_a_user),
        Case::new("buildah/run-in-a-terminal", terminal),
        Case::new("buildah/run-confined", confined),
    ]],
    sweep,
    leave: |_| (),
};

/// Somebody's buildah.
#[derive(Debug)]
struct Buildah<'p> {
    place: &'p Place<'p>,
    who: Who,
}

impl<'p> Buildah<'p> {
    /// It, with the image loaded.
    fn ready(place: &'p Place<'p>, who: Who) -> Outcome<Self> {
        let buildah = Buildah { place, who };
        let (home, bin) = (buildah.home(), buildah.home().join("bin"));
        if !home.join("loaded").exists() {
            fs::create_dir_all(&bin)?;
            let wrapper = format!(
                "#!/bin/sh\nexec /usr/bin/buildah --root {0}/storage --runroot {0}/run --storage-driver overlay \"$@\"\n",
                home.display()
            );
            fs::write(bin.join("buildah"), wrapper)?;
            fs::set_permissions(bin.join("buildah"), fs::Permissions::from_mode(0o755))?;
            if who == Who::User {
                let own = format!("chown -R {0}:{0} {1}", USER.1, home.display());
                place.shell(&own)?.ended(0)?;
            }
            buildah
                .ask("buildah pull -q docker-archive:$image")?
                .ended(0)?;
            fs::write(home.join("loaded"), "")?;
        }
        Ok(buildah)
    }

    fn home(&self) -> PathBuf {
        self.place.home.join(match self.who {
            Who::Root => "buildah",
            Who::User => "buildah-user",
        })
    }

    /// What comes of a script. `none` in it fails if the runtime still has a container.
    fn ask(&self, script: &str) -> Outcome<Said> {
        let variables = [
            format!(
                "PATH={}:/usr/sbin:/usr/bin:/sbin:/bin",
                self.home().join("bin").display()
            ),
            format!("TMPDIR={}", self.place.dir.display()),
            format!(
                "oci=--isolation oci --runtime {}",
                self.place.runtime.path.display()
            ),
            "from=buildah from -q --pull=never".to_owned(),
            "box=localhost/box".to_owned(),
        ];
        let words = format!(
            "none() {{ ! $runtime list | grep $dir/ >&2; }}
            {script}"
        );
        self.place.shell_as(self.who, &variables, &words)
    }
}

const RECIPE: &str = "FROM localhost/box\\nENV WHAT=ever\\nWORKDIR /work\\nUSER joe\\n\
    RUN echo $(id -u) $PWD $WHAT >/tmp/seen\\nRUN id -g >>/tmp/seen\\n";

fn build(place: &Place<'_>, who: Who) -> Outcome {
    let buildah = Buildah::ready(place, who)?;
    let said = buildah.ask(&format!(
        "mkdir $dir/context; printf '{RECIPE}' >$dir/context/Containerfile
        buildah build -q $oci --network none --pull=never -t $tag $dir/context >/dev/null || exit
        name=$($from $tag); buildah run $oci --network none $name cat /tmp/seen; buildah rm $name >/dev/null
        buildah rmi $tag >/dev/null; none"
    ))?;
    said.ended(0)?.printed("1234 /work ever\n1234")?;
    Ok(())
}

fn mounts(place: &Place<'_>) -> Outcome {
    let said = Buildah::ready(place, Who::Root)?.ask(
        "mkdir $dir/context; echo secret >$dir/secret
        printf 'FROM localhost/box\\nRUN --mount=type=cache,target=/cache --mount=type=secret,id=one \
            --mount=type=bind,source=.,target=/from --mount=type=tmpfs,target=/scratch \
            cat /run/secrets/one >/seen && wc -l </from/Containerfile >>/seen && touch /cache/it /scratch/it\\n\
            RUN --mount=type=cache,target=/cache ls /cache >>/seen && ls /scratch /run/secrets/one 2>&1 | wc -l\\n' \
            >$dir/context/Containerfile
        buildah build -q $oci --network none --pull=never --secret id=one,src=$dir/secret -t $tag $dir/context >/dev/null || exit
        name=$($from $tag); buildah run $oci --network none $name cat /seen; buildah rm $name >/dev/null
        buildah rmi $tag >/dev/null; none",
    )?;
    said.ended(0)?.printed("secret\n3\nit")?;
    Ok(())
}

fn failure(place: &Place<'_>) -> Outcome {
    let said = Buildah::ready(place, Who::Root)?.ask(
        "mkdir $dir/context; printf 'FROM localhost/box\\nRUN echo so far; exit 9\\n' >$dir/context/Containerfile
        buildah build $oci --network none --pull=never $dir/context; status=$?; none && exit $status",
    )?;
    said.ended(9)?
        .has("so far")?
        .complained(&["exit status 9"])?;
    Ok(())
}

fn run(place: &Place<'_>) -> Outcome {
    let said = Buildah::ready(place, Who::Root)?.ask(
        "name=$($from $box); echo host >$dir/file
        echo from afar | buildah run $oci --network none --user joe --env WHAT=ever --workingdir /tmp --hostname there \
            -v $dir:/mnt:ro $name -- sh -c 'echo $(id -u) $PWD $WHAT $(hostname); cat /mnt/file -; touch /mnt/new; exit 5'
        echo ended $?; buildah run $oci --network none $name helo; [ $? != 0 ] && echo failed
        buildah rm $name >/dev/null; none",
    )?;
    said.ended(0)?
        .printed("1234 /tmp ever there\nhost\nfrom afar\nended 5\nfailed")?
        .complained(&["/mnt/new: Read-only file system"])?
        .complained(&[
            "\"helo\": executable file not found in $PATH",
            "executable file `helo` not found in $PATH",
        ])?;
    Ok(())
}

fn run_as_a_user(place: &Place<'_>) -> Outcome {
    let said = Buildah::ready(place, Who::User)?.ask(
        "name=$($from $box); buildah run $oci --network none $name sh -c 'id -u; awk \"{ print \\$2 }\" /proc/self/uid_map; exit 5'
        echo ended $?; buildah rm $name >/dev/null; none",
    )?;
    said.ended(0)?.has("0\n1000\n")?.has("ended 5\n")?;
    Ok(())
}

fn terminal(place: &Place<'_>) -> Outcome {
    let said = Buildah::ready(place, Who::Root)?.ask(
        "export name=$($from $box); script -qec 'buildah run -t $oci --network none $name sh -c \"tty; exit 3\"' /dev/null
        status=$?; buildah rm $name >/dev/null; none && exit $status",
    )?;
    said.ended(3)?.has("/dev/pts/0")?;
    Ok(())
}

fn confined(place: &Place<'_>) -> Outcome {
    let said = Buildah::ready(place, Who::Root)?.ask(
        "name=$($from $box); buildah run $oci --network none --cap-drop all $name sh -c '
            grep -E \"CapEff|Seccomp:\" /proc/self/status; chown 1 /tmp; unshare -m true; wc -c </proc/kcore'
        buildah rm $name >/dev/null; none",
    )?;
    said.ended(0)?
        .has("CapEff:\t0000000000000000\nSeccomp:\t2\n0\n")?
        .complained(&["chown: /tmp: Operation not permitted"])?
        .complained(&["unshare"])?;
    Ok(())
}

fn sweep(place: &Place<'_>) {
    for who in [Who::Root, Who::User] {
        let buildah = Buildah { place, who };
        if buildah.home().join("loaded").exists() {
            let _ = buildah.ask(
                "buildah rm -a; for id in $($runtime list | grep $dir/ | cut -d' ' -f1); do $runtime delete -f $id; done",
            );
        }
    }
}
