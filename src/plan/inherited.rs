//! What the caller's own surroundings add to a configuration: the descriptors of `LISTEN_FDS` and the socket
//! of `NOTIFY_SOCKET` are told to the program in its environment, where systemd's libraries look for them.

use crate::cli::Create;
use oci_spec::runtime::{Mount, Spec};
use std::borrow::Cow;

/// Where the container finds the socket that it notifies; runc's place.
const FOLDER: &str = "/run/notify";

/// The socket's name in [`FOLDER`] and in the container's own directory on the host.
pub const SOCKET: &str = "notify.sock";

/// The configuration with what is inherited; the given one where nothing is.
#[must_use]
pub fn with_inherited<'a>(spec: &'a Spec, request: &Create) -> Cow<'a, Spec> {
    let inherited = &request.inherited;
    if inherited.listen_fds == 0 && inherited.notify.is_none() {
        return Cow::Borrowed(spec);
    }
    let mut spec = spec.clone();
    let mut variables = Vec::new();
    if inherited.listen_fds > 0 {
        variables.push(format!("LISTEN_FDS={}", inherited.listen_fds));
        // The program is the first process of its pid namespace.
        variables.push("LISTEN_PID=1".to_owned());
        let names = inherited.listen_names.as_ref();
        variables.extend(names.map(|names| format!("LISTEN_FDNAMES={names}")));
    }
    if let Some(notify) = &inherited.notify {
        variables.push(format!("NOTIFY_SOCKET={FOLDER}/{SOCKET}"));
        let mut mounts = spec.mounts().clone().unwrap_or_default();
        mounts.push(folder(&notify.folder));
        spec.set_mounts(Some(mounts));
    }
    if let Some(process) = spec.process_mut() {
        let mut env = process.env().clone().unwrap_or_default();
        env.extend(variables);
        process.set_env(Some(env));
    }
    Cow::Owned(spec)
}

fn folder(source: &std::path::Path) -> Mount {
    let options = ["bind", "nosuid", "noexec", "nodev", "ro"];
    let mut mount = Mount::default();
    mount
        .set_destination(FOLDER.into())
        .set_typ(Some("bind".to_owned()))
        .set_source(Some(source.to_path_buf()))
        .set_options(Some(options.map(str::to_owned).to_vec()));
    mount
}

#[cfg(test)]
mod tests {
    use super::with_inherited;
    use crate::cli::{Inherited, Notify};
    use crate::plan::sample::{bundle, request, root};
    use serde_json::json;
    use std::borrow::Cow;

    #[test]
    fn the_program_is_told() {
        let more = json!({"process": {"env": ["LISTEN_FDS=9", "A=b"]}});
        let given = bundle(more);
        let mut request = request();
        assert!(matches!(
            with_inherited(&given.spec, &request),
            Cow::Borrowed(_)
        ));
        request.preserve_fds = 1;
        request.inherited = Inherited {
            listen_fds: 2,
            listen_names: Some("web:log".to_owned()),
            notify: Some(Notify {
                host: "/run/systemd/notify".into(),
                folder: "/run/orbital/web/notify".into(),
            }),
        };
        let plan = crate::plan::plan(&given, &root(), &request).unwrap();
        let env: Vec<_> = plan
            .process
            .envp
            .iter()
            .map(|one| one.to_str().unwrap())
            .collect();
        assert_eq!(
            env,
            [
                "LISTEN_FDS=2",
                "A=b",
                "LISTEN_PID=1",
                "LISTEN_FDNAMES=web:log",
                "NOTIFY_SOCKET=/run/notify/notify.sock"
            ]
        );
        assert_eq!(plan.process.preserve_fds, 3);
        assert_eq!(
            plan.mounts.last().unwrap().target.to_str(),
            Ok("run/notify")
        );
    }
}
