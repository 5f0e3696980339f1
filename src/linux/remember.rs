//! What is written down of a plan, and what the record leads back to.

use crate::cgroup::Cgroup;
use crate::error::Result;
use crate::plan::Plan;
use crate::plan::cgroup::Scope;
use crate::state::Record;
use crate::state::record::{self, Came, Kept, Program, Unit};
use std::path::PathBuf;

impl Unit {
    fn new(scope: &Scope) -> Unit {
        Unit {
            name: scope.unit.clone(),
            instance: scope.instance,
        }
    }
}

impl Record {
    /// The record of a container that is being created.
    #[must_use]
    pub fn new(plan: &Plan, owner: u32, cgroup: Option<PathBuf>) -> Record {
        Record {
            orbital_version: record::VERSION,
            id: plan.id.clone(),
            oci_version: plan.oci_version.clone(),
            bundle: plan.bundle.clone(),
            rootfs: PathBuf::from(plan.root.path.to_string_lossy().into_owned()),
            created: crate::sys::clock::now_rfc3339(),
            owner,
            process: None,
            program: match plan.process.argv.is_empty() {
                true => Program::Missing,
                false => Program::Given,
            },
            cgroup,
            cgroup_made: Vec::new(),
            unit: plan.cgroup.scope.as_ref().map(Unit::new),
            resctrl_made: Vec::new(),
            laid: None,
            came: Came::Started,
            job: None,
            keyring: plan
                .process
                .keyring
                .as_ref()
                .map(|name| name.to_string_lossy().into_owned()),
            annotations: plan.annotations.clone(),
            poststart: plan.hooks.poststart.iter().map(Kept::new).collect(),
            poststop: plan.hooks.poststop.iter().map(Kept::new).collect(),
        }
    }

    /// The container's group, opened; `None` when it has none or it is gone.
    ///
    /// # Errors
    /// A path that shows something other than a group of cgroup v2.
    pub fn group(&self) -> Result<Option<Cgroup>> {
        let Some(path) = &self.cgroup else {
            return Ok(None);
        };
        let group = Cgroup::open(path)?;
        Ok(group.map(|group| Cgroup {
            made: self.made(),
            ..group
        }))
    }

    /// A `create` that was killed did not come to write down what it made: at least the group itself.
    fn made(&self) -> Vec<PathBuf> {
        match (&self.cgroup, self.process) {
            (Some(path), None) if self.cgroup_made.is_empty() => vec![path.clone()],
            _ => self.cgroup_made.clone(),
        }
    }
}
