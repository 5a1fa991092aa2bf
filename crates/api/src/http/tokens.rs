//! Who may do what: tokens, of which only hashes are kept.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Reading.
    Read,
    /// Writing annotations.
    Write,
    /// Sending packets.
    Ingest,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Ingest];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Ingest => "ingest",
        }
    }
}

/// A token as it is kept: without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What it is called.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created: String,
    /// The SHA-256 of the token in hexadecimal digits.
    pub sha256: String,
}

/// All tokens of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFile {
    /// The tokens, in the order in which they were made.
    #[serde(default)]
    pub token: Vec<Token>,
}

/// What stands above the tokens in their file.
const HEAD: &str = "# Tokens of cutshort's API. Only their SHA-256 is here; the tokens themselves are nowhere.\n\
                    # Made by 'cutshort token create', removed by 'cutshort token revoke'.\n\n";
/// What tokens begin with, so that they are known when they turn up where they should not.
const PREFIX: &str = "cutshort_";

impl TokenFile {
    /// The file in a store's folder.
    #[must_use]
    pub fn path(data: &Path) -> PathBuf {
        data.join("tokens.toml")
    }

    /// Reads a file; a missing one has no tokens.
    ///
    /// # Errors
    /// That it cannot be read, and where it is wrong.
    pub fn read(path: &Path) -> io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| io::Error::other(format!("{}: {error}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    /// Writes a file that only its owner can read, as a whole or not at all.
    ///
    /// # Errors
    /// What the file system gives.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        // Its permissions are those of temporary files: for its owner only.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, format!("{HEAD}{text}").as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// Adds a new token and gives it: it is not kept.
    ///
    /// # Errors
    /// That there is one with the name, or that the system has no random numbers.
    pub fn create(&mut self, name: &str, scopes: &[Scope], now: &str) -> Result<String, String> {
        if self.token.iter().any(|token| token.name == name) {
            return Err(format!(
                "there is a token called '{name}' already: revoke it, or choose another name"
            ));
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| format!("no random numbers: {error}"))?;
        let token = format!("{PREFIX}{}", hexadecimal(&secret));
        self.token.push(Token {
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            created: now.to_owned(),
            sha256: hexadecimal(&Sha256::digest(token.as_bytes())),
        });
        Ok(token)
    }

    /// Removes a token; false if there is none of the name.
    pub fn revoke(&mut self, name: &str) -> bool {
        let before = self.token.len();
        self.token.retain(|token| token.name != name);
        self.token.len() < before
    }

    /// The one that a secret belongs to. All are looked at, and all digits, so that time tells nothing.
    fn find(&self, secret: &str) -> Option<&Token> {
        let digest = hexadecimal(&Sha256::digest(secret.as_bytes()));
        self.token
            .iter()
            .fold(None, |found, token| if same(&token.sha256, &digest) { Some(token) } else { found })
    }
}

fn same(a: &str, b: &str) -> bool {
    let different = a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && different == 0
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The tokens of a file, which is read again when it has changed.
pub(super) struct Tokens {
    path: Option<PathBuf>,
    inner: Mutex<(Option<Version>, Arc<TokenFile>)>,
}

/// Which state of a file was read: clocks of file systems are coarse.
type Version = (Option<SystemTime>, u64, u64);

fn version(path: &Path) -> Option<Version> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    Some((metadata.modified().ok(), metadata.len(), number))
}

impl Tokens {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { path, inner: Mutex::default() }
    }

    /// What a secret allows; none if it is no token.
    pub(super) fn scopes(&self, secret: &str) -> Option<Vec<Scope>> {
        self.file().find(secret).map(|token| token.scopes.clone())
    }

    fn file(&self) -> Arc<TokenFile> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = &self.path else { return Arc::clone(&inner.1) };
        let changed = version(path);
        if changed != inner.0 {
            match TokenFile::read(path) {
                Ok(file) => *inner = (changed, Arc::new(file)),
                // Those of before hold until it is mended.
                Err(error) => tracing::warn!("tokens: {error}"),
            }
        }
        Arc::clone(&inner.1)
    }
}
