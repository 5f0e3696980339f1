//! The directory of containers, and that of one. Windows' files cannot be reached from a directory's handle as
//! on Linux; so a folder is a path, and what must be ours alone is locked by a file in it.

use super::{At, Call, Fault, error};
use std::ffi::CStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A directory.
#[derive(Debug)]
pub struct Folder(PathBuf);

/// Which files [`Folder::put`] may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// One that is not there yet.
    New,
    /// Any: what was there is replaced.
    Anew,
}

/// Whether [`Folder::lock`] waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Until nobody else has it.
    Alone,
    /// Not at all, and beside others who only look.
    Look,
}

/// A lock, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Locked(#[allow(dead_code, reason = "held for its drop")] File);

impl Folder {
    /// A directory of the host's.
    ///
    /// # Errors
    /// There is none.
    pub fn open(path: &Path) -> Result<Folder, Fault> {
        let about = std::fs::metadata(path).at(Call::CreateFile)?;
        if about.is_dir() {
            return Ok(Folder(path.to_owned()));
        }
        Err(Fault {
            call: Call::CreateFile,
            errno: error::ALREADY_EXISTS,
        })
    }

    /// Makes a directory of the host's and those above it; CreateDirectoryW. Who may see it is what the one above
    /// says: the default is below the user's own profile.
    ///
    /// # Errors
    /// As CreateDirectoryW.
    pub fn make(path: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(path)
    }

    /// Makes `name` in it; CreateDirectoryW.
    ///
    /// # Errors
    /// ERROR_ALREADY_EXISTS where it is there; as CreateDirectoryW.
    pub fn make_within(&self, name: &CStr) -> Result<(), Fault> {
        std::fs::create_dir(self.path(name)).at(Call::CreateDirectory)
    }

    /// The directory `name` in it.
    ///
    /// # Errors
    /// There is none.
    pub fn within(&self, name: &CStr) -> Result<Folder, Fault> {
        Folder::open(&self.path(name))
    }

    /// Whether it has been removed since it was opened.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        !self.0.is_dir()
    }

    /// Writes all of a file; CreateFileW, WriteFile.
    ///
    /// # Errors
    /// ERROR_FILE_EXISTS where it should be new.
    pub fn put(&self, name: &CStr, how: Put, bytes: &[u8]) -> Result<(), Fault> {
        let mut options = OpenOptions::new();
        options.write(true);
        match how {
            Put::New => options.create_new(true),
            Put::Anew => options.create(true).truncate(true),
        };
        let mut file = options.open(self.path(name)).at(Call::CreateFile)?;
        file.write_all(bytes).at(Call::WriteFile)
    }

    /// Reads all of a file; CreateFileW, ReadFile.
    ///
    /// # Errors
    /// As CreateFileW and ReadFile.
    pub fn get(&self, name: &CStr) -> Result<Vec<u8>, Fault> {
        let mut file = patiently(|| File::open(self.path(name))).at(Call::CreateFile)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).at(Call::ReadFile)?;
        Ok(bytes)
    }

    /// Puts a file into another's place, in one act; MoveFileExW.
    ///
    /// # Errors
    /// As MoveFileExW.
    pub fn rename(&self, from: &CStr, to: &CStr) -> Result<(), Fault> {
        patiently(|| std::fs::rename(self.path(from), self.path(to))).at(Call::MoveFile)
    }

    /// Locks by a file of its own; LockFileEx. The lock goes with the process, however that ends.
    ///
    /// # Errors
    /// ERROR_LOCK_VIOLATION where it is taken and [`Lock::Look`] does not wait.
    pub fn lock(&self, name: &CStr, how: Lock) -> Result<Locked, Fault> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(self.path(name)).at(Call::CreateFile)?;
        match how {
            Lock::Alone => file.lock().at(Call::LockFile)?,
            Lock::Look => match file.try_lock_shared() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Fault {
                        call: Call::LockFile,
                        errno: error::LOCK_VIOLATION,
                    });
                }
                Err(TryLockError::Error(error)) => return Err(error).at(Call::LockFile),
            },
        }
        Ok(Locked(file))
    }

    /// Removes a file; DeleteFileW. One that is open keeps its name until it is closed, and its directory cannot
    /// be removed meanwhile: so it goes out of the directory first.
    ///
    /// # Errors
    /// As DeleteFileW.
    pub fn unlink(&self, name: &CStr) -> Result<(), Fault> {
        let path = self.path(name);
        let file = format!(
            "~{}-{}",
            std::process::id(),
            name.to_string_lossy().replace('/', "-")
        );
        let aside = self.0.with_file_name(file);
        match std::fs::rename(&path, &aside) {
            Ok(()) => std::fs::remove_file(aside).at(Call::DeleteFile),
            Err(_) => std::fs::remove_file(path).at(Call::DeleteFile),
        }
    }

    /// Removes the empty directory `name`; RemoveDirectoryW.
    ///
    /// # Errors
    /// As RemoveDirectoryW.
    pub fn unmake(&self, name: &CStr) -> Result<(), Fault> {
        std::fs::remove_dir(self.path(name)).at(Call::RemoveDirectory)
    }

    fn path(&self, name: &CStr) -> PathBuf {
        self.0.join(&*name.to_string_lossy())
    }
}

/// Again for a quarter of a second while somebody else (who looks for viruses, say) has the file open.
fn patiently<T>(mut act: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    for _ in 0..25 {
        match act() {
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(error::ACCESS_DENIED | error::SHARING_VIOLATION)
                ) =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
    act()
}

/// Removes an empty directory of the host's; RemoveDirectoryW.
///
/// # Errors
/// As RemoveDirectoryW.
pub fn remove(path: &Path) -> Result<(), Fault> {
    patiently(|| std::fs::remove_dir(path)).at(Call::RemoveDirectory)
}

/// Who may read a new file is what its directory says.
pub fn readable_by_all(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
