//! Images as folders and tars.

use super::image::{Image, MANIFEST, described, digest};
use super::lab::Lab;
use serde_json::json;

/// Writes the image as an OCI layout.
pub(crate) fn layout(lab: &Lab, folder: &str, image: &Image, name: &str) {
    for blob in image
        .layers
        .iter()
        .map(|layer| &layer.blob)
        .chain([&image.config, &image.manifest])
    {
        lab.write(
            &format!("{folder}/blobs/sha256/{}", &digest(blob)[7..]),
            blob,
        );
    }
    let mut entry = described(MANIFEST, &image.manifest);
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    lab.write(
        &format!("{folder}/index.json"),
        json!({"schemaVersion": 2, "manifests": [entry]}).to_string(),
    );
    lab.write(
        &format!("{folder}/oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    );
}

/// A folder as a tar.
pub(crate) fn tar(lab: &Lab, folder: &str, file: &str) {
    let made = std::process::Command::new("tar")
        .args(["-cf", file, "-C", folder, "."])
        .current_dir(lab.path())
        .status();
    assert!(made.unwrap().success());
}
