//! The program, and what is said to it and heard from it.

use super::wire::{Message, members};
use crate::error::{Cause, Error, Object, Result};
use crate::sys::{Fault, exec, socket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Where a program that orbital runs as root may be; CRIU's own ones are looked for there, too.
const TRUSTED: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The oldest version that knows all that is asked of it: external pid namespaces came with 3.15.
const OLDEST: (u64, u64) = (3, 15);

/// As long as any answer of CRIU's.
const LONGEST: usize = 40 * 1024;

/// `criu_req_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Write processes to disk.
    Dump = 1,
    /// Bring them back.
    Restore = 2,
    /// Write their memory.
    PreDump = 4,
    /// A question of CRIU's own, and its answer.
    Notify = 6,
    /// What it can do here.
    Features = 9,
    /// Which one it is.
    Version = 10,
}

/// What it can do on one kernel and not on another (`criu_features`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// To see which pages have changed.
    Memory = 1,
    /// To send pages when they are needed.
    LazyPages = 2,
}

/// A program at work.
#[derive(Debug)]
pub struct Criu {
    process: Child,
    socket: Option<OwnedFd>,
}

/// What it asks while it works.
#[derive(Debug)]
pub struct Question {
    /// What has come to pass, such as `setup-namespaces`.
    pub script: String,
    /// The process that it is about, 0 for none.
    pub pid: i32,
    /// A descriptor that came with it.
    pub descriptor: Option<OwnedFd>,
}

/// That it did not do what was asked for.
#[derive(Debug)]
pub struct Refusal {
    /// Its errno, 0 where it gave none.
    pub errno: i32,
    /// Its words, if it had any.
    pub words: Option<String>,
}

/// Why a conversation ended early.
#[derive(Debug)]
pub enum Break {
    /// It said no, or nothing more.
    Refused(Refusal),
    /// We could not go on.
    Ours(Error),
}

impl From<Error> for Break {
    fn from(error: Error) -> Break {
        Break::Ours(error)
    }
}

const WORDS: &str = "talk to criu";

fn plain(fault: Fault) -> Error {
    Error::new(WORDS, Object::Nothing, fault.into())
}

