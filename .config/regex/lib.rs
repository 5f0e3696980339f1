//! regex-lite under the name that oci-spec asks for: it has one small expression, for
//! `/process/execCPUAffinity`, and the full engine would be a seventh of orbital's binary.

pub use regex_lite::*;
