//! Counts and connections over HTTP: the API of Cloudflare Radar, and more.
//!
//! [`question`] reads parameters and [`answer`] makes shares of counts; both know nothing of HTTP and serve the
//! command line as well. [`router`] puts them on routes, of which a table says everything: what is done, who may,
//! and the documentation, for programs ([`openapi`]) and for people.

pub mod answer;
pub mod ask;
mod cost;
mod dashboard;
mod http;
mod picture;
mod problem;
pub mod question;

pub use http::{App, Limits, Options, Parts, Rate, Scope, Token, TokenFile, Uploads, openapi, router, serve};
pub use problem::Problem;
