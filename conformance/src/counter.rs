//! A container that counts, frozen and brought back: it is only there again if it goes on where it stood.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bundle::Bundle;
use crate::check::{Outcome, ensure, eventually, mentions, same};
use crate::container::Container;
use crate::lab::Lab;
use crate::runtime::{Call, Said};
use crate::spec::Spec;

/// Counts into a file of the volume, and keeps the number in its memory alone.
pub(crate) const COUNT: &str = "i=0; while :; do i=$((i+1)); echo $i > /vol/count.new; mv /vol/count.new /vol/count; sleep 0.05; done";

/// How long CRIU may take on an emulated machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A container that counts, with everything that is needed to bring it back.
pub(crate) struct Counter<'l> {
    pub(crate) lab: &'l Lab,
    pub(crate) container: Container<'l>,
    pub(crate) volume: PathBuf,
    pub(crate) images: PathBuf,
}

impl<'l> Counter<'l> {
    /// A running one, with the bundle after `edit`.
    pub(crate) fn running(lab: &'l Lab, edit: impl FnOnce(&mut Spec)) -> Outcome<Self> {
        Counter::with_flags(lab, &[], edit)
    }

    /// The same, created with more flags.
    pub(crate) fn with_flags(
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
    pub(crate) fn count(&self) -> Outcome<u64> {
        let text = fs::read_to_string(self.volume.join("count")).unwrap_or_default();
        Ok(text.trim().parse().unwrap_or(0))
    }

    /// Waits until it has come beyond this number.
    pub(crate) fn passes(&self, number: u64) -> Outcome {
        let what = format!("it counts beyond {number}");
        eventually(&what, LIMIT, || Ok(self.count()? > number))
    }

    /// `checkpoint` with these flags.
    pub(crate) fn checkpoint(&self, flags: &[&str]) -> Outcome<Said> {
        let images = self.images.to_string_lossy();
        let mut args = vec!["checkpoint", "--image-path", &images];
        args.extend(flags);
        args.push(&self.container.id);
        self.lab.call(&args).say()
    }

    /// The same, which must succeed.
    pub(crate) fn frozen(&self, flags: &[&str]) -> Outcome {
        let said = self.checkpoint(flags)?;
        ensure!(
            said.status.success(),
            "checkpoint: {said}{}",
            log(&self.images, "dump.log")
        );
        Ok(())
    }

    /// `restore --detach` by this name with these flags, which must succeed.
    pub(crate) fn thawed(self, id: &str, flags: &[&str]) -> Outcome<Self> {
        let pid_file = self.lab.scratch("pid");
        let pid_arg = pid_file.to_string_lossy();
        let flags = [&["--pid-file", &pid_arg], flags].concat();
        let call = restore(self.lab, &self.images, &self.container.bundle, id, &flags);
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
    pub(crate) fn there_and_back(self) -> Outcome<Self> {
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
pub(crate) fn create<'l>(
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

/// `restore --detach` of these images with these flags.
pub(crate) fn restore<'l>(
    lab: &'l Lab,
    images: &Path,
    bundle: &Bundle,
    id: &str,
    flags: &[&str],
) -> Call<'l> {
    let images = images.to_string_lossy();
    let mut args = vec!["restore", "--detach", "--image-path", &images];
    args.extend(["--bundle", bundle.arg()]);
    args.extend(flags);
    args.push(id);
    lab.call(&args)
}

/// The errors in CRIU's log, for the report.
pub(crate) fn log(folder: &Path, name: &str) -> String {
    let text = fs::read(folder.join(name)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let errors = text.lines().filter(|line| line.contains("Error"));
    errors.take(4).map(|line| format!("\n{line}")).collect()
}

impl Counter<'_> {
    /// Its process must be gone.
    pub(crate) fn there_is_no_process(&self) -> Outcome {
        let path = format!("/proc/{}/stat", self.container.pid);
        let stat = fs::read_to_string(path).unwrap_or_default();
        ensure!(
            stat.is_empty() || stat.contains(") Z "),
            "it still lives: {stat}"
        );
        Ok(())
    }
}

/// A refusal of `checkpoint`, which leaves the container as it was.
pub(crate) fn refused(counter: &Counter<'_>, flags: &[&str], words: &[&str]) -> Outcome {
    let said = counter.checkpoint(flags)?;
    ensure!(!said.status.success(), "expected a refusal, found {said}");
    mentions("the refusal", &said.err, words)?;
    same("status", counter.container.status()?, "running".to_owned())?;
    counter.passes(counter.count()?)
}
