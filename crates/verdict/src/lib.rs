//! cutshort-verdict
