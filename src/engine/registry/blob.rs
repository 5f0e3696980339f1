//! A blob to its end: where the connection is cut, it goes on with Range from what is there.

use super::Client;
use super::http::{Answer, pause};
use crate::engine::store::Partial;
use crate::error::Result;
use std::io::Read;
use std::thread::sleep;

/// How often it begins again without a single new byte.
const MOST_TRIES: u32 = 5;

/// How often at all: a server that sends a byte at a time does not hold us for ever.
const MOST_CUTS: u32 = 200;

impl Client {
    /// Reads the blob into `partial`, behind what is there already. `grown` is told how much there is.
    ///
    /// # Errors
    /// What the registry answers at last; more bytes than there may be; a full disk.
    pub fn blob(&self, partial: &mut Partial, grown: &mut dyn FnMut(u64)) -> Result<()> {
        let doing = "fetch a blob";
        let path = format!("blobs/{}", partial.wanted().digest);
        let (mut idle, mut cuts) = (0, 0);
        while partial.length() < partial.wanted().size || partial.wanted().size == 0 && cuts == 0 {
            let before = partial.length();
            let cut = self.once(doing, &path, partial, grown)?;
            if partial.length() == partial.wanted().size {
                break;
            }
            cuts += 1;
            idle = if partial.length() > before {
                0
            } else {
                idle + 1
            };
            if idle >= MOST_TRIES || cuts >= MOST_CUTS {
                let (came, size) = (partial.length(), partial.wanted().size);
                let why = format!(
                    "the connection ends after {came} of {size} bytes, again and again: {cut}"
                );
                return Err(self.failed(doing, &path, why));
            }
            sleep(pause(idle.max(1)));
        }
        Ok(())
    }

    /// One connection. What cut it, if anything did.
    fn once(
        &self,
        doing: &str,
        path: &str,
        partial: &mut Partial,
        grown: &mut dyn FnMut(u64),
    ) -> Result<String> {
        let from = partial.length();
        let range = format!("bytes={from}-");
        let headers: &[(&str, &str)] = if from > 0 { &[("Range", &range)] } else { &[] };
        let mut answer = self.get(doing, path, headers)?;
        if answer.status() == 416 {
            partial.restart()?;
            return Ok("it has no such range".to_owned());
        }
        self.expect(doing, path, &mut answer, &[200, 206])?;
        if from > 0 && !continues(&answer, from) {
            // It knows no ranges, or has another one: from the beginning.
            partial.restart()?;
            if answer.status() == 206 {
                return Ok("it sends another range".to_owned());
            }
        }
        let mut body = answer.body();
        let mut buffer = vec![0; 128 << 10];
        loop {
            match body.read(&mut buffer) {
                Ok(0) => return Ok("it ends early".to_owned()),
                Ok(count) => {
                    partial.push(buffer.get(..count).unwrap_or_default())?;
                    grown(partial.length());
                }
                Err(error) => return Ok(error.to_string()),
            }
        }
    }
}

/// Whether the answer goes on at `from`: RFC 9110, Content-Range.
fn continues(answer: &Answer, from: u64) -> bool {
    let start = format!("bytes {from}-");
    answer.status() == 206
        && answer
            .header("Content-Range")
            .is_some_and(|range| range.starts_with(&start))
}
