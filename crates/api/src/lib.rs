//! Counts and connections over HTTP.

pub mod answer;
mod problem;
pub mod question;

pub use problem::Problem;
