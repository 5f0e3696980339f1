//! Birth: suspended, inside a job, with the handles that are meant and no others; CreateProcessW.

use super::console::PseudoConsole;
use super::handle::{own, wide};
use super::job::Job;
use super::process::Process;
use super::{Call, Fault, yes};
use std::marker::PhantomData;
use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Threading as win;

/// A process that is to be.
#[derive(Debug)]
pub struct Birth<'a> {
    /// The program's file.
    pub program: &'a str,
    /// Its command line, quoted.
    pub command_line: &'a str,
    /// Its working directory.
    pub cwd: &'a str,
    /// Its environment, `NAME=VALUE`.
    pub env: &'a [String],
    /// Where it reads and writes.
    pub streams: Streams<'a>,
    /// The job that it is born in, if any.
    pub job: Option<&'a Job>,
    /// Whose Ctrl-Break it hears.
    pub group: Group,
    /// Whose rights it has, unless the caller's.
    pub token: Option<&'a OwnedHandle>,
}

/// Where a process reads and writes.
#[derive(Clone, Copy, Debug)]
pub enum Streams<'a> {
    /// Three handles that may be inherited: input, output, errors.
    Handles(&'a [OwnedHandle; 3]),
    /// A terminal of its own.
    Terminal(&'a PseudoConsole),
}

/// Whose Ctrl-Break and Ctrl-C a process hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Its caller's.
    Callers,
    /// A group of its own, which is named by its pid: Ctrl-Break alone, and nobody else's.
    Own,
    /// A group of its own on a console that nobody sees, for a caller without one.
    Unseen,
}

/// A process that is suspended before its first instruction.
#[derive(Debug)]
pub struct Newborn {
    /// The process.
    pub process: Process,
    /// Its pid.
    pub pid: u32,
    /// Its first thread, which is to be resumed.
    pub thread: u32,
}

/// Gives birth.
///
/// # Errors
/// As CreateProcessW or CreateProcessAsUserW.
pub fn spawn(birth: &Birth<'_>) -> Result<Newborn, Fault> {
    let job: [HANDLE; 1] = [birth
        .job
        .map_or(std::ptr::null_mut(), |job| job.as_handle().as_raw_handle())];
    let inherited;
    let mut attributes = Attributes::new(3)?;
    if birth.job.is_some() {
        attributes.add(win::PROC_THREAD_ATTRIBUTE_JOB_LIST, job.as_slice())?;
    }
    let mut startup = win::STARTUPINFOEXW::default();
    startup.StartupInfo.cb = super::size::<win::STARTUPINFOEXW>();
    let mut inherit = 0;
    match birth.streams {
        Streams::Handles(streams) => {
            inherited = streams.each_ref().map(|stream| stream.as_raw_handle());
            startup.StartupInfo.dwFlags = win::STARTF_USESTDHANDLES;
            startup.StartupInfo.hStdInput = inherited[0];
            startup.StartupInfo.hStdOutput = inherited[1];
            startup.StartupInfo.hStdError = inherited[2];
            attributes.add(win::PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited.as_slice())?;
            inherit = 1;
        }
        Streams::Terminal(console) => {
            attributes.add_value(win::PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, console.raw())?;
            // Without this a caller's own redirected streams would go on into the child.
            startup.StartupInfo.dwFlags = win::STARTF_USESTDHANDLES;
        }
    }
    startup.lpAttributeList = attributes.list();
    let flags = win::CREATE_SUSPENDED
        | win::CREATE_UNICODE_ENVIRONMENT
        | win::EXTENDED_STARTUPINFO_PRESENT
        | match birth.group {
            Group::Callers => 0,
            Group::Own => win::CREATE_NEW_PROCESS_GROUP,
            Group::Unseen => win::CREATE_NEW_PROCESS_GROUP | win::CREATE_NO_WINDOW,
        };
    create(birth, &startup, flags, inherit)
}

