//! Encodes numbers as bytes (LEB128), and counts; and adds a checksum to everything.

use cutshort_verdict::WeightedCount;

/// Why bytes cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken(pub &'static str);

/// A decoded value, or why there is none.
pub type Unpacked<T> = Result<T, Broken>;

/// Writes a number.
pub fn put(out: &mut Vec<u8>, number: u64) {
    put_wide(out, u128::from(number));
}

fn put_wide(out: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes a count. Most counts have the sample rate `rate` throughout, so that one number is enough.
pub fn put_count(out: &mut Vec<u8>, count: &WeightedCount, rate: u64) {
    let regular = is_regular(count, rate);
    put_wide(out, u128::from(count.sampled) << 1 | u128::from(!regular));
    if !regular {
        put(out, count.weight);
        put_wide(out, count.squares);
    }
}

fn is_regular(count: &WeightedCount, rate: u64) -> bool {
    let weight = u128::from(count.sampled) * u128::from(rate);
    u128::from(count.weight) == weight && weight.checked_mul(u128::from(rate)) == Some(count.squares)
}

/// The sample rate of the largest count that has only one; 1 if there is none.
pub fn common_rate<'a>(counts: impl Iterator<Item = &'a WeightedCount>) -> u64 {
    let rate = |count: &WeightedCount| {
        count.weight.checked_div(count.sampled).filter(|rate| is_regular(count, *rate))
    };
    let rates = counts.filter_map(|count| Some((count.sampled, rate(count)?)));
    rates.max().map_or(1, |(_, rate)| rate)
}

/// Reads bytes from the front.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

const ENDS: Broken = Broken("it ends too early");
const TOO_LARGE: Broken = Broken("a number is too large");

/// Every function fails with [`Broken`] if the bytes end too early or a number is too large.
impl<'a> Reader<'a> {
    /// Whether everything has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads a byte.
    pub fn byte(&mut self) -> Unpacked<u8> {
        let (first, rest) = self.bytes.split_first().ok_or(ENDS)?;
        self.bytes = rest;
        Ok(*first)
    }

    /// Reads the next bytes.
    pub fn bytes(&mut self, length: usize) -> Unpacked<&'a [u8]> {
        let (front, rest) = self.bytes.split_at_checked(length).ok_or(ENDS)?;
        self.bytes = rest;
        Ok(front)
    }

    /// Reads the next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Unpacked<[u8; N]> {
        let (front, rest) = self.bytes.split_first_chunk().ok_or(ENDS)?;
        self.bytes = rest;
        Ok(*front)
    }

    /// Splits off the next bytes.
    pub fn split(&mut self, length: usize) -> Unpacked<Self> {
        Ok(Self { bytes: self.bytes(length)? })
    }

    /// Reads a number.
    #[inline]
    pub fn number(&mut self) -> Unpacked<u64> {
        match *self.bytes {
            [first, ref rest @ ..] if first < 0x80 => {
                self.bytes = rest;
                Ok(u64::from(first))
            }
            [first, second, ref rest @ ..] if second < 0x80 => {
                self.bytes = rest;
                Ok(u64::from(first & 0x7f) | u64::from(second) << 7)
            }
            _ => self.wide().and_then(|number| u64::try_from(number).map_err(|_| TOO_LARGE)),
        }
    }

    /// Reads a number of items that take at least one byte each.
    pub fn length(&mut self) -> Unpacked<usize> {
        let length = usize::try_from(self.number()?).map_err(|_| TOO_LARGE)?;
        if length <= self.bytes.len() { Ok(length) } else { Err(ENDS) }
    }

    fn wide(&mut self) -> Unpacked<u128> {
        let mut number = 0;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(TOO_LARGE);
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(TOO_LARGE)
    }

    /// Reads what [`put_count`] wrote with the same rate.
    #[inline]
    pub fn count(&mut self, rate: u64) -> Unpacked<WeightedCount> {
        let first = self.number()?;
        let sampled = first >> 1;
        if first & 1 == 0 {
            let weight = sampled.wrapping_mul(rate);
            return Ok(WeightedCount { sampled, weight, squares: u128::from(weight) * u128::from(rate) });
        }
        Ok(WeightedCount { sampled, weight: self.number()?, squares: self.wide()? })
    }
}

const SUM: usize = 4;

/// Writes a format's version and a checksum, followed by what `write` writes.
pub fn seal(version: u8, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![version; 1 + SUM];
    write(&mut out);
    let sum = crc32fast::hash(&out[1 + SUM..]).to_le_bytes();
    out[1..=SUM].copy_from_slice(&sum);
    out
}

/// Checks version and checksum, and returns the content.
///
/// # Errors
/// [`Broken`] if either is wrong.
pub fn open(version: u8, bytes: &[u8]) -> Unpacked<Reader<'_>> {
    let [found, sum @ ..] = bytes else { return Err(ENDS) };
    if *found != version {
        return Err(Broken("its format is unknown: a newer version of cutshort may have written it"));
    }
    let (sum, body) = sum.split_first_chunk::<SUM>().ok_or(ENDS)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return Err(Broken("its checksum is wrong"));
    }
    Ok(Reader { bytes: body })
}

/// Writes ascending numbers as differences.
pub fn put_rising(out: &mut Vec<u8>, numbers: &[u64]) {
    put(out, numbers.len() as u64);
    numbers.iter().fold(0, |last, &number| {
        put(out, number - last);
        number
    });
}

impl Reader<'_> {
    /// Reads what [`put_rising`] wrote; each number is at most `max`.
    pub fn rising(&mut self, max: u64) -> Unpacked<Vec<u64>> {
        let length = self.length()?;
        let mut last = 0_u64;
        (0..length).map(|_| Ok(*self.next_after(&mut last, max)?)).collect()
    }

    /// Adds the next difference to `last`.
    pub fn next_after<'b>(&mut self, last: &'b mut u64, max: u64) -> Unpacked<&'b u64> {
        *last = last.checked_add(self.number()?).filter(|number| *number <= max).ok_or(TOO_LARGE)?;
        Ok(last)
    }
}
