//! What `create` wrote about a container: a record that can be read is the same when it is written again.

use super::Depth;
use orbital::state::record;

pub(super) fn run(input: &[u8]) -> Depth {
    match record::from_bytes(input) {
        Ok(read) => {
            let written = record::from_bytes(&read.to_bytes());
            assert_eq!(written.as_ref(), Ok(&read));
            for kept in read.poststart.iter().chain(&read.poststop) {
                let _ = kept.hook();
            }
            Depth::Done
        }
        Err(why) => {
            assert!(!why.is_empty());
            Depth::Unread
        }
    }
}
