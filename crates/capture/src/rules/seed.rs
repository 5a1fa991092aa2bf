use std::fmt;
use std::io;
use std::path::Path;

use cutshort_files::private;

/// The secret of the sampling hash. Anybody who knows it could avoid the sample or aim at it, so it is never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(u32);

impl Seed {
    /// Creates a seed from a number other than 0, which means "none" to nft.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// A random one.
    pub(super) fn random() -> io::Result<Self> {
        loop {
            if let Some(seed) = Self::new(u32::from_ne_bytes(crate::random::bytes()?)) {
                return Ok(seed);
            }
        }
    }

    /// The number, for receivers that sample themselves.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Reads a file with one seed as eight hexadecimal digits, which only its owner may be able to read.
    ///
    /// # Errors
    /// [`SeedError`] says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, SeedError> {
        let text = private::read(path).map_err(SeedError::Io)?.ok_or(SeedError::Open)?;
        let digits = text.trim();
        let is_seed = digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_seed);
        number.and_then(Self::new).ok_or(SeedError::NoSeed)
    }
}

/// Does not print the number.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// Why there is no seed in a file.
#[derive(Debug)]
pub enum SeedError {
    /// The file cannot be read.
    Io(io::Error),
    /// Users other than its owner can read the file.
    Open,
    /// The file does not hold a seed.
    NoSeed,
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Open => f.write_str("can be read by others than its owner, but is a secret: chmod 600"),
            Self::NoSeed => f.write_str(
                "is not a seed: write eight hexadecimal digits, as from 'od -An -N4 -tx4 /dev/urandom', not all 0",
            ),
        }
    }
}

impl std::error::Error for SeedError {}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(text: &str, mode: u32) -> Result<Seed, SeedError> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("a file that can be written");
        file.as_file().set_permissions(Permissions::from_mode(mode)).expect("a mode that can be set");
        Seed::read(file.path())
    }

    #[test]
    fn a_seed_is_eight_digits_that_only_their_owner_can_read() {
        for text in ["1234abcd", " 1234ABCD\n"] {
            for mode in [0o600, 0o400] {
                assert_eq!(read(text, mode).unwrap(), Seed(0x1234_abcd), "{text}");
            }
        }
        for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
            assert!(matches!(read("1234abcd", mode), Err(SeedError::Open)), "{mode:o}");
        }
        for text in ["", "1234abc", "1234abcde", "00000000", "+1234abc", "seedseed", "1234 bcd"] {
            assert!(matches!(read(text, 0o600), Err(SeedError::NoSeed)), "{text}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Seed::read(&folder.path().join("missing")), Err(SeedError::Io(_))));
    }
}
