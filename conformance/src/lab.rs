//! The place where one case works: a state directory, bundles, a canary, and names of its own.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::bundle::{self, Bundle};
use crate::check::{Outcome, ensure};
use crate::container::Container;
use crate::reap::{Ours, Reaper};
use crate::runtime::{Call, Runtime, Said};
use crate::spec::Spec;

/// The uid that plays the ordinary user.
pub(crate) const USER: u32 = 12345;

/// A case's workplace. Everything in it vanishes with the case's mount namespace.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) runtime: Runtime,
    pub(crate) dir: PathBuf,
    pub(crate) reaper: Arc<Reaper>,
    /// A busybox without shared libraries, on the lab's own file system.
    pub(crate) busybox: PathBuf,
    tag: String,
    next: AtomicU32,
}

impl Lab {
    /// Furnishes `dir`, which is empty, with a copy of `busybox` and the canary.
    pub(crate) fn furnish(runtime: Runtime, dir: &Path, busybox: &Path) -> Outcome<Self> {
        let lab = Lab {
            runtime,
            dir: dir.to_path_buf(),
            reaper: Reaper::begin(),
            busybox: dir.join("busybox"),
            tag: tag()?,
            next: AtomicU32::new(0),
        };
        for (folder, mode) in [
            ("scratch", 0o777),
            ("canary", 0o755),
            ("canary/inner", 0o755),
        ] {
            fs::create_dir(dir.join(folder))?;
            fs::set_permissions(dir.join(folder), fs::Permissions::from_mode(mode))?;
        }
        fs::copy(busybox, &lab.busybox)?;
        fs::write(dir.join("canary/song"), "the host's own\n")?;
        fs::write(dir.join("canary/inner/song"), "the host's own\n")?;
        Ok(lab)
    }

    /// The `--root` of all calls.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// A host directory that no container may change or see; checked after every case.
    pub(crate) fn canary(&self) -> PathBuf {
        self.dir.join("canary")
    }

    /// A word in all ids, and so in the cgroups' names, of this case.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// A container id of this case.
    pub(crate) fn id(&self, word: &str) -> String {
        format!(
            "{}-{word}-{}",
            self.tag,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// A file name that nobody has used yet, in a directory where all may write.
    pub(crate) fn scratch(&self, word: &str) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.dir.join("scratch").join(format!("{word}-{number}"))
    }

    /// A new, empty directory.
    pub(crate) fn folder(&self, word: &str) -> Outcome<PathBuf> {
        let folder = self.scratch(word);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// A new file with this content.
    pub(crate) fn file(&self, word: &str, content: &str) -> Outcome<PathBuf> {
        let file = self.scratch(word);
        fs::write(&file, content)?;
        let mode = if content.starts_with("#!") {
            0o755
        } else {
            0o644
        };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
        Ok(file)
    }

    /// A bundle with the ordinary config.json after `edit`.
    pub(crate) fn bundle(&self, edit: impl FnOnce(&mut Spec)) -> Outcome<Bundle> {
        let mut spec = Spec::ordinary();
        edit(&mut spec);
        bundle::make(&self.scratch("bundle"), &self.busybox, &spec)
    }

    /// A call of the runtime with the lab's `--root`.
    pub(crate) fn call(&self, args: &[&str]) -> Call<'_> {
        Call::new(self, args)
    }

    /// Starts a child that the case will wait for.
    pub(crate) fn spawn(&self, command: &mut Command) -> Outcome<Ours> {
        self.reaper.spawn(command)
    }

    /// Runs a command of the host's to its end and gives its standard output.
    pub(crate) fn host(&self, words: &[&str]) -> Outcome<String> {
        let (program, args) = words.split_first().ok_or("no command")?;
        let out = self.scratch("host-out");
        let mut command = Command::new(program);
        command
            .args(args)
            .stdin(std::process::Stdio::null())
            .stdout(fs::File::create(&out)?);
        let status = self.spawn(&mut command)?.wait()?;
        ensure!(status.success(), "{words:?}: {status}");
        Ok(fs::read_to_string(&out)?)
    }

    /// Creates a container from a new bundle.
    pub(crate) fn create(&self, edit: impl FnOnce(&mut Spec)) -> Outcome<Container<'_>> {
        let bundle = self.bundle(edit)?;
        Container::create(self, &bundle, &self.id("box"))
    }

