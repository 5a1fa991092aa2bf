//! Counts and connections over HTTP: the API of Cloudflare Radar, and more.
//!
//! [`question`] parses parameters and [`answer`] computes shares from counts; neither knows about HTTP, and the
//! command line uses both as well. [`text`] writes answers as tables. [`router`] serves them, from a table of endpoints
//! that also defines access and documentation, for programs ([`openapi`]) and for people.

pub mod answer;
pub mod ask;
mod cost;
mod dashboard;
mod http;
pub mod page;
mod picture;
mod problem;
pub mod question;
pub mod text;

pub use http::{
    App, Limits, LocalCollector, MetricPlace, Options, Parts, Rate, Scope, Token, TokenFile, Uploads,
    openapi, router, serve,
};
pub use problem::Problem;
