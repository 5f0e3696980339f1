//! `checkpoint` and `restore`: a container goes on where it stood.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::bundle::Bundle;
use crate::case::{Case, Need};
use crate::check::{Outcome, contains, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::probe;
use crate::runtime::Said;
use crate::spec::Spec;

pub(super) const CRIU: &[Need] = &[Need::Root, Need::CgroupV2, Need::Criu];

pub(super) const CASES: &[Case] = &[
    Case::new("it-goes-on-where-it-stood", goes_on).needs(CRIU),
    Case::new("nothing-is-left-of-it-meanwhile", nothing_left).needs(CRIU),
    Case::new("leave-running", leave_running).needs(CRIU),
    Case::new("twice-leave-running", leave_running_twice).needs(CRIU),
    Case::new("a-restored-one-can-be-checkpointed", again).needs(CRIU),
    Case::new("by-another-name", other_name).needs(CRIU),
    Case::new("exec-ps-pause-update-of-a-restored-one", verbs).needs(CRIU),
    Case::new("in-the-foreground", foreground).needs(CRIU),
    Case::new("the-pipes-of-whoever-restores", pipes).needs(CRIU),
    Case::new("pre-dump-and-parent-path", pre_dump).needs(CRIU),
    Case::new("a-paused-one", paused).needs(CRIU),
    Case::new("images-and-log-are-where-they-are-asked-for", places).needs(CRIU),
    Case::new("hooks-of-both-verbs", hooks).needs(CRIU),
    Case::new("missing-mount-points-are-made", mount_points).needs(CRIU),
];

/// Counts into a file of the volume, and keeps the number in its memory alone.
pub(super) const COUNT: &str = "i=0; while :; do i=$((i+1)); echo $i > /vol/count.new; mv /vol/count.new /vol/count; sleep 0.05; done";

/// How long CRIU may take on an emulated machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A container that counts, with everything that is needed to bring it back.
pub(super) struct Counter<'l> {
    pub(super) lab: &'l Lab,
    pub(super) container: Container<'l>,
    pub(super) volume: PathBuf,
    pub(super) images: PathBuf,
}

impl<'l> Counter<'l> {
    /// A running one, with the bundle after `edit`.
    pub(super) fn running(lab: &'l Lab, edit: impl FnOnce(&mut Spec)) -> Outcome<Self> {
        Counter::with_flags(lab, &[], edit)
    }

    /// The same, created with more flags.
    pub(super) fn with_flags(
        lab: &'l Lab,
        flags: &[&str],
        edit: impl FnOnce(&mut Spec),
    ) -> Outcome<Self> {
        let volume = lab.folder("volume")?;
        let bundle = lab.bundle(|spec| {
            spec.sh(COUNT)
                .bind(&volume.to_string_lossy(), "/vol", &["rbind"]);
            edit(spec);
        })?;
        let container = create(lab, &bundle, &lab.id("box"), flags)?;
        container.start()?;
        let counter = Counter {
            lab,
            container,
            volume,
            images: lab.folder("images")?,
        };
        counter.passes(2)?;
        Ok(counter)
    }

    /// The number that it has come to.
    pub(super) fn count(&self) -> Outcome<u64> {
        let text = fs::read_to_string(self.volume.join("count")).unwrap_or_default();
        Ok(text.trim().parse().unwrap_or(0))
    }

    /// Waits until it has come beyond this number.
    pub(super) fn passes(&self, number: u64) -> Outcome {
        let what = format!("it counts beyond {number}");
        eventually(&what, LIMIT, || Ok(self.count()? > number))
    }

    /// `checkpoint` with these flags.
    pub(super) fn checkpoint(&self, flags: &[&str]) -> Outcome<Said> {
        let images = self.images.to_string_lossy();
        let mut args = vec!["checkpoint", "--image-path", &images];
        args.extend(flags);
        args.push(&self.container.id);
        self.lab.call(&args).say()
    }

    /// The same, which must succeed.
    pub(super) fn frozen(&self, flags: &[&str]) -> Outcome {
        let said = self.checkpoint(flags)?;
        ensure!(
            said.status.success(),
            "checkpoint: {said}{}",
            log(&self.images, "dump.log")
        );
        Ok(())
    }