fn create(
    birth: &Birth<'_>,
    startup: &win::STARTUPINFOEXW,
    flags: u32,
    inherit: i32,
) -> Result<Newborn, Fault> {
    let (program, cwd) = (wide(birth.program), wide(birth.cwd));
    let mut line = wide(birth.command_line);
    let env = block(birth.env);
    let mut made = win::PROCESS_INFORMATION::default();
    let none = std::ptr::null();
    let startup = (&raw const startup.StartupInfo).cast();
    let (name, line) = (program.as_ptr(), line.as_mut_ptr());
    let (place, env) = (cwd.as_ptr(), env.as_ptr().cast());
    let into = &raw mut made;
    #[rustfmt::skip]
    let (done, call) = match birth.token.map(AsRawHandle::as_raw_handle) {
        // SAFETY: all text ends with its mark and lives across the call, the line may be written to, the
        // attributes in `startup` and what they lead to live in our caller.
        None => (unsafe { win::CreateProcessW(name, line, none, none, inherit, flags, env, place, startup, into) }, Call::CreateProcess),
        // SAFETY: the same holds here, and the token is open across the call.
        Some(token) => (unsafe { win::CreateProcessAsUserW(token, name, line, none, none, inherit, flags, env, place, startup, into) }, Call::CreateProcessAsUser),
    };
    yes(done, call)?;
    let failed = Fault::last(call);
    let process = own(made.hProcess).ok_or(failed)?;
    // The thread is opened again by whoever resumes it.
    drop(own(made.hThread));
    Ok(Newborn {
        process: Process(process),
        pid: made.dwProcessId,
        thread: made.dwThreadId,
    })
}

/// The environment as Windows takes it: sorted without regard to capitals, each with its end mark, and one more.
fn block(env: &[String]) -> Vec<u16> {
    let mut sorted: Vec<&String> = env.iter().collect();
    sorted.sort_by_key(|variable| {
        variable
            .split('=')
            .next()
            .unwrap_or_default()
            .to_uppercase()
    });
    let mut block: Vec<u16> = Vec::new();
    for variable in sorted {
        block.extend(wide(variable));
    }
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    block
}

/// A list of attributes, in memory that is large enough and does not move. What the attributes lead to outlives it.
struct Attributes<'a> {
    memory: Vec<usize>,
    leads_to: PhantomData<&'a ()>,
}

impl<'a> Attributes<'a> {
    fn new(count: u32) -> Result<Attributes<'a>, Fault> {
        let mut bytes = 0;
        // SAFETY: without memory it only tells how much it wants; its error says that, ignored.
        unsafe {
            win::InitializeProcThreadAttributeList(std::ptr::null_mut(), count, 0, &raw mut bytes)
        };
        let mut made = Attributes {
            memory: vec![0; bytes.div_ceil(size_of::<usize>())],
            leads_to: PhantomData,
        };
        // SAFETY: the memory has as many bytes as it has just asked for.
        let done = unsafe {
            win::InitializeProcThreadAttributeList(made.list(), count, 0, &raw mut bytes)
        };
        yes(done, Call::ProcThreadAttribute)?;
        Ok(made)
    }

    /// An attribute that is a list of handles.
    fn add(&mut self, attribute: u32, handles: &'a [HANDLE]) -> Result<(), Fault> {
        let (first, length) = (handles.as_ptr().cast(), size_of_val(handles));
        self.update(attribute, first, length)
    }

    /// An attribute that is itself a handle.
    fn add_value(&mut self, attribute: u32, value: isize) -> Result<(), Fault> {
        self.update(
            attribute,
            std::ptr::without_provenance(value.cast_unsigned()),
            size_of::<isize>(),
        )
    }

    fn update(
        &mut self,
        attribute: u32,
        value: *const std::ffi::c_void,
        length: usize,
    ) -> Result<(), Fault> {
        let list = self.list();
        let attribute = attribute as usize;
        let (none, nothing) = (std::ptr::null_mut(), std::ptr::null());
        // SAFETY: the list is initialised, and `value` lives for 'a, longer than the list.
        let done = unsafe {
            win::UpdateProcThreadAttribute(list, 0, attribute, value, length, none, nothing)
        };
        yes(done, Call::ProcThreadAttribute)
    }

    fn list(&mut self) -> win::LPPROC_THREAD_ATTRIBUTE_LIST {
        self.memory.as_mut_ptr().cast()
    }
}

impl Drop for Attributes<'_> {
    fn drop(&mut self) {
        let list = self.list();
        // SAFETY: `new` returns only what was initialised, or drops zeroed memory, of which nothing is freed.
        unsafe { win::DeleteProcThreadAttributeList(list) };
    }
}
