//! The only home of `unsafe` on Windows, and of every function of Windows' own that orbital calls.
//!
//! The rules are those of `sys/mod.rs`: one wrapper per act, each naming the function; handles are owned and
//! not inherited unless they are meant to be; a wrapper never decides, it returns a [`Fault`] (which function,
//! which error). Names that every platform has (`folder`, `clock`, `words`, `signal`, `start`, `heap`, `dir`) are the same there.

/// The first steps: C's `main`.
pub mod start;

/// The global allocator: nothing here lives after a clone, so it is the system's own.
pub mod heap;

/// Paths without links.
pub mod dir;

/// Mounts, which are not laid here.
pub mod mount_id;

/// The directory of containers, and that of one.
pub mod folder;

/// The time of day as RFC 3339, for records and logs.
#[path = "../clock.rs"]
pub mod clock;

/// Numbers of errors in words.
pub mod words;

/// Signals by their names, which callers send here too.
#[path = "../signal.rs"]
pub mod signal;

/// Handles: streams, files for children, text for Windows.
pub mod handle;

/// Job Objects: made, found by name, limited, counted, ended.
pub mod job;

/// Processes: opened, timed, waited for.
pub mod process;

/// Birth: suspended, inside a job, with the handles that are meant and no others.
pub mod spawn;

/// All processes and threads of the machine, to stop those of a job and to let them go on.
pub mod threads;

/// Consoles and pseudo-consoles.
pub mod console;

/// Windows that are asked to close.
pub mod close;

/// Users: the caller, and accounts that need no password.
pub mod user;

use windows_sys::Win32::Foundation::GetLastError;

macro_rules! calls {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A function, as Windows' documentation names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Call { $(#[doc = $name] $variant),+ }

        impl Call {
            /// The name in the documentation.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Call::$variant => $name),+ }
            }
        }
    };
}

calls! {
    AssignProcess = "AssignProcessToJobObject",
    AttachConsole = "AttachConsole",
    CreateDirectory = "CreateDirectoryW",
    CreateFile = "CreateFileW",
    CreateJob = "CreateJobObjectW",
    CreateProcess = "CreateProcessW",
    CreateProcessAsUser = "CreateProcessAsUserW",
    CreatePseudoConsole = "CreatePseudoConsole",
    CreateSnapshot = "CreateToolhelp32Snapshot",
    DeleteFile = "DeleteFileW",
    DuplicateHandle = "DuplicateHandle",
    ConsoleCtrlEvent = "GenerateConsoleCtrlEvent",
    GetProcessTimes = "GetProcessTimes",
    GetUserName = "GetUserNameW",
    LockFile = "LockFileEx",
    LogonUser = "LogonUserW",
    MoveFile = "MoveFileExW",
    OpenJob = "OpenJobObjectW",
    OpenProcess = "OpenProcess",
    OpenThread = "OpenThread",
    ProcThreadAttribute = "UpdateProcThreadAttribute",
    QueryJob = "QueryInformationJobObject",
    ReadFile = "ReadFile",
    RemoveDirectory = "RemoveDirectoryW",
    ResumeThread = "ResumeThread",
    SetIoRate = "SetIoRateControlInformationJobObject",
    SetCtrlHandler = "SetConsoleCtrlHandler",
    SetJob = "SetInformationJobObject",
    SuspendThread = "SuspendThread",
    TerminateJob = "TerminateJobObject",
    Wait = "WaitForSingleObject",
    WriteFile = "WriteFile",
}

/// A function that did not do what was asked: which one, and the error that it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The function.
    pub call: Call,
    /// The error, as GetLastError has it.
    pub errno: i32,
}

/// Numbers of winerror.h.
pub mod error {
    /// ERROR_FILE_NOT_FOUND.
    pub const FILE_NOT_FOUND: i32 = 2;
    /// ERROR_PATH_NOT_FOUND.
    pub const PATH_NOT_FOUND: i32 = 3;
    /// ERROR_ACCESS_DENIED.
    pub const ACCESS_DENIED: i32 = 5;
    /// ERROR_SHARING_VIOLATION.
    pub const SHARING_VIOLATION: i32 = 32;
    /// ERROR_LOCK_VIOLATION.
    pub const LOCK_VIOLATION: i32 = 33;
    /// ERROR_FILE_EXISTS.
    pub const FILE_EXISTS: i32 = 80;
    /// ERROR_INVALID_PARAMETER.
    pub const INVALID_PARAMETER: i32 = 87;
    /// ERROR_PROC_NOT_FOUND.
    pub const PROC_NOT_FOUND: i32 = 127;
    /// ERROR_DIR_NOT_EMPTY.
    pub const DIR_NOT_EMPTY: i32 = 145;
    /// ERROR_ALREADY_EXISTS.
    pub const ALREADY_EXISTS: i32 = 183;
    /// ERROR_BAD_EXE_FORMAT.
    pub const BAD_EXE_FORMAT: i32 = 193;
    /// ERROR_MORE_DATA.
    pub const MORE_DATA: i32 = 234;
    /// ERROR_NOT_ENOUGH_QUOTA: a limit of the job is reached.
    pub const NOT_ENOUGH_QUOTA: i32 = 1816;
}

impl Fault {
    /// What this thread's last function left.
    #[must_use]
    pub fn last(call: Call) -> Fault {
        // SAFETY: it reads a number of this thread's own.
        let error = unsafe { GetLastError() };
        Fault {
            call,
            errno: i32::try_from(error).unwrap_or(i32::MAX),
        }
    }

    /// There is no such file.
    #[must_use]
    pub const fn is_missing(self) -> bool {
        matches!(self.errno, error::FILE_NOT_FOUND | error::PATH_NOT_FOUND)
    }

    /// There is one already.
    #[must_use]
    pub const fn is_there(self) -> bool {
        matches!(self.errno, error::FILE_EXISTS | error::ALREADY_EXISTS)
    }

    /// Somebody else has it, and we would have had to wait.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(self.errno, error::LOCK_VIOLATION | error::SHARING_VIOLATION)
    }

    /// Something is still in it.
    #[must_use]
    pub const fn is_not_empty(self) -> bool {
        self.errno == error::DIR_NOT_EMPTY
    }
}

/// Names the function on the way up.
pub trait At<T> {
    /// Turns an error of the standard library's into a [`Fault`] of `call`.
    fn at(self, call: Call) -> Result<T, Fault>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, call: Call) -> Result<T, Fault> {
        self.map_err(|error| Fault {
            call,
            errno: error.raw_os_error().unwrap_or(error::INVALID_PARAMETER),
        })
    }
}

/// What a function says by a BOOL.
fn yes(done: windows_sys::core::BOOL, call: Call) -> Result<(), Fault> {
    if done == 0 {
        Err(Fault::last(call))
    } else {
        Ok(())
    }
}

/// The size of a structure, as Windows wants to be told it.
fn size<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or_default()
}
