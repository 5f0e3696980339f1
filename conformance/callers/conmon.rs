//! conmon, called as podman and CRI-O call it: what holds a container's streams, its log and its end.
//!
//! `conmon` in a script has the flags that every call has; `$bundle` is a bundle whose process is to be edited with `jq`,
//! and what conmon tells whoever began it is in `$dir/said`. What this does *not* do: anything that podman does beyond it.

use crate::case::{Caller, Case, Need};
use crate::check::{Outcome, ensure};
use crate::place::{Place, Who};
use crate::said::Said;

/// Of the machine's own, for every runtime the same.
const NEEDS: &[Need] = &[
    Need::Program("jq"),
    Need::Program("socat"),
    Need::Program("runc"),
];

pub(crate) const CALLER: Caller = Caller {
    name: "conmon",
    program: "conmon",
    version: "conmon --version | head -n 1",
    cases: &[&[
        Case::new("conmon/to-the-end", to_the_end).needs(NEEDS),
        Case::new("conmon/a-missing-program", missing).needs(NEEDS),
        Case::new("conmon/attach", attach).needs(NEEDS),
        Case::new("conmon/terminal-and-its-size", terminal).needs(NEEDS),
        Case::new("conmon/exec", exec).needs(NEEDS),
        Case::new("conmon/exec-in-a-terminal", exec_terminal).needs(NEEDS),
        Case::new("conmon/exec-a-missing-program", exec_missing).needs(NEEDS),
        Case::new("conmon/out-of-memory", out_of_memory).needs(NEEDS),
        Case::new("conmon/scope-of-systemd", scope).needs(NEEDS),
    ]],
    sweep: |place| {
        let _ = ask(place, "runtime_ delete -f $tag");
    },
    leave: |_| (),
};

