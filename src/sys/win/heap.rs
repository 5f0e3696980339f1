//! The global allocator. On Linux it can be sealed, for the child of a clone; Windows has no such child.

pub use std::alloc::System as Sealable;
