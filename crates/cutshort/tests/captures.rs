//! x
use csv as _;
use flate2 as _;
use liblzma as _;
use parquet as _;
use serde_json as _;
use snapbox as _;
use toml as _;
use trycmd as _;
use zstd as _;
