//! Counts and connections over HTTP.
