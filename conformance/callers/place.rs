//! Where one case works, for one runtime.
//!
//! A runtime has a home that stays for all of its cases, with an image store for each caller, and each case a
//! fresh folder. Scripts run in a shell, on one processor alone: where the machine is emulated, programs with many
//! threads take twice as long on two.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::args::Runtime;
use crate::check::Outcome;
use crate::said::{self, Said};

/// Programs that scripts find.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The ordinary user of the machine, with a systemd session of its own.
pub(crate) const USER: (&str, u32) = ("user", 1000);

/// Who types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Root,
    User,
}

/// Where all cases of a lane work: a runtime, its folder, and the image that callers load.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) runtime: Runtime,
    pub(crate) dir: PathBuf,
    pub(crate) image: PathBuf,
}

/// A place.
#[derive(Debug)]
pub(crate) struct Place<'r> {
    pub(crate) runtime: &'r Runtime,
    /// Fresh for the case, and removed after it. Everybody may write there.
    pub(crate) dir: PathBuf,
    /// Stays for all cases of this runtime.
    pub(crate) home: PathBuf,
    /// The image that callers load: an archive as `docker save` writes it.
    pub(crate) image: PathBuf,
    /// A word that is in no name of another case or runtime.
    pub(crate) tag: String,
    processors: &'r Processors,
    marks: RefCell<BTreeSet<String>>,
    trails: RefCell<BTreeSet<PathBuf>>,
}

impl<'r> Place<'r> {
    /// Makes the folders of case `number` on `ground`.
    pub(crate) fn make(
        ground: &'r Ground,
        number: usize,
        processors: &'r Processors,
    ) -> Outcome<Self> {
        let (dir, home) = (
            ground.dir.join(format!("case{number:03}")),
            ground.dir.join("home"),
        );
        fs::create_dir_all(home.join("bin"))?;
        fs::create_dir_all(&dir)?;
        fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o1777))?;
        let runtime = &ground.runtime;
        let tag = format!("callers-{}-{number:03}", runtime.name);
        let place = Place {
            runtime,
            dir,
            home,
            image: ground.image.clone(),
            tag,
            processors,
            marks: RefCell::default(),
            trails: RefCell::default(),
        };
        place.mark(&place.tag);
        place.mark(&place.dir.to_string_lossy());
        Ok(place)
    }

    /// Runs a script as root. It has `$runtime`, `$image`, `$dir` and `$tag`, and programs of `home/bin` go first.
    pub(crate) fn shell(&self, script: &str) -> Outcome<Said> {
        self.shell_as(Who::Root, &[], script)
    }

    /// Runs a script as `who` with `variables` (`NAME=value`) besides.
    pub(crate) fn shell_as(&self, who: Who, variables: &[String], script: &str) -> Outcome<Said> {
        let processor = self.processors.take();
        let mut front: Vec<String> = ["taskset", "-c"].map(str::to_owned).into();
        front.push(processor.number.to_string());
        let (name, id) = USER;
        let own = match who {
            Who::Root => vec!["env".to_owned(), "-i".to_owned(), "HOME=/root".to_owned()],
            Who::User => {
                let id = id.to_string();
                let words = [
                    "setpriv",
                    "--reuid",
                    &id,
                    "--regid",
                    &id,
                    "--clear-groups",
                    "env",
                    "-i",
                ];
                let mut words: Vec<String> = words.map(str::to_owned).into();
                words.push(format!("HOME=/home/{name}"));
                words.push(format!("USER={name}"));
                words.push(format!("XDG_RUNTIME_DIR=/run/user/{id}"));
                words.push(format!(
                    "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{id}/bus"
                ));
                words
            }
        };
        front.extend(own);
        front.push(format!("PATH={}:{PATH}", self.home.join("bin").display()));
        // What Go collects while it runs is not worth its time in programs that end so soon.
        front.extend(["GOGC=off", "TERM=dumb", "LANG=C.UTF-8"].map(str::to_owned));
        let paths = [
            ("runtime", &self.runtime.path),
            ("image", &self.image),
            ("dir", &self.dir),
        ];
        front.extend(paths.map(|(name, path)| format!("{name}={}", path.display())));
        front.push(format!("tag={}", self.tag));
        front.extend_from_slice(variables);
        said::run(&front, script, &self.dir)
    }

    /// What has `word` in its name or arguments must be gone after the case.
    pub(crate) fn mark(&self, word: &str) {
        self.marks.borrow_mut().insert(word.to_owned());
    }

    /// All words of 64 hexadecimal digits in this file, when the case is over, are marks; the file is emptied
    /// before the next case.
    pub(crate) fn follow(&self, file: &Path) {
        self.trails.borrow_mut().insert(file.to_owned());
    }

    /// All marks.
    pub(crate) fn marks(&self) -> BTreeSet<String> {
        let mut marks = self.marks.borrow().clone();
        for file in self.trails.borrow().iter() {
            let text = fs::read_to_string(file).unwrap_or_default();
            let words = text.split(|c: char| !c.is_ascii_hexdigit());
            marks.extend(words.filter(|word| word.len() == 64).map(str::to_owned));
        }
        marks
    }

    /// Removes what is the case's own.
    pub(crate) fn remove(&self) {
        for file in self.trails.borrow().iter() {
            let _ = fs::write(file, "");
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A script in which `line` is typed at a terminal: its streams are one.
pub(crate) fn at_a_terminal(line: &str) -> String {
    format!("script -qec '{}' /dev/null", line.replace('\'', "'\\''"))
}

/// The processors of the machine, each for one script at a time.
#[derive(Debug)]
pub(crate) struct Processors {
    free: Mutex<Vec<usize>>,
    freed: Condvar,
}

impl Processors {
    /// All that this process may use.
    pub(crate) fn all() -> Self {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        Processors {
            free: Mutex::new((0..count).collect()),
            freed: Condvar::new(),
        }
    }

    fn take(&self) -> Taken<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(number) = free.pop() {
                return Taken { all: self, number };
            }
            free = self
                .freed
                .wait(free)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A processor, until it is dropped.
#[derive(Debug)]
struct Taken<'p> {
    all: &'p Processors,
    number: usize,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.all
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.number);
        self.all.freed.notify_one();
    }
}
