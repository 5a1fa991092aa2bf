//! The key for addresses, in a file that only its owner can read.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use cutshort_store::DataDir;
use cutshort_store::durable::{sync_file, sync_name};

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
        let text = fs::read_to_string(path).map_err(AddressKeyError::Io)?;
        check_mode(path)?;
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

    fn random() -> io::Result<Self> {
        loop {
            let mut bytes = [0; LENGTH];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            if let Some(key) = Self::new(bytes) {
                return Ok(key);
            }
        }
    }

    /// Creates the file atomically, so that nobody reads half of a key.
    fn create(&self, path: &Path) -> io::Result<()> {
        let temporary = DataDir::temporary(path);
        let _ = fs::remove_file(&temporary);
        let written = self.write(&temporary).and_then(|()| fs::hard_link(&temporary, path));
        fs::remove_file(&temporary)?;
        written?;
        // Without it nobody can join what was encrypted before a loss of power with what comes later.
        sync_name(path)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut file = create_private(path)?;
        writeln!(file, "{digits}")?;
        sync_file(&file, path)
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

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), AddressKeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().map_err(AddressKeyError::Io)?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(AddressKeyError::Open) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), AddressKeyError> {
    Ok(())
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
