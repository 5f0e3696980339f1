//! A config.json under the case's hands: the default document and short ways to change it.

use serde_json::{Value, json};

/// A config.json as a JSON tree, edited by JSON pointers.
#[derive(Clone, Debug)]
pub(crate) struct Spec(pub(crate) Value);

impl Spec {
    /// What `runc spec` writes, without a terminal and with `sleep` as the program.
    pub(crate) fn ordinary() -> Self {
        let text = include_str!("ordinary.json");
        Spec(serde_json::from_str(text).unwrap_or_else(|error| panic!("ordinary.json: {error}")))
    }

    /// Puts `value` at `pointer`, making objects on the way.
    pub(crate) fn set(&mut self, pointer: &str, value: Value) -> &mut Self {
        let mut place = &mut self.0;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            if let (Some(list), Ok(index)) = (place.is_array().then_some(()), part.parse::<usize>())
            {
                let () = list;
                place = &mut place[index];
                continue;
            }
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[part];
        }
        *place = value;
        self
    }

    /// Appends `value` to the list at `pointer`, which is made when it is not there.
    pub(crate) fn push(&mut self, pointer: &str, value: Value) -> &mut Self {
        let mut list = match self.0.pointer(pointer) {
            Some(Value::Array(list)) => list.clone(),
            _ => Vec::new(),
        };
        list.push(value);
        self.set(pointer, Value::Array(list))
    }

    /// Removes the member at `pointer`, if it is there.
    pub(crate) fn remove(&mut self, pointer: &str) -> &mut Self {
        if let Some((parent, name)) = pointer.rsplit_once('/')
            && let Some(Value::Object(members)) = self.0.pointer_mut(parent)
        {
            members.remove(name);
        }
        self
    }

    /// The program and its arguments.
    pub(crate) fn args(&mut self, args: &[&str]) -> &mut Self {
        self.set("/process/args", json!(args))
    }

    /// The program is the shell with this script.
    pub(crate) fn sh(&mut self, script: &str) -> &mut Self {
        self.args(&["/bin/sh", "-c", script])
    }

    /// Adds a mount of type `kind`.
    pub(crate) fn mount(
        &mut self,
        destination: &str,
        kind: &str,
        source: &str,
        options: &[&str],
    ) -> &mut Self {
        self.push(
            "/mounts",
            json!({"destination": destination, "type": kind, "source": source, "options": options}),
        )
    }

    /// Adds a bind mount.
    pub(crate) fn bind(&mut self, source: &str, destination: &str, options: &[&str]) -> &mut Self {
        self.mount(destination, "bind", source, options)
    }

    /// Removes the mounts at `destination`.
    pub(crate) fn no_mount(&mut self, destination: &str) -> &mut Self {
        if let Some(Value::Array(mounts)) = self.0.pointer_mut("/mounts") {
            mounts.retain(|mount| mount["destination"] != destination);
        }
        self
    }

    /// Takes the namespaces of type `kind` from the list, so that the host's is used.
    pub(crate) fn no_namespace(&mut self, kind: &str) -> &mut Self {
        if let Some(Value::Array(list)) = self.0.pointer_mut("/linux/namespaces") {
            list.retain(|namespace| namespace["type"] != kind);
        }
        self
    }

    /// Joins the namespace at `path` instead of a new one of type `kind`.
    pub(crate) fn join(&mut self, kind: &str, path: &str) -> &mut Self {
        self.no_namespace(kind)
            .push("/linux/namespaces", json!({"type": kind, "path": path}))
    }

    /// A new user namespace: ids 0…`size` − 1 inside are `host`… outside.
    pub(crate) fn user_namespace(&mut self, host: u32, size: u32) -> &mut Self {
        let map = json!([{"containerID": 0, "hostID": host, "size": size}]);
        self.push("/linux/namespaces", json!({"type": "user"}))
            .set("/linux/uidMappings", map.clone())
            .set("/linux/gidMappings", map)
    }

    /// The same names in the bounding, effective and permitted sets, and no others.
    pub(crate) fn capabilities(&mut self, names: &[&str]) -> &mut Self {
        self.set(
            "/process/capabilities",
            json!({"bounding": names, "effective": names, "permitted": names}),
        )
    }

    /// Adds a hook that runs a shell script of the host.
    pub(crate) fn hook(&mut self, kind: &str, script: &str) -> &mut Self {
        self.push(
            &format!("/hooks/{kind}"),
            json!({"path": "/bin/sh", "args": ["sh", "-c", script],
                   "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}),
        )
    }

    /// What an ordinary user may ask for: no cgroup, no network, `uid` alone mapped to root.
    pub(crate) fn rootless(&mut self, uid: u32) -> &mut Self {
        self.user_namespace(uid, 1)
            .no_namespace("network")
            .no_namespace("cgroup")
            .no_mount("/sys")
            .no_mount("/sys/fs/cgroup")
            .no_mount("/dev/pts")
            .mount(
                "/dev/pts",
                "devpts",
                "devpts",
                &[
                    "nosuid",
                    "noexec",
                    "newinstance",
                    "ptmxmode=0666",
                    "mode=0620",
                ],
            )
            .bind(
                "/sys",
                "/sys",
                &["rbind", "nosuid", "noexec", "nodev", "ro"],
            )
            .remove("/linux/resources")
    }
}