    /// Creates and starts a container from a new bundle.
    pub(crate) fn started(&self, edit: impl FnOnce(&mut Spec)) -> Outcome<Container<'_>> {
        let container = self.create(edit)?;
        container.start()?;
        Ok(container)
    }

    /// `run` of a new bundle to its end.
    pub(crate) fn run(&self, edit: impl FnOnce(&mut Spec)) -> Outcome<Said> {
        let bundle = self.bundle(edit)?;
        self.run_in(&bundle)
    }

    /// `run` of this bundle to its end.
    pub(crate) fn run_in(&self, bundle: &Bundle) -> Outcome<Said> {
        self.call(&["run", "--bundle", bundle.arg(), &self.id("run")])
            .say()
    }

    /// What a shell script prints in a container; anything but exit 0 fails the case.
    pub(crate) fn look(&self, script: &str, edit: impl FnOnce(&mut Spec)) -> Outcome<String> {
        let said = self.run(|spec| {
            spec.sh(script);
            edit(spec);
        })?;
        ensure!(
            said.status.success(),
            "run {script:?}: expected success, found {said}"
        );
        Ok(said.out)
    }

    /// `create` of a new bundle must be refused and leave nothing behind; gives the refusal.
    pub(crate) fn refuse(&self, edit: impl FnOnce(&mut Spec)) -> Outcome<Said> {
        let bundle = self.bundle(edit)?;
        self.refuse_in(&bundle)
    }

    /// The same with a bundle that was prepared.
    pub(crate) fn refuse_in(&self, bundle: &Bundle) -> Outcome<Said> {
        let id = self.id("bad");
        let said = self
            .call(&["create", "--bundle", bundle.arg(), &id])
            .refused()?;
        let state = self.call(&["state", &id]).say()?;
        ensure!(
            !state.status.success(),
            "after a failed create there is a container: {state}"
        );
        Ok(said)
    }

    /// The ids that `list` knows.
    pub(crate) fn list(&self) -> Outcome<Vec<String>> {
        let said = self.call(&["list", "--format", "json"]).ok()?;
        let value: Value = serde_json::from_str(&said.out)?;
        let entries = if value.is_null() { json!([]) } else { value };
        let entries = entries.as_array().ok_or("list: not an array")?.clone();
        Ok(entries
            .iter()
            .map(|entry| entry["id"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// A bundle for the ordinary user, who owns it.
    pub(crate) fn user_bundle(&self, edit: impl FnOnce(&mut Spec)) -> Outcome<Bundle> {
        let bundle = self.bundle(|spec| {
            spec.rootless(USER);
            edit(spec);
        })?;
        bundle.give_to(USER)?;
        Ok(bundle)
    }

    /// A call as the ordinary user, with a state directory of that user's own.
    pub(crate) fn user_call(&self, args: &[&str]) -> Outcome<Call<'_>> {
        self.call_as(USER, args)
    }

    /// Where the calls of this user have their state and their runtime directory.
    pub(crate) fn home(&self, uid: u32) -> PathBuf {
        self.dir.join(format!("user-{uid}"))
    }

    /// A call as this user and group, with a state directory of the user's own.
    pub(crate) fn call_as(&self, uid: u32, args: &[&str]) -> Outcome<Call<'_>> {
        let home = self.home(uid);
        if !home.exists() {
            fs::create_dir(&home)?;
            std::os::unix::fs::chown(&home, Some(uid), Some(uid))?;
        }
        let uid = uid.to_string();
        let call = Call::new(self, args)
            .root(&home.join("state"))
            .env(&[
                ("PATH", "/usr/bin:/bin"),
                ("XDG_RUNTIME_DIR", &home.to_string_lossy()),
            ])
            .through(&[
                "setpriv",
                "--reuid",
                &uid,
                "--regid",
                &uid,
                "--clear-groups",
            ]);
        Ok(call)
    }
}

/// The case's mount namespace names it: pids are the same in two suites at a time, each with a pid namespace of its
/// own, and abstract sockets are seen by both. Of one width, so that no tag is the beginning of another.
fn tag() -> Outcome<String> {
    let namespace = fs::metadata("/proc/self/ns/mnt")?;
    Ok(format!(
        "cf{:08x}{:06x}",
        namespace.ino(),
        std::process::id()
    ))
}
