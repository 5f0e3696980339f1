//! The child's steps, in the order in which they are declared: `--debug` reports each as it passes.

use crate::case::{Case, Need};
use crate::check::{Outcome, ensure, same};
use crate::lab::Lab;

pub(super) const CASES: &[Case] = &[Case::new("pass-once-each-in-declared-order", in_order)
    .needs(&[Need::Root, Need::CgroupV2, Need::OrbitalOnly])];

fn in_order(lab: &Lab) -> Outcome {
    let bundle = lab.bundle(|spec| {
        spec.args(&["/bin/true"]);
    })?;
    let id = lab.id("traced");
    let said = lab
        .call(&["--debug", "run", "--bundle", bundle.arg(), &id])
        .ok()?;
    let number = |line: &str| {
        let (_, after) = line.split_once("msg=\"step ")?;
        after.split(' ').next()?.parse::<u32>().ok()
    };
    let steps: Vec<u32> = said.err.lines().filter_map(number).collect();
    let mut sorted = steps.clone();
    sorted.sort_unstable();
    sorted.dedup();
    same("order", &steps, &sorted)?;
    ensure!(
        steps.len() > 25,
        "only {} steps were reported: {}",
        steps.len(),
        said.err
    );
    Ok(())
}
