//! The key for addresses, in a file that only its owner can read.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use cutshort_files::private;
use cutshort_packet::quic::HashKey;

/// The length of a key in bytes.
const LENGTH: usize = 32;

/// The secret with which addresses are encrypted. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct AddressKey([u8; LENGTH]);

impl AddressKey {
    /// A key of 32 bytes; none if both halves are equal.
    #[must_use]
    pub fn new(bytes: [u8; LENGTH]) -> Option<Self> {
        let (one, other) = bytes.split_at(LENGTH / 2);
        (one != other).then_some(Self(bytes))
    }

    /// Reads a key from a file with 64 hexadecimal digits, which only its owner may be able to read.
    ///
    /// # Errors
    /// [`AddressKeyError`] says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, AddressKeyError> {
        let text = private::read(path).map_err(AddressKeyError::Io)?.ok_or(AddressKeyError::Open)?;
        from_digits(text.trim()).and_then(Self::new).ok_or(AddressKeyError::NoKey)
    }

    /// Reads a key from a file. If the file is missing, creates it with a random key and returns true.
    ///
    /// # Errors
    /// [`AddressKeyError`] says what is wrong with the file, or why it cannot be created.
    pub fn read_or_create(path: &Path) -> Result<(Self, bool), AddressKeyError> {
        match Self::read(path) {
            Err(AddressKeyError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read.map(|key| (key, false)),
        }
        let key = Self::random().map_err(AddressKeyError::Io)?;
        match key.create(path) {
            Ok(()) => Ok((key, true)),
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::read(path).map(|key| (key, false))
            }
            Err(error) => Err(AddressKeyError::Io(error)),
        }
    }

    /// The same, with an error that names the file.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn open(path: &Path) -> Result<(Self, bool), KeyFileError> {
        Self::read_or_create(path).map_err(|error| KeyFileError { path: path.to_owned(), error })
    }

    fn random() -> io::Result<Self> {
        loop {
            let mut bytes = [0; LENGTH];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            if let Some(key) = Self::new(bytes) {
                return Ok(key);
            }
        }
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        // Without it nobody can join what was encrypted before a power loss with what comes later.
        private::create(path, &format!("{digits}\n"))
    }

    /// The key for hashes of connection ids. It is secret as well, and a store has one of its own for them.
    #[must_use]
    pub fn hash_key(&self) -> HashKey {
        let (half, _) = self.0.split_at(LENGTH / 2);
        HashKey::new(half.try_into().unwrap_or_default())
    }

    pub(super) const fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

fn from_digits(digits: &str) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    if digits.len() != 2 * LENGTH || !digits.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(bytes)
}

/// Does not print the key.
impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressKey(..)")
    }
}

/// Why there is no key in a file.
#[derive(Debug)]
pub enum AddressKeyError {
    /// The file cannot be read or created.
    Io(io::Error),
    /// Users other than its owner can read the file.
    Open,
    /// The file does not hold a key.
    NoKey,
}

impl fmt::Display for AddressKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Open => f.write_str("can be read by others than its owner, and is a secret: chmod 600"),
            Self::NoKey => f.write_str(
                "is no key for addresses: 64 hexadecimal digits, of which the two halves differ; if the file is missing, one is made",
            ),
        }
    }
}

impl std::error::Error for AddressKeyError {}

/// A key file that cannot be read or created.
#[derive(Debug)]
pub struct KeyFileError {
    path: PathBuf,
    error: AddressKeyError,
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for KeyFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
