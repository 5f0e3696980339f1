use super::*;

const YAML: &str = r#"
cdiVersion: "0.6.0"
kind: vendor.com/gpu
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/vendor0
      hostPath: /dev/null
    env:
    - GPU=0
- name: all
  containerEdits:
    deviceNodes:
    - {path: /dev/vendorctl, major: 195, minor: 255, type: c, permissions: rw}
containerEdits:
  env: [VENDOR=void, "PATH=/vendor"]
  mounts:
  - hostPath: /usr/lib
    containerPath: /vendor/lib
    options: [ro, nosuid, bind]
  hooks:
  - hookName: createContainer
    path: /usr/bin/vendor-hook
    args: [vendor-hook, update]
  additionalGids: [44]
"#;

fn applied(names: &[&str]) -> Result<Value> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("vendor.yaml"), YAML).unwrap();
    std::fs::write(folder.path().join("broken.json"), "{").unwrap();
    std::fs::write(folder.path().join("README"), "not one").unwrap();
    let mut document = json!({
        "process": {"env": ["PATH=/bin"], "user": {}},
        "mounts": [],
        "linux": {"devices": [], "resources": {"devices": []}},
    });
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    apply(&mut document, &names, &[folder.path().to_path_buf()]).map(|()| document)
}

#[test]
fn a_device_brings_its_edits_and_its_files_once() {
    let document = applied(&["vendor.com/gpu=0", "vendor.com/gpu=all"]).unwrap();
    assert_eq!(
        document["process"]["env"],
        json!(["GPU=0", "VENDOR=void", "PATH=/vendor"])
    );
    let nodes = document["linux"]["devices"].as_array().unwrap();
    assert_eq!(
        (&nodes[0]["path"], &nodes[0]["major"], &nodes[0]["minor"]),
        (&json!("/dev/vendor0"), &json!(1), &json!(3))
    );
    assert_eq!(
        (&nodes[1]["major"], &nodes[1]["minor"]),
        (&json!(195), &json!(255))
    );
    let rules = document["linux"]["resources"]["devices"]
        .as_array()
        .unwrap();
    assert_eq!(rules[1]["access"], "rw");
    assert_eq!(document["mounts"].as_array().unwrap().len(), 1);
    assert_eq!(
        document["mounts"][0]["options"],
        json!(["ro", "nosuid", "bind"])
    );
    assert_eq!(
        document["hooks"]["createContainer"][0]["args"],
        json!(["vendor-hook", "update"])
    );
    assert_eq!(document["process"]["user"]["additionalGids"], json!([44]));
}

#[test]
fn what_no_file_has_is_told_with_what_there_is() {
    let other = applied(&["vendor.com/gpu=7"]).unwrap_err().to_string();
    assert!(
        other.contains("there are: 0, all") && other.contains("broken.json"),
        "{other}"
    );
    let unknown = applied(&["other.com/gpu=0"]).unwrap_err().to_string();
    assert!(
        unknown.contains("no file in /tmp") && unknown.contains("cdi generate"),
        "{unknown}"
    );
}
