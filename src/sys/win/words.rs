//! Numbers of errors in words: the name of winerror.h and Windows' own text.

/// The names that are likely to be seen.
const NAMES: &[(i32, &str)] = &[
    (2, "ERROR_FILE_NOT_FOUND"),
    (3, "ERROR_PATH_NOT_FOUND"),
    (5, "ERROR_ACCESS_DENIED"),
    (6, "ERROR_INVALID_HANDLE"),
    (8, "ERROR_NOT_ENOUGH_MEMORY"),
    (32, "ERROR_SHARING_VIOLATION"),
    (33, "ERROR_LOCK_VIOLATION"),
    (50, "ERROR_NOT_SUPPORTED"),
    (80, "ERROR_FILE_EXISTS"),
    (87, "ERROR_INVALID_PARAMETER"),
    (112, "ERROR_DISK_FULL"),
    (120, "ERROR_CALL_NOT_IMPLEMENTED"),
    (123, "ERROR_INVALID_NAME"),
    (127, "ERROR_PROC_NOT_FOUND"),
    (145, "ERROR_DIR_NOT_EMPTY"),
    (183, "ERROR_ALREADY_EXISTS"),
    (193, "ERROR_BAD_EXE_FORMAT"),
    (206, "ERROR_FILENAME_EXCED_RANGE"),
    (267, "ERROR_DIRECTORY"),
    (740, "ERROR_ELEVATION_REQUIRED"),
    (1314, "ERROR_PRIVILEGE_NOT_HELD"),
    (1816, "ERROR_NOT_ENOUGH_QUOTA"),
];

/// An error as `ERROR_FILE_NOT_FOUND: the system cannot find the file specified`.
#[must_use]
pub fn of_error(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let text = text.trim_end_matches(['.', ' ', '\r', '\n']);
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    let text: String = first.chain(letters).collect();
    match NAMES.iter().find(|(number, _)| *number == errno) {
        Some((_, name)) => format!("{name}: {text}"),
        None => format!("error {errno}: {text}"),
    }
}

/// What does on Windows what the manual's call does on Linux: code that both have names that one.
#[must_use]
pub fn of_call(call: &'static str) -> &'static str {
    match call {
        "open" | "openat" | "stat" => "CreateFileW",
        "realpath" => "GetFinalPathNameByHandleW",
        "getcwd" => "GetFullPathNameW",
        "mkdir" => "CreateDirectoryW",
        "read" => "ReadFile",
        "write" => "WriteFile",
        "execve" => "CreateProcessW",
        "fcntl" => "DuplicateHandle",
        other => other,
    }
}
