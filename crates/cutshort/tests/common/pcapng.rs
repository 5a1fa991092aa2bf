//! The blocks of a pcapng file, for files that are to be cut, split or doubled.

const ENHANCED_PACKET: u32 = 6;

/// A file as its first blocks, which describe it, and its records.
pub(crate) struct Blocks {
    pub(crate) head: Vec<u8>,
    pub(crate) records: Vec<Vec<u8>>,
}

impl Blocks {
    /// Reads little-endian files whose records come last, which all of tests/captures are.
    pub(crate) fn of(file: &[u8]) -> Self {
        let (mut head, mut records) = (Vec::new(), Vec::new());
        let mut rest = file;
        while !rest.is_empty() {
            let len = usize::try_from(word(rest, 4)).unwrap();
            let (block, after) = rest.split_at(len);
            match word(block, 0) {
                ENHANCED_PACKET => records.push(block.to_vec()),
                kind => {
                    assert!(records.is_empty(), "block type {kind} among the records");
                    head.extend_from_slice(block);
                }
            }
            rest = after;
        }
        Self { head, records }
    }

    /// A file of these records.
    pub(crate) fn file<'a>(&self, records: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
        records.into_iter().fold(self.head.clone(), |mut file, record| {
            file.extend_from_slice(record);
            file
        })
    }

    /// A file that has every record `times` times.
    pub(crate) fn repeated(&self, times: usize) -> Vec<u8> {
        self.file(self.records.iter().flat_map(|record| std::iter::repeat_n(record, times)))
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}