impl Criu {
    /// Starts it with our standard streams; `inherited` are descriptors that it finds under their numbers.
    ///
    /// # Errors
    /// No CRIU on this machine, or one that is too old.
    pub fn start(inherited: &[&OwnedFd]) -> Result<Criu> {
        let places = TRUSTED.map(|dir| Path::new(dir).join("criu"));
        let Some(program) = places.into_iter().find(|path| path.is_file()) else {
            let why = format!("there is no criu in {}", TRUSTED.join(", "));
            let error = Error::new("start criu", Object::Nothing, Cause::Refused(why));
            return Err(error.hint("install CRIU 3.15 or newer (criu.org)"));
        };
        let (ours, theirs) = socket::pair().map_err(plain)?;
        for fd in inherited.iter().copied().chain([&theirs]) {
            exec::lay_over(fd, fd.as_raw_fd()).map_err(plain)?;
        }
        let mut command = Command::new(&program);
        command
            .args(["swrk", &theirs.as_raw_fd().to_string()])
            // What the caller of a runtime has in its environment is not for a program of root's.
            .env_clear()
            .env("PATH", TRUSTED.join(":"))
            .stdin(Stdio::inherit());
        let process = command
            .spawn()
            .map_err(|error| Error::io("start criu", &program, "execve", &error))?;
        // Its end is its alone, or its end would not be seen.
        drop(theirs);
        let criu = Criu {
            process,
            socket: Some(ours),
        };
        criu.check_version()?;
        Ok(criu)
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> i32 {
        // Pids have 22 bits; pid_max(5).
        i32::try_from(self.process.id()).unwrap_or(0)
    }

    /// Sends a request and answers each question by `answer`, until it is done. An answer that fails ends CRIU,
    /// which takes back what it has done.
    ///
    /// # Errors
    /// That it refused, or what `answer` could not do.
    pub fn ask(
        &self,
        kind: Kind,
        options: &Message,
        answer: &mut dyn FnMut(Question) -> Result<()>,
    ) -> std::result::Result<(), Break> {
        self.say(&request(kind).message(OPTIONS, options))?;
        loop {
            let (bytes, descriptor) = self.hear()?;
            let heard = Heard::read(&bytes)?;
            heard.allows()?;
            if heard.kind != Kind::Notify as u64 {
                return Ok(());
            }
            answer(Question {
                script: heard.script,
                pid: heard.pid,
                descriptor,
            })?;
            self.say(&request(Kind::Notify).on(NOTIFIED))?;
        }
    }

    /// Refuses to go on without `feature`; `flag` is what asks for it.
    ///
    /// # Errors
    /// CRIU cannot do that on this kernel.
    pub fn needs(&self, feature: Feature, flag: &str) -> Result<()> {
        let wanted = Message::default().on(feature as u32);
        let asked = request(Kind::Features).message(WANTED, &wanted).on(GO_ON);
        let told = self.say(&asked).map_err(Break::from);
        let heard = told.and_then(|()| Ok(Heard::read(&self.hear()?.0)?));
        let has = heard.is_ok_and(|heard| heard.features.contains(&(feature as u64)));
        if has {
            return Ok(());
        }
        let why = "criu cannot do that on this kernel".to_owned();
        let object = Object::Argument(format!("--{flag}"));
        Err(Error::new(
            "checkpoint as asked for",
            object,
            Cause::Refused(why),
        ))
    }

    fn check_version(&self) -> Result<()> {
        self.say(&request(Kind::Version).on(GO_ON))?;
        let heard = self.hear().and_then(|(bytes, _)| Ok(Heard::read(&bytes)?));
        let version = heard.map_or((0, 0), |heard| heard.version);
        tracing::debug!("criu is {}.{}", version.0, version.1);
        if version >= OLDEST {
            return Ok(());
        }
        let why = match version {
            (0, 0) => "it does not tell its version, so it does not run here".to_owned(),
            (major, minor) => format!(
                "it is {major}.{minor}, and {}.{} is needed",
                OLDEST.0, OLDEST.1
            ),
        };
        let error = Error::new("use criu", Object::Nothing, Cause::Refused(why));
        Err(error.hint("see what criu check says, and install a newer one (criu.org)"))
    }

    fn say(&self, message: &Message) -> Result<()> {
        let Some(socket) = &self.socket else {
            return Ok(());
        };
        match socket::send(socket, message.bytes()) {
            // What it had to say before it went will be heard.
            Err(fault) if fault.errno != libc::EPIPE => Err(plain(fault)),
            _ => Ok(()),
        }
    }

    fn hear(&self) -> std::result::Result<(Vec<u8>, Option<OwnedFd>), Break> {
        let Some(socket) = &self.socket else {
            return Err(gone());
        };
        let mut buffer = vec![0; LONGEST];
        match socket::receive_descriptor(socket, &mut buffer) {
            Ok((0, _)) => Err(gone()),
            Ok((length, descriptor)) => {
                buffer.truncate(length);
                Ok((buffer, descriptor))
            }
            Err(fault) if fault.errno == libc::ECONNRESET => Err(gone()),
            Err(fault) => Err(plain(fault).into()),
        }
    }
}

impl Drop for Criu {
    /// Without the socket it has nothing more to do: it takes back what is half done, and ends.
    fn drop(&mut self) {
        self.socket = None;
        // It may have been reaped on the way to an error, ignored.
        let _ = self.process.wait();
    }
}

/// It ended without an answer.
fn gone() -> Break {
    Break::Refused(Refusal {
        errno: 0,
        words: None,
    })
}

// Fields of `criu_req`.
const KIND: u32 = 1;
const OPTIONS: u32 = 2;
const NOTIFIED: u32 = 3;
const GO_ON: u32 = 4;
const WANTED: u32 = 5;

fn request(kind: Kind) -> Message {
    Message::default().number(KIND, kind as i64)
}

/// `criu_resp`, as far as it is used.
#[derive(Debug, Default)]
struct Heard {
    kind: u64,
    succeeded: u64,
    script: String,
    pid: i32,
    errno: i32,
    words: Option<String>,
    features: Vec<u64>,
    version: (u64, u64),
}

impl Heard {
    fn read(bytes: &[u8]) -> Result<Heard> {
        let odd = || {
            let what = "criu sent what is no message".to_owned();
            Error::new(WORDS, Object::Nothing, Cause::Protocol(what))
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut heard = Heard::default();
        for (field, value) in members(bytes).ok_or_else(odd)? {
            match field {
                1 => heard.kind = value.number(),
                2 => heard.succeeded = value.number(),
                5 => {
                    for (field, value) in members(value.bytes()).ok_or_else(odd)? {
                        match field {
                            1 => heard.script = text(value.bytes()),
                            2 => heard.pid = small(value.number()),
                            _ => {}
                        }
                    }
                }
                7 => heard.errno = small(value.number()),
                8 => {
                    let members = members(value.bytes()).ok_or_else(odd)?;
                    let on = members.into_iter().filter(|(_, value)| value.number() == 1);
                    heard.features = on.map(|(field, _)| field).collect();
                }
                9 => heard.words = Some(text(value.bytes())),
                10 => {
                    for (field, value) in members(value.bytes()).ok_or_else(odd)? {
                        match field {
                            1 => heard.version.0 = value.number(),
                            2 => heard.version.1 = value.number(),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(heard)
    }

    fn allows(&self) -> std::result::Result<(), Break> {
        match self.succeeded {
            0 => Err(Break::Refused(Refusal {
                errno: self.errno,
                words: self.words.clone(),
            })),
            _ => Ok(()),
        }
    }
}

fn small(number: u64) -> i32 {
    i32::try_from(number.cast_signed()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::wire::Message;
    use super::{Heard, Kind};

    #[test]
    fn an_answer_is_read() {
        let notify = Message::default().text(1, "post-restore").number(2, 4711);
        let bytes = Message::default()
            .number(1, Kind::Notify as i64)
            .on(2)
            .message(5, &notify);
        let heard = Heard::read(bytes.bytes()).unwrap();
        assert_eq!((heard.script.as_str(), heard.pid), ("post-restore", 4711));
        assert!(heard.allows().is_ok());
        let refusal = Message::default().number(1, 1).number(2, 0).number(7, 16);
        let heard = Heard::read(refusal.bytes()).unwrap();
        assert_eq!(heard.errno, 16);
        assert!(heard.allows().is_err());
        assert!(Heard::read(&[8]).is_err());
    }
}
