//! The footer of a Parquet file, checked before the `parquet` crate reads it.
//!
//! That crate follows the nesting of a schema by recursion without a limit, so that a file of 22 KB overflows the
//! stack and ends the process; see `docs/upstream.md`. A file may come from anybody (an upload, a file in the
//! store's directory), so this module reads its footer first. It accepts the structures of `parquet.thrift` that
//! flat files need, field by field, each with the type that it has there and at most once: with these rules two
//! readers cannot take the same bytes for different structures. It returns the schema's elements, and the caller
//! compares them with its own, and the number of row groups with what it expects.

use std::io::{Read, Seek, SeekFrom};

use parquet::schema::types::Type;

use crate::thrift::{
    self, BINARY, BYTE, FALSE, I16, I32, I64, LIST, STOP, STRUCT, TRUE, byte, next_field, varint, zigzag,
};

/// An element of a schema: its name, and how many elements are directly below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The name of the column or group.
    pub name: String,
    /// The number of elements directly below it; 0 for a column.
    pub children: usize,
}

/// The parts of a footer that are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// The elements of its schema, depth first.
    pub elements: Vec<Element>,
    /// The number of row groups. Reading each of them costs time, even if it has few rows.
    pub row_groups: usize,
}

/// The maximum number of elements in a schema.
const MOST_ELEMENTS: usize = 64;

/// The elements of a schema, depth first, as they are in a file.
#[must_use]
pub fn elements(schema: &Type) -> Vec<Element> {
    let fields = if schema.is_group() { schema.get_fields() } else { &[] };
    let own = Element { name: schema.name().to_owned(), children: fields.len() };
    std::iter::once(own).chain(fields.iter().flat_map(|field| elements(field))).collect()
}

/// Reads the footer of a Parquet file.
///
/// # Errors
/// A sentence about the file, which it calls "it": that it cannot be read, or what is wrong with its footer.
pub fn read(mut file: impl Read + Seek) -> Result<Footer, String> {
    const END: u64 = 8;
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    let short = || "it is too short for a Parquet file".to_owned();
    let len = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    let footer_end = len.checked_sub(END).ok_or_else(short)?;
    file.seek(SeekFrom::Start(footer_end)).map_err(unreadable)?;
    let mut end = [0; END as usize];
    file.read_exact(&mut end).map_err(unreadable)?;
    let [a, b, c, d, magic @ ..] = end;
    if magic != *b"PAR1" {
        return Err("it does not end as a Parquet file does".to_owned());
    }
    let footer_len = u64::from(u32::from_le_bytes([a, b, c, d]));
    let start = footer_end.checked_sub(footer_len).ok_or_else(short)?;
    file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    let mut footer = Vec::new();
    file.take(footer_len).read_to_end(&mut footer).map_err(unreadable)?;
    parse(&footer)
        .ok_or_else(|| "its footer is damaged, or has fields that this program does not know".to_owned())
}

fn parse(mut footer: &[u8]) -> Option<Footer> {
    let (mut schema, mut row_groups) = (None, None);
    walk_struct(&mut footer, FILE, |field, mut value| match field {
        SCHEMA_FIELD => schema = Some(value),
        GROUPS_FIELD => row_groups = thrift::list(&mut value).map(|(_, count)| count),
        _ => {}
    })?;
    Some(Footer { elements: schema_elements(schema?)?, row_groups: row_groups.unwrap_or(0) })
}

/// The elements in a list that has been checked.
fn schema_elements(mut list: &[u8]) -> Option<Vec<Element>> {
    let (_, count) = thrift::list(&mut list)?;
    (1..=MOST_ELEMENTS).contains(&count).then_some(())?;
    (0..count).map(|_| schema_element(&mut list)).collect()
}

fn schema_element(bytes: &mut &[u8]) -> Option<Element> {
    let (mut name, mut children) = (None, Some(0));
    walk_struct(bytes, ELEMENT, |field, mut value| match field {
        NAME_FIELD => name = thrift::binary(&mut value),
        CHILDREN_FIELD => children = zigzag(&mut value).and_then(|children| usize::try_from(children).ok()),
        _ => {}
    })?;
    Some(Element { name: std::str::from_utf8(name?).ok()?.to_owned(), children: children? })
}

/// The type of a value.
enum Shape {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Binary,
    List(&'static Self),
    Struct(Fields),
}

/// The fields of a structure: field IDs and types.
type Fields = &'static [(i64, Shape)];

impl Shape {
    const fn is(&self, kind: u8) -> bool {
        match self {
            Self::Bool => matches!(kind, TRUE | FALSE),
            Self::Byte => kind == BYTE,
            Self::I16 => kind == I16,
            Self::I32 => kind == I32,
            Self::I64 => kind == I64,
            Self::Binary => kind == BINARY,
            Self::List(_) => kind == LIST,
            Self::Struct(_) => kind == STRUCT,
        }
    }

