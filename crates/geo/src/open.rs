//! Opens a file of any supported format, which is detected from its content.

use std::path::Path;

use crate::layer::Layer;
use crate::{GeoError, csv_file, mmdb_file, packed};

/// First bytes of compressed files and archives.
const COMPRESSED: [&[u8]; 5] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"PK\x03\x04", b"BZh"];

/// Reads the file, whatever it is.
pub(crate) fn open(path: &Path) -> Result<Layer, GeoError> {
    let bytes = std::fs::read(path).map_err(|error| GeoError::Read { path: path.to_owned(), error })?;
    let mut layer = read(&bytes).map_err(|problem| GeoError::wrong(path, problem))?;
    for origin in &mut layer.origins {
        origin.path = Some(path.to_owned());
    }
    Ok(layer)
}

fn read(bytes: &[u8]) -> Result<Layer, String> {
    if bytes.trim_ascii().is_empty() {
        return Err("the file is empty".into());
    }
    if packed::is_packed(bytes) {
        return packed::read(bytes);
    }
    if mmdb_file::is_mmdb(bytes) {
        return mmdb_file::read(bytes);
    }
    if COMPRESSED.iter().any(|magic| bytes.starts_with(magic)) {
        return Err("the file is compressed: unpack it first".into());
    }
    // No text has these, but a MaxMind DB that lost its end begins like this.
    if bytes.iter().take(4096).any(|&byte| byte == 0) {
        return Err("neither text nor a whole MaxMind DB (its end is missing)".into());
    }
    csv_file::read(bytes)
}
