//! cutshort-report
