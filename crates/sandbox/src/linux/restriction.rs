//! How much of a sandbox the kernel has.

use std::fmt;

/// How much of the sandbox the kernel supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restriction {
    Whole,
    /// The kernel knows only a part of it.
    Part,
    None,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "restricted",
            Self::Part => "partly restricted (older kernel)",
            Self::None => "not restricted (not supported by the kernel)",
        })
    }
}