    /// `restore --detach` by this name with these flags, which must succeed.
    pub(super) fn thawed(self, id: &str, flags: &[&str]) -> Outcome<Self> {
        let pid_file = self.lab.scratch("pid");
        let (images, pid_arg) = (self.images.to_string_lossy(), pid_file.to_string_lossy());
        let mut args = vec!["restore", "--detach", "--image-path", &images];
        args.extend([
            "--bundle",
            self.container.bundle.arg(),
            "--pid-file",
            &pid_arg,
        ]);
        args.extend(flags);
        args.push(id);
        let call = self.lab.call(&args);
        let said = call.through_sh("exec \"$@\" >/dev/null").say()?;
        ensure!(
            said.status.success(),
            "restore: {said}{}",
            log(&self.images, "restore.log")
        );
        let pid = fs::read_to_string(&pid_file)?.trim().parse()?;
        let container = Container::known(self.lab, &self.container.bundle, id, pid, said.file);
        Ok(Counter { container, ..self })
    }

    /// Checkpoint and restore, and the proof that it goes on where it stood.
    pub(super) fn there_and_back(self) -> Outcome<Self> {
        self.frozen(&[])?;
        let before = self.count()?;
        let id = self.container.id.clone();
        let counter = self.thawed(&id, &[])?;
        counter.passes(before)?;
        let now = counter.count()?;
        ensure!(
            now > before && now < before + 5000,
            "it was at {before} and is at {now}"
        );
        Ok(counter)
    }
}

/// `create` with no file of the host's as a stream, which CRIU could not bring back.
pub(super) fn create<'l>(
    lab: &'l Lab,
    bundle: &Bundle,
    id: &str,
    flags: &[&str],
) -> Outcome<Container<'l>> {
    let pid_file = lab.scratch("pid");
    let pid_arg = pid_file.to_string_lossy();
    let mut args = vec!["create", "--bundle", bundle.arg(), "--pid-file", &pid_arg];
    args.extend(flags);
    args.push(id);
    let said = lab
        .call(&args)
        .through_sh("exec \"$@\" >/dev/null 2>&1")
        .ok()?;
    let pid = fs::read_to_string(&pid_file)?.trim().parse()?;
    Ok(Container::known(lab, bundle, id, pid, said.file))
}

/// The errors in CRIU's log, for the report.
pub(super) fn log(folder: &Path, name: &str) -> String {
    let text = fs::read(folder.join(name)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let errors = text.lines().filter(|line| line.contains("Error"));
    errors.take(4).map(|line| format!("\n{line}")).collect()
}

fn goes_on(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?.there_and_back()?;
    same("status", counter.container.status()?, "running".to_owned())?;
    let state = counter.container.state()?;
    same(
        "pid in the state",
        state["pid"].as_i64(),
        Some(counter.container.pid.into()),
    )?;
    counter.container.stop()?;
    counter.container.delete()
}

fn nothing_left(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    let group = probe::cgroup_dir(counter.container.pid)?;
    counter.frozen(&[])?;
    same("containers in the list", lab.list()?, Vec::<String>::new())?;
    ensure!(!group.exists(), "{} is still there", group.display());
    let left = fs::read_dir(lab.root())?.flatten().count();
    same("files below --root", left, 0)?;
    counter.there_is_no_process()
}

impl Counter<'_> {
    fn there_is_no_process(&self) -> Outcome {
        let path = format!("/proc/{}/stat", self.container.pid);
        let stat = fs::read_to_string(path).unwrap_or_default();
        ensure!(
            stat.is_empty() || stat.contains(") Z "),
            "it still lives: {stat}"
        );
        Ok(())
    }
}

fn leave_running(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    counter.frozen(&["--leave-running"])?;
    same("status", counter.container.status()?, "running".to_owned())?;
    counter.passes(counter.count()?)?;
    counter.container.end()
}

/// podman sends the flag twice.
fn leave_running_twice(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    counter.frozen(&["--leave-running", "--leave-running"])?;
    counter.passes(counter.count()?)?;
    counter.container.end()
}

