//! How large the pages of a column say that they are, before anything is unpacked.

/// The largest page that is unpacked, in bytes. Own pages are far smaller.
const MAX_PAGE: u64 = 1 << 23;

/// Whether the pages of a column chunk are of reasonable size and fill it.
pub(super) fn check(mut chunk: &[u8]) -> Result<(), String> {
    while !chunk.is_empty() {
        let header = Header::read(&mut chunk).ok_or("a page's header is damaged")?;
        if header.unpacked > MAX_PAGE {
            return Err(format!("a page of {} bytes is too large", header.unpacked));
        }
        let packed = usize::try_from(header.packed).ok();
        chunk = packed.and_then(|len| chunk.get(len..)).ok_or("a page reaches beyond its column")?;
    }
    Ok(())
}

/// Sizes in a page's header.
struct Header {
    unpacked: u64,
    packed: u64,
}

/// Fields of the header (parquet.thrift, `PageHeader`).
const UNPACKED: i64 = 2;
const PACKED: i64 = 3;

/// Types of the compact protocol of Thrift.
const STOP: u8 = 0;
const I32: u8 = 5;
const STRUCT: u8 = 12;

/// How deep structures nest at most.
const DEPTH: usize = 8;

impl Header {
    /// Reads a header and moves behind it.
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (mut unpacked, mut packed, mut field) = (None, None, 0);
        loop {
            let kind = next_field(bytes, &mut field)?;
            match (kind, field) {
                (STOP, _) => return Some(Self { unpacked: unpacked?, packed: packed? }),
                (I32, UNPACKED) => unpacked = Some(u64::try_from(zigzag(bytes)?).ok()?),
                (I32, PACKED) => packed = Some(u64::try_from(zigzag(bytes)?).ok()?),
                (kind, _) => skip(bytes, kind, DEPTH)?,
            }
        }
    }
}

/// The type of the next field of a structure; its number goes on from the one before.
fn next_field(bytes: &mut &[u8], field: &mut i64) -> Option<u8> {
    let head = byte(bytes)?;
    if head != STOP {
        *field = match head >> 4 {
            0 => zigzag(bytes)?,
            step => *field + i64::from(step),
        };
    }
    Some(head & 0xf)
}

/// Moves behind a value.
fn skip(bytes: &mut &[u8], kind: u8, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match kind {
        // True and false have no bytes; a byte, numbers, a double, bytes.
        1 | 2 => {}
        3 => drop(byte(bytes)?),
        4..=6 => drop(varint(bytes)?),
        7 => *bytes = bytes.get(8..)?,
        8 => *bytes = bytes.get(usize::try_from(varint(bytes)?).ok()?..)?,
        STRUCT => {
            let mut field = 0;
            loop {
                match next_field(bytes, &mut field)? {
                    STOP => break,
                    kind => skip(bytes, kind, depth)?,
                }
            }
        }
        // Lists, sets and maps do not occur in page headers.
        _ => return None,
    }
    Some(())
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(bytes)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    let value = varint(bytes)?;
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}
