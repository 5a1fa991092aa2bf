//! cutshort-geo
