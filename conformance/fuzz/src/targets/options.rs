//! The options of a mount, alone: a word is obeyed, is data for the file system, or is refused at its place.

use super::Depth;
use orbital::error::Object;
use orbital::plan::options;

pub(super) fn run(input: &[u8]) -> Depth {
    let words: Vec<String> = input
        .split(|byte| *byte == b'\n')
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    match options::parse(&words, &"/mounts/0/options".into()) {
        Ok(parsed) => {
            for option in parsed.data.iter().chain(&parsed.superblock) {
                assert!(
                    usize::from(option.index) < words.len(),
                    "an option from nowhere"
                );
            }
            Depth::Done
        }
        Err(error) => {
            super::check_report(&error);
            let Object::Config { pointer, .. } = &error.report().object else {
                panic!("no place: {}", error.one_line());
            };
            let index = pointer.as_str().strip_prefix("/mounts/0/options/");
            let index = index.and_then(|index| index.parse::<usize>().ok());
            assert!(
                index.is_none_or(|index| index < words.len()),
                "{}",
                error.one_line()
            );
            Depth::Refused
        }
    }
}
