//! The house style, as tests. Each rule is a function from sources to complaints, so that it can be
//! tried on a small wrong input as well (`house_rules/tests.rs`); here each is put to the whole tree.
//! It judges text only: nothing of the product is linked or run.

/// Text into code, string literals and tokens: enough of Rust's grammar to count and to look for names.
#[path = "house_rules/scan.rs"]
mod scan;

/// The files of the checkout, and the paths written inside Rust files.
#[path = "house_rules/tree.rs"]
mod tree;

/// How long, how named, how introduced.
#[path = "house_rules/shape.rs"]
mod shape;

/// Who may import what, and where `unsafe` may stand.
#[path = "house_rules/walls.rs"]
mod walls;

/// Which room may know which.
#[path = "house_rules/layers.rs"]
mod layers;

/// Manifests, messages, and what must not be in any file.
#[path = "house_rules/paper.rs"]
mod paper;

/// Small wrong inputs, which show that each rule can fail.
#[cfg(test)]
#[path = "house_rules/tests.rs"]
mod tests;

use tree::{Source, sources, text_files};

/// Fails with every complaint on a line of its own.
fn none(complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "against the house rules:\n  {}",
        complaints.join("\n  ")
    );
}

/// Puts one rule to every Rust file.
fn each(rule: fn(&Source) -> Vec<String>) {
    let all = sources();
    assert!(all.len() > 2, "the sources were not found");
    none(&all.iter().flat_map(rule).collect::<Vec<_>>());
}

#[test]
fn no_file_is_over_400_lines() {
    each(shape::file_length);
}

#[test]
fn no_function_is_over_60_lines() {
    each(shape::function_length);
}

#[test]
fn long_tests_have_a_file_of_their_own() {
    each(shape::inline_tests);
}

#[test]
fn no_file_or_folder_has_a_name_that_says_nothing() {
    each(shape::file_name);
}

#[test]
fn no_type_has_a_suffix_that_says_nothing() {
    each(shape::type_names);
}

#[test]
fn every_folder_and_program_says_what_it_is() {
    each(shape::opening);
}

#[test]
fn every_mod_line_is_introduced() {
    each(shape::mod_lines);
}

#[test]
fn no_message_says_failed_to() {
    each(shape::wording);
}

#[test]
fn unsafe_stands_only_in_its_home() {
    each(walls::unsafe_home);
}

#[test]
fn every_unsafe_block_is_one_call_with_a_contract() {
    each(walls::unsafe_contract);
}

#[test]
fn no_room_knows_one_above_it() {
    each(layers::arrows);
}

#[test]
fn the_plan_asks_nothing() {
    each(walls::pure_plan);
}

#[test]
fn the_runtime_knows_no_engine() {
    each(walls::no_engine);
}

#[test]
fn the_child_has_no_heap_and_no_policy() {
    each(walls::bare_child);
}

#[test]
fn every_step_has_a_golden_message() {
    let Some(steps) = tree::read("src/linux/step.rs") else {
        return; // before the first step there is nothing to explain
    };
    none(&paper::steps_without_golden(&steps, &paper::goldens()));
}

#[test]
fn every_hint_is_in_a_golden_message() {
    let hints = tree::read("src/linux/hints.rs").unwrap_or_default();
    none(&paper::hints_without_golden(&hints, &paper::goldens()));
}

#[test]
fn every_broken_bundle_has_its_message() {
    none(&paper::broken_without_message());
}

#[test]
fn dependencies_are_few_and_each_has_its_reason() {
    for (manifest, most) in paper::MOST_DEPENDENCIES {
        let text = tree::read(manifest).unwrap_or_else(|| panic!("{manifest} is missing"));
        none(&paper::dependencies(manifest, &text, most));
    }
}

#[test]
fn the_lock_file_names_only_crates_io() {
    let lock = tree::read("Cargo.lock").unwrap_or_else(|| panic!("Cargo.lock is missing"));
    none(&paper::lock_sources(&lock));
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let places = paper::places_of_this_machine();
    let complaints: Vec<_> = text_files()
        .iter()
        .flat_map(|(path, text)| paper::local_names(path, text, &places))
        .collect();
    none(&complaints);
}
