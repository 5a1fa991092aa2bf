//! Thrift's compact protocol, as far as Parquet uses it: bounded reads that refuse what does not fit.
//!
//! Each function takes what it reads off the front of `bytes` and returns `None` if the bytes are damaged or
//! end too early.

/// Ends a structure.
pub const STOP: u8 = 0;
/// `true` as a field of a structure, which has no bytes of its own.
pub const TRUE: u8 = 1;
/// `false` as a field of a structure, which has no bytes of its own.
pub const FALSE: u8 = 2;
/// A number of 8 bits.
pub const BYTE: u8 = 3;
/// A number of 16 bits.
pub const I16: u8 = 4;
/// A number of 32 bits.
pub const I32: u8 = 5;
/// A number of 64 bits.
pub const I64: u8 = 6;
/// A floating-point number of eight bytes.
pub const DOUBLE: u8 = 7;
/// A length, followed by as many bytes.
pub const BINARY: u8 = 8;
/// A type and a number of values, followed by the values.
pub const LIST: u8 = 9;
/// Fields with types and field IDs.
pub const STRUCT: u8 = 12;

/// Reads the type of the next field of a structure. `field` is the ID of the previous field, and becomes the ID of
/// this one.
pub fn next_field(bytes: &mut &[u8], field: &mut i64) -> Option<u8> {
    let head = byte(bytes)?;
    if head != STOP {
        *field = match head >> 4 {
            0 => zigzag(bytes)?,
            step => field.checked_add(step.into())?,
        };
    }
    Some(head & 0xf)
}

/// Skips a value. Structures nest at most `depth` deep, and have no lists, sets or maps.
pub fn skip(bytes: &mut &[u8], kind: u8, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match kind {
        TRUE | FALSE => {}
        BYTE => drop(byte(bytes)?),
        I16 | I32 | I64 => drop(varint(bytes)?),
        DOUBLE => *bytes = bytes.get(8..)?,
        BINARY => drop(binary(bytes)?),
        STRUCT => {
            let mut field = 0;
            loop {
                match next_field(bytes, &mut field)? {
                    STOP => break,
                    kind => skip(bytes, kind, depth)?,
                }
            }
        }
        _ => return None,
    }
    Some(())
}

/// Reads the type of a list's values and their number, which is at most the number of bytes left, because each value
/// takes at least one.
pub fn list(bytes: &mut &[u8]) -> Option<(u8, usize)> {
    let head = byte(bytes)?;
    let count = match head >> 4 {
        0xf => usize::try_from(varint(bytes)?).ok()?,
        count => count.into(),
    };
    (count <= bytes.len()).then_some((head & 0xf, count))
}

/// Reads a length and as many bytes.
pub fn binary<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(varint(bytes)?).ok()?;
    let (value, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(value)
}

/// Reads one byte.
pub fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

/// Reads an unsigned number: seven bits per byte, in at most ten bytes.
pub fn varint(bytes: &mut &[u8]) -> Option<u64> {
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

/// Reads a signed number.
pub fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    let value = varint(bytes)?;
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}