/// The words around every script.
const WORDS: &str = r#"
bundle=$dir/bundle; mkdir -p $bundle $dir/exits $dir/kept
[ -e $bundle/config.json ] || { runc spec --bundle $bundle
    jq --arg root ${image%/*}/rootfs --arg group "${group:-/callers-conmon/$tag}" \
        '.root.path = $root | .process.terminal = false | .linux.cgroupsPath = $group' \
        $bundle/config.json >$dir/new; mv $dir/new $bundle/config.json; }
edit() { jq "$1" $bundle/config.json >$dir/new && mv $dir/new $bundle/config.json; }
args() { edit ".process.args = [\"sh\", \"-c\", $(echo "$1" | jq -R .)]"; }
runtime_() { $runtime $global --root $dir/root "$@"; }
conmon() { _OCI_SYNCPIPE=3 command conmon --api-version 1 -c $tag -r $runtime -b $bundle \
    --runtime-arg --root --runtime-arg $dir/root --runtime-arg --log-format=json --runtime-arg --log \
    --runtime-arg $dir/oci-log --exit-dir $dir/exits --persist-dir $dir/kept --full-attach --socket-dir-path $dir/sockets \
    --exit-command /bin/touch --exit-command-arg $dir/over "$@" 3>>$dir/said; }
create() { mkdir -p $dir/sockets; conmon -u $tag -p $dir/pid -n $tag -l k8s-file:$dir/log --conmon-pidfile $dir/conmon.pid "$@"
    within test -s $dir/said; }
within() { for i in $(seq 150); do "$@" && return; sleep 0.1; done; echo "not within 15 s: $*" >&2; return 1; }
over() { within test -e $dir/over && within not_there; }
not_there() { ! kill -0 $(cat $dir/conmon.pid) 2>/dev/null; }
end() { runtime_ kill $tag KILL; over; runtime_ delete $tag; rmdir /sys/fs/cgroup/callers-conmon 2>/dev/null; true; }
"#;

fn ask(place: &Place<'_>, script: &str) -> Outcome<Said> {
    ask_with(place, &[], script)
}

fn ask_with(place: &Place<'_>, variables: &[String], script: &str) -> Outcome<Said> {
    std::fs::write(place.dir.join("words"), WORDS)?;
    place.shell_as(Who::Root, variables, &format!(". $dir/words\n{script}"))
}

fn to_the_end(place: &Place<'_>) -> Outcome {
    let said = ask(
        place,
        "args 'echo out; echo err >&2; exit 7'; create
        [ $(jq .data $dir/said) = $(cat $dir/pid) ] && echo told; runtime_ state $tag | jq -r .status
        runtime_ start $tag; over; cat $dir/exits/$tag; echo; cut -d' ' -f2- $dir/log; runtime_ state $tag | jq -r .status; end",
    )?;
    said.ended(0)?
        .has("told\ncreated\n7\n")?
        .has("stdout F out\n")?
        .has("stderr F err\n")?
        .has("stopped\n")?;
    Ok(())
}

fn missing(place: &Place<'_>) -> Outcome {
    let said = ask(
        place,
        "args ''; edit '.process.args = [\"helo\"]'; create; jq -r '.data, .message' $dir/said; jq -r .level $dir/oci-log
        runtime_ list -q; test -e $dir/pid && echo a pid file; rmdir /sys/fs/cgroup/callers-conmon 2>/dev/null; true",
    )?;
    said.ended(0)?
        .has("-1\n")?
        .has("error\n")?
        .has_not(&place.tag)?
        .has_not("a pid file")?;
    not_found(&said)
}

/// The runtime's words for a program that is not there came through.
fn not_found(said: &Said) -> Outcome {
    let told = said.out.contains("executable file not found in $PATH")
        || said
            .out
            .contains("executable file `helo` not found in $PATH");
    ensure!(told, "other words: {said}");
    Ok(())
}

fn attach(place: &Place<'_>) -> Outcome {
    let said = ask(
        place,
        "args 'read word; echo heard $word; sleep 1; exit 4'; create -i
        { sleep 1; runtime_ start $tag; echo from afar; sleep 2; } | socat -t 5 - UNIX-CONNECT:$bundle/attach,type=5 >$dir/heard
        over; tr -d '\\000-\\010' <$dir/heard; cat $dir/exits/$tag; end",
    )?;
    said.ended(0)?.has("heard from afar\n4")?;
    Ok(())
}

fn terminal(place: &Place<'_>) -> Outcome {
    let said = ask(
        place,
        "args 'tty; trap \"stty size; exit 3\" WINCH; while :; do sleep 0.1; done'; edit '.process.terminal = true'
        create -t -i; runtime_ start $tag; within grep -q pts $dir/log; sleep 1; echo '1 33 77' >$bundle/ctl
        over; cat $dir/log $dir/exits/$tag; end",
    )?;
    said.ended(0)?.has("/dev/pts/0")?.has("33 77")?;
    ensure!(said.out.trim().ends_with('3'), "another status: {said}");
    Ok(())
}

/// conmon's own flags for a process that joins.
const EXEC: &str = r#"
exec_() { mkdir -p $dir/exec/exits $dir/exec/sockets
    jq --argjson p "$1" '.process * $p' $bundle/config.json >$dir/exec/process.json; shift; : >$dir/said; rm -f $dir/over
    conmon -u $tag-exec -b $dir/exec -p $dir/exec/pid -n $tag --exit-dir $dir/exec/exits --socket-dir-path $dir/exec/sockets \
        -l k8s-file:$dir/exec/log -e --exec-process-spec $dir/exec/process.json --conmon-pidfile $dir/exec/conmon.pid "$@"
    within test -s $dir/said; }
args 'exec sleep 1000'; create; runtime_ start $tag
"#;

fn exec(place: &Place<'_>) -> Outcome {
    let said = ask(
        place,
        &format!(
            "{EXEC} exec_ '{{\"args\": [\"sh\", \"-c\", \"echo out $PWD; id -u; echo err >&2; sleep 1; exit 6\"], \
                \"cwd\": \"/tmp\", \"user\": {{\"uid\": 1234, \"gid\": 1234}}}}'
            [ $(jq .data $dir/said) = $(cat $dir/exec/pid) ] && echo told
            within test -e $dir/over; cat $dir/exec/exits/*; echo; cut -d' ' -f2- $dir/exec/log; rm $dir/over; end"
        ),
    )?;
    said.ended(0)?
        .has("told\n6\n")?
        .has("stdout F out /tmp\nstdout F 1234\n")?
        .has("stderr F err\n")?;
    Ok(())
}

fn exec_terminal(place: &Place<'_>) -> Outcome {
    let said = ask(
        place,
        &format!(
            "{EXEC} exec_ '{{\"terminal\": true, \"args\": [\"sh\", \"-c\", \
                \"tty; trap \\\"stty size; exit 3\\\" WINCH; while :; do sleep 0.1; done\"]}}' -t -i
            within grep -q pts $dir/exec/log; sleep 1; echo '1 33 77' >$dir/exec/ctl
            within test -e $dir/over; cat $dir/exec/log $dir/exec/exits/*; echo; rm $dir/over; end"
        ),
    )?;
    said.ended(0)?.has("/dev/pts/0")?.has("33 77")?;
    Ok(())
}

fn exec_missing(place: &Place<'_>) -> Outcome {
    let said = ask(
        place,
        &format!(
            "{EXEC} exec_ '{{\"args\": [\"helo\"]}}'; jq -r '.data, .message' $dir/said
            test -e $dir/exec/pid && echo a pid file; rm -f $dir/over; end"
        ),
    )?;
    said.ended(0)?.has_not("a pid file")?;
    not_found(&said)
}

/// conmon watches the group that it finds its container in.
fn out_of_memory(place: &Place<'_>) -> Outcome {
    let said = ask(
        place,
        "args 'exec tail /dev/zero'; edit '.linux.resources.memory = {\"limit\": 20000000}'
        create; runtime_ start $tag; over; cat $dir/exits/$tag; echo; ls $dir/kept; end",
    )?;
    said.ended(0)?.has("137\n")?.has("oom\n")?;
    Ok(())
}

fn scope(place: &Place<'_>) -> Outcome {
    let variables = [
        "global=--systemd-cgroup".to_owned(),
        format!("group=system.slice:conmon:{}", place.tag),
    ];
    let said = ask_with(
        place,
        &variables,
        "args 'cat /proc/self/cgroup; exec sleep 1000'; create -s; runtime_ start $tag; within test -s $dir/log
        unit=conmon-$tag.scope; cat /proc/$(cat $dir/pid)/cgroup; systemctl show -p ActiveState $unit
        end; systemctl show -p LoadState $unit",
    )?;
    said.ended(0)?
        .has(&format!("/system.slice/conmon-{}.scope", place.tag))?
        .has("ActiveState=active")?
        .has("LoadState=not-found")?;
    Ok(())
}
