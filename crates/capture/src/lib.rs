//! cutshort-capture
