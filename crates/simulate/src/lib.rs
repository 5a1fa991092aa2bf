//! cutshort-simulate
