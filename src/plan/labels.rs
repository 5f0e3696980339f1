//! Security labels of the process (config.md, `apparmorProfile`, `selinuxLabel`): the bytes that its
//! attribute files take. Whether the host has the module is asked before birth, in `linux/labels.rs`.

use crate::error::{Error, Pointer, Result};
use oci_spec::runtime::Spec;

/// The labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// `/process/apparmorProfile`.
    pub apparmor: Option<AppArmor>,
    /// `/process/selinuxLabel`, for the program and for the session keyring.
    pub selinux: Option<String>,
}

/// A change of profile on execve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppArmor {
    /// The profile's name.
    pub profile: String,
    /// What /proc/PID/attr/apparmor/exec takes: `exec PROFILE`.
    pub bytes: Vec<u8>,
    /// What to do on a host without AppArmor.
    pub absent: Absent,
}

/// What to do on a host without the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The container would be less confined than it was to be.
    Refuse,
    /// Without the module every process is unconfined.
    Leave,
}

/// Plans both.
///
/// # Errors
/// A label that the kernel would read as something else.
pub fn plan(spec: &Spec) -> Result<Labels> {
    let Some(process) = spec.process() else {
        return Ok(Labels::default());
    };
    let apparmor = process
        .apparmor_profile()
        .as_deref()
        .filter(|name| !name.is_empty());
    let selinux = process
        .selinux_label()
        .as_deref()
        .filter(|label| !label.is_empty());
    Ok(Labels {
        apparmor: apparmor.map(self::apparmor).transpose()?,
        selinux: selinux.map(self::selinux).transpose()?,
    })
}

fn apparmor(profile: &str) -> Result<AppArmor> {
    let pointer = Pointer::from("/process/apparmorProfile");
    plain(profile, "set the AppArmor profile", &pointer)?;
    let absent = match profile {
        "unconfined" => Absent::Leave,
        _ => Absent::Refuse,
    };
    Ok(AppArmor {
        profile: profile.to_owned(),
        bytes: format!("exec {profile}").into_bytes(),
        absent,
    })
}

fn selinux(label: &str) -> Result<String> {
    let pointer = Pointer::from("/process/selinuxLabel");
    plain(label, "set the SELinux label", &pointer)?;
    Ok(label.to_owned())
}

/// One write of at most a page; a line end or a NUL would cut it short.
fn plain(label: &str, doing: &str, pointer: &Pointer) -> Result<()> {
    const LONGEST: usize = 4000;
    let why = match label.bytes().find(|byte| byte.is_ascii_control()) {
        Some(_) => "it must not have control characters",
        None if label.len() > LONGEST => {
            "it is too long for the kernel, which takes a page at most"
        }
        None => return Ok(()),
    };
    Err(Error::refused(doing, pointer, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample::{spec, told};
    use serde_json::json;

    #[test]
    fn nothing_asked_nothing_planned() {
        assert_eq!(plan(&spec(json!({}))).unwrap(), Labels::default());
        let empty = json!({"process": {"apparmorProfile": "", "selinuxLabel": ""}});
        assert_eq!(plan(&spec(empty)).unwrap(), Labels::default());
    }

    #[test]
    fn a_profile_is_for_execve() {
        let given = json!({"process": {"apparmorProfile": "docker-default", "selinuxLabel": "u:r:t:s0:c1,c2"}});
        let labels = plan(&spec(given)).unwrap();
        let apparmor = labels.apparmor.unwrap();
        assert_eq!(apparmor.bytes, b"exec docker-default");
        assert_eq!(apparmor.absent, Absent::Refuse);
        assert_eq!(labels.selinux.unwrap(), "u:r:t:s0:c1,c2");
    }

    #[test]
    fn unconfined_needs_no_module() {
        let labels = plan(&spec(json!({"process": {"apparmorProfile": "unconfined"}}))).unwrap();
        assert_eq!(labels.apparmor.unwrap().absent, Absent::Leave);
    }

    #[test]
    fn labels_that_the_kernel_would_cut() {
        for (name, label) in [
            ("apparmorProfile", "a\nb".to_owned()),
            ("apparmorProfile", "a\0b".to_owned()),
            ("selinuxLabel", "x".repeat(4001)),
        ] {
            let (pointer, _) = told(&plan(&spec(json!({"process": {name: label}}))).unwrap_err());
            assert_eq!(pointer, format!("/process/{name}"));
        }
    }
}