    /// Skips a value. Recursion is bounded by the tables below, which are nested a few levels deep.
    fn walk(&self, bytes: &mut &[u8]) -> Option<()> {
        match self {
            Self::Bool => {}
            Self::Byte => drop(byte(bytes)?),
            Self::I16 | Self::I32 | Self::I64 => drop(varint(bytes)?),
            Self::Binary => drop(thrift::binary(bytes)?),
            Self::List(value) => {
                let (kind, count) = thrift::list(bytes)?;
                (count == 0 || value.is(kind)).then_some(())?;
                (0..count).try_for_each(|_| value.walk(bytes))?;
            }
            Self::Struct(fields) => walk_struct(bytes, fields, |_, _| ())?,
        }
        Some(())
    }
}

/// Skips a structure whose fields are in ascending order; `each` is called with each field ID and the bytes from its
/// value on.
fn walk_struct<'a>(bytes: &mut &'a [u8], fields: Fields, mut each: impl FnMut(i64, &'a [u8])) -> Option<()> {
    let mut field = 0;
    loop {
        let before = field;
        let kind = next_field(bytes, &mut field)?;
        if kind == STOP {
            return Some(());
        }
        let (_, shape) = fields.iter().find(|(number, _)| *number == field)?;
        (field > before && shape.is(kind)).then_some(())?;
        each(field, bytes);
        shape.walk(bytes)?;
    }
}

const SCHEMA_FIELD: i64 = 2;
const GROUPS_FIELD: i64 = 4;
const NAME_FIELD: i64 = 4;
const CHILDREN_FIELD: i64 = 5;

/// The fields of `FileMetaData`. Fields of encrypted files are left out here and below.
const FILE: Fields = &[
    (1, Shape::I32),
    (SCHEMA_FIELD, Shape::List(&Shape::Struct(ELEMENT))),
    (3, Shape::I64),
    (GROUPS_FIELD, Shape::List(&Shape::Struct(ROW_GROUP))),
    (5, Shape::List(&Shape::Struct(KEY_VALUE))),
    (6, Shape::Binary),
    (7, Shape::List(&Shape::Struct(COLUMN_ORDER))),
];

/// The fields of `SchemaElement`.
const ELEMENT: Fields = &[
    (1, Shape::I32),
    (2, Shape::I32),
    (3, Shape::I32),
    (NAME_FIELD, Shape::Binary),
    (CHILDREN_FIELD, Shape::I32),
    (6, Shape::I32),
    (7, Shape::I32),
    (8, Shape::I32),
    (9, Shape::I32),
    (10, Shape::Struct(LOGICAL_TYPE)),
];

/// The fields of `LogicalType`, as far as strings, lists, timestamps and integers need them.
const LOGICAL_TYPE: Fields = &[
    (1, Shape::Struct(&[])),
    (3, Shape::Struct(&[])),
    (8, Shape::Struct(&[(1, Shape::Bool), (2, Shape::Struct(TIME_UNIT))])),
    (10, Shape::Struct(&[(1, Shape::Byte), (2, Shape::Bool)])),
];

/// The fields of `TimeUnit`.
const TIME_UNIT: Fields = &[(1, Shape::Struct(&[])), (2, Shape::Struct(&[])), (3, Shape::Struct(&[]))];

/// The fields of `ColumnOrder`.
const COLUMN_ORDER: Fields = &[(1, Shape::Struct(&[])), (2, Shape::Struct(&[]))];

/// The fields of `KeyValue`.
const KEY_VALUE: Fields = &[(1, Shape::Binary), (2, Shape::Binary)];

/// The fields of `RowGroup`, and of the `SortingColumn` in it.
const ROW_GROUP: Fields = &[
    (1, Shape::List(&Shape::Struct(COLUMN_CHUNK))),
    (2, Shape::I64),
    (3, Shape::I64),
    (4, Shape::List(&Shape::Struct(&[(1, Shape::I32), (2, Shape::Bool), (3, Shape::Bool)]))),
    (5, Shape::I64),
    (6, Shape::I64),
    (7, Shape::I16),
];

/// The fields of `ColumnChunk`.
const COLUMN_CHUNK: Fields = &[
    (1, Shape::Binary),
    (2, Shape::I64),
    (3, Shape::Struct(COLUMN)),
    (4, Shape::I64),
    (5, Shape::I32),
    (6, Shape::I64),
    (7, Shape::I32),
];

/// The fields of `ColumnMetaData`, and of the `PageEncodingStats` in it.
const COLUMN: Fields = &[
    (1, Shape::I32),
    (2, Shape::List(&Shape::I32)),
    (3, Shape::List(&Shape::Binary)),
    (4, Shape::I32),
    (5, Shape::I64),
    (6, Shape::I64),
    (7, Shape::I64),
    (8, Shape::List(&Shape::Struct(KEY_VALUE))),
    (9, Shape::I64),
    (10, Shape::I64),
    (11, Shape::I64),
    (12, Shape::Struct(STATISTICS)),
    (13, Shape::List(&Shape::Struct(&[(1, Shape::I32), (2, Shape::I32), (3, Shape::I32)]))),
    (14, Shape::I64),
    (15, Shape::I32),
    (16, Shape::Struct(SIZES)),
];

/// The fields of `Statistics`.
const STATISTICS: Fields = &[
    (1, Shape::Binary),
    (2, Shape::Binary),
    (3, Shape::I64),
    (4, Shape::I64),
    (5, Shape::Binary),
    (6, Shape::Binary),
    (7, Shape::Bool),
    (8, Shape::Bool),
];

/// The fields of `SizeStatistics`.
const SIZES: Fields = &[(1, Shape::I64), (2, Shape::List(&Shape::I64)), (3, Shape::List(&Shape::I64))];