fn again(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?.there_and_back()?;
    let counter = Counter {
        images: lab.folder("images")?,
        ..counter
    };
    counter.there_and_back()?.container.end()
}

fn other_name(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    counter.frozen(&[])?;
    let before = counter.count()?;
    let id = lab.id("other");
    let counter = counter.thawed(&id, &[])?;
    counter.passes(before)?;
    same("the list", lab.list()?, vec![id.clone()])?;
    let group = probe::cgroup(counter.container.pid)?;
    contains("its cgroup", &group, &id)?;
    counter.container.end()
}

fn verbs(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?.there_and_back()?;
    let container = &counter.container;
    let inside = container.inside(&[], "cat /vol/count; hostname; id -u")?;
    ensure!(inside.lines().count() == 3, "exec printed {inside:?}");
    let ps = lab.call(&["ps", "--format", "json", &container.id]).ok()?;
    contains("ps", &ps.out, &container.pid.to_string())?;
    for kind in ["mnt", "pid", "net", "uts", "ipc"] {
        let script = format!("readlink /proc/self/ns/{kind}");
        let seen = container.inside(&[], &script)?;
        let own = probe::namespace(container.pid, kind)?;
        same("namespace of exec's process", seen.trim(), own.as_str())?;
    }
    lab.call(&["pause", &container.id]).ok()?;
    same("status", container.status()?, "paused".to_owned())?;
    lab.call(&["resume", &container.id]).ok()?;
    counter.passes(counter.count()?)?;
    container.end()
}

fn foreground(lab: &Lab) -> Outcome {
    let script = format!("trap 'exit 7' TERM; echo $$ > /vol/pid; {COUNT}");
    let counter = Counter::running(lab, |spec| {
        spec.sh(&script);
    })?;
    counter.frozen(&[])?;
    let before = counter.count()?;
    let images = counter.images.to_string_lossy();
    let id = &counter.container.id;
    let bundle = counter.container.bundle.arg();
    let args = ["restore", "--image-path", &images, "--bundle", bundle, id];
    let (mut command, _) = lab.call(&args).command()?;
    let mut child = lab.spawn(&mut command)?;
    counter.passes(before)?;
    // Its end is told by an exit status, and nothing is left to delete.
    lab.call(&["kill", id, "TERM"]).ok()?;
    same("exit status", child.wait()?.code(), Some(7))?;
    same("the list", lab.list()?, Vec::<String>::new())
}

/// What the first container wrote came through one pipe, what the restored one writes comes through another.
fn pipes(lab: &Lab) -> Outcome {
    let (first, second) = (lab.scratch("first"), lab.scratch("second"));
    let bundle = lab.bundle(|spec| {
        spec.sh("i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done");
    })?;
    let (images, id) = (lab.folder("images")?, lab.id("box"));
    let through = |file: &Path| format!("\"$@\" </dev/null 2>/dev/null | cat > {}", file.display());
    let speaks = |file: &Path| {
        eventually("it speaks", LIMIT, || {
            Ok(fs::read_to_string(file).unwrap_or_default().lines().count() > 2)
        })
    };
    let run = lab.call(&["run", "--detach", "--bundle", bundle.arg(), &id]);
    let (mut command, _) = run.through_sh(&through(&first)).command()?;
    let mut one = lab.spawn(&mut command)?;
    speaks(&first)?;
    let path = images.to_string_lossy();
    lab.call(&["checkpoint", "--image-path", &path, &id]).ok()?;
    one.wait()?;
    let last = fs::read_to_string(&first)?;
    let last = last.lines().last().unwrap_or_default();
    let restore = [
        "restore",
        "--detach",
        "--image-path",
        &path,
        "--bundle",
        bundle.arg(),
        &id,
    ];
    let (mut command, _) = lab.call(&restore).through_sh(&through(&second)).command()?;
    let mut two = lab.spawn(&mut command)?;
    speaks(&second)?;
    let text = fs::read_to_string(&second)?;
    let number = |line: &str| line.trim_start_matches("tick ").parse::<u64>().unwrap_or(0);
    let next = number(text.lines().next().unwrap_or_default());
    ensure!(
        next > number(last) && next <= number(last) + 2,
        "the last line was {last:?}, and the next is tick {next}"
    );
    lab.call(&["delete", "--force", &id]).ok()?;
    two.wait().map(drop)
}

