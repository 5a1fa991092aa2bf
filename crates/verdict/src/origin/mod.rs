//! The rules of the data set `origin`: the connections that this host opens to other servers (docs/origin.md).

pub(crate) mod words;
