//! The bundle that all lives use: what `spec` writes, with a program that waits and hooks that leave marks.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Makes it below `dir`, with a limit and a bind, so that there is something to leave behind.
pub(crate) fn make(dir: &Path) -> Result<PathBuf, String> {
    let told = |error: std::io::Error| format!("cannot make the bundle: {error}");
    let bundle = dir.join("bundle");
    let bin = bundle.join("rootfs/bin");
    std::fs::create_dir_all(&bin).map_err(told)?;
    for name in ["dev", "proc", "sys", "vol"] {
        std::fs::create_dir_all(bundle.join("rootfs").join(name)).map_err(told)?;
    }
    let busybox = ["/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static"];
    let busybox = busybox.into_iter().find(|path| Path::new(path).exists());
    let busybox = busybox.ok_or("cannot find a static busybox; Debian has it as busybox-static")?;
    std::fs::copy(busybox, bin.join("busybox")).map_err(told)?;
    for name in ["sh", "true", "sleep"] {
        std::os::unix::fs::symlink("busybox", bin.join(name)).map_err(told)?;
    }
    std::fs::create_dir(dir.join("volume")).map_err(told)?;
    let text = include_str!("../src/ordinary.json");
    let mut config: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    config["process"]["args"] = json!(["/bin/sh", "-c", "sleep 600 & trap 'exit 0' TERM; wait"]);
    if let Some(mounts) = config["mounts"].as_array_mut() {
        mounts.push(json!({"destination": "/vol", "type": "bind",
            "source": dir.join("volume"), "options": ["rbind"]}));
    }
    let hook = json!([{"path": "/bin/true", "args": ["true"]}]);
    config["hooks"] = json!({"createRuntime": hook, "poststop": hook});
    std::fs::write(bundle.join("config.json"), config.to_string()).map_err(told)?;
    Ok(bundle)
}