fn pre_dump(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    let before = lab.folder("before")?;
    let path = before.to_string_lossy();
    let name = before.file_name().unwrap_or_default().to_string_lossy();
    let id = counter.container.id.clone();
    lab.call(&["checkpoint", "--pre-dump", "--image-path", &path, &id])
        .ok()?;
    same("status", counter.container.status()?, "running".to_owned())?;
    counter.passes(counter.count()?)?;
    ensure!(
        fs::read_dir(&before)?
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("pages-")),
        "no pages were written"
    );
    counter.frozen(&["--parent-path", &format!("../{name}")])?;
    let count = counter.count()?;
    let counter = counter.thawed(&id, &[])?;
    counter.passes(count)?;
    counter.container.end()
}

fn paused(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    let id = counter.container.id.clone();
    lab.call(&["pause", &id]).ok()?;
    counter.frozen(&[])?;
    let before = counter.count()?;
    let counter = counter.thawed(&id, &[])?;
    counter.passes(before)?;
    same("status", counter.container.status()?, "running".to_owned())?;
    counter.container.end()
}

fn places(lab: &Lab) -> Outcome {
    let counter = Counter::running(lab, |_| ())?;
    let work = lab.scratch("work");
    let here = lab.folder("here")?;
    let id = &counter.container.id;
    let work_arg = work.to_string_lossy();
    let args = [
        "checkpoint",
        "--leave-running",
        "--work-path",
        &work_arg,
        id,
    ];
    lab.call(&args).dir(&here).ok()?;
    ensure!(
        here.join("checkpoint/inventory.img").exists(),
        "no images in ./checkpoint"
    );
    ensure!(work.join("dump.log").exists(), "no log in --work-path");
    ensure!(
        !here.join("checkpoint/dump.log").exists(),
        "a log among the images"
    );
    counter.container.end()
}

fn hooks(lab: &Lab) -> Outcome {
    let told = lab.file("told", "")?;
    let hook = |word: &str| format!("echo {word} $(cat) >> {}", told.display());
    let counter = Counter::running(lab, |spec| {
        for kind in ["prestart", "createRuntime", "poststop"] {
            spec.hook(kind, &hook(kind));
        }
    })?;
    fs::write(&told, "")?;
    counter.frozen(&[])?;
    let text = fs::read_to_string(&told)?;
    same("hooks of checkpoint", words(&text), vec!["poststop"])?;
    fs::write(&told, "")?;
    let id = counter.container.id.clone();
    let counter = counter.thawed(&id, &[])?;
    let text = fs::read_to_string(&told)?;
    same(
        "hooks of restore",
        words(&text),
        vec!["prestart", "createRuntime"],
    )?;
    contains(
        "the state",
        &text,
        &format!("\"pid\":{}", counter.container.pid),
    )?;
    counter.container.end()
}

fn words(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .collect()
}

/// The bundle came here as an image of the files alone.
fn mount_points(lab: &Lab) -> Outcome {
    let inner = lab.folder("inner")?;
    let counter = Counter::running(lab, |spec| {
        spec.bind(&inner.to_string_lossy(), "/vol/inner", &["bind"])
            .set("/root/readonly", json!(false));
    })?;
    counter.frozen(&[])?;
    let root = counter.container.bundle.rootfs();
    for name in ["vol", "proc", "sys"] {
        fs::remove_dir(root.join(name))?;
    }
    fs::remove_dir(counter.volume.join("inner"))?;
    let before = counter.count()?;
    let id = counter.container.id.clone();
    let counter = counter.thawed(&id, &[])?;
    counter.passes(before)?;
    counter.container.end()
}

/// A refusal of `checkpoint`, which leaves the container as it was.
pub(super) fn refused(counter: &Counter<'_>, flags: &[&str], words: &[&str]) -> Outcome {
    let said = counter.checkpoint(flags)?;
    ensure!(!said.status.success(), "expected a refusal, found {said}");
    mentions("the refusal", &said.err, words)?;
    same("status", counter.container.status()?, "running".to_owned())?;
    counter.passes(counter.count()?)
}
