//! Opens a file of any supported format, which is detected from its content.

use std::io::Read;
use std::path::Path;

use crate::layer::Layer;
use crate::{GeoError, csv_file, mmdb_file, packed};

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// First bytes of other compressed files and archives.
const COMPRESSED: [&[u8]; 3] = [b"\xfd7zXZ", b"PK\x03\x04", b"BZh"];
/// A file does not become larger than this in bytes when it is unpacked.
const LARGEST: u64 = 2 << 30;

/// Reads the file, whatever it is.
pub(crate) fn open(path: &Path) -> Result<Layer, GeoError> {
    let bytes = std::fs::read(path).map_err(|error| GeoError::Read { path: path.to_owned(), error })?;
    let mut layer =
        unpacked(bytes).and_then(|bytes| read(&bytes)).map_err(|problem| GeoError::wrong(path, problem))?;
    for origin in &mut layer.origins {
        origin.path = Some(path.to_owned());
    }
    Ok(layer)
}

/// The content of a file that is compressed with gzip or zstd, or the file as it is.
fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if bytes.starts_with(GZIP) {
        unpack(flate2::read::MultiGzDecoder::new(&bytes[..]))
    } else if bytes.starts_with(ZSTD) {
        unpack(zstd::Decoder::with_buffer(&bytes[..]).map_err(|error| error.to_string())?)
    } else {
        Ok(bytes)
    }
}

fn unpack(reader: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = reader.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be unpacked: {error}"))?;
    if bytes.len() as u64 > LARGEST {
        return Err("larger than 2 GiB when unpacked".to_owned());
    }
    Ok(bytes)
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
        return Err("compressed in a form that is not read: unpack it first (gzip and zstd are read)".into());
    }
    // No text has these, but a MaxMind DB that lost its end begins like this.
    if bytes.iter().take(4096).any(|&byte| byte == 0) {
        return Err("neither text nor a whole MaxMind DB (its end is missing)".into());
    }
    csv_file::read(bytes)
}
