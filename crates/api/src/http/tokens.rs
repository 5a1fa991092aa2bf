//! Access tokens, of which only hashes are stored.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutshort_files::private;
use cutshort_store::{DataDir, FileVersion};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The permission that a token gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Reading answers and single connections.
    Read,
    /// Creating and removing annotations, and deciding about events.
    Write,
    /// Sending packets, as agents do.
    Ingest,
}

impl Scope {
    /// All scopes, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Ingest];

    /// The name in files and arguments.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Ingest => "ingest",
        }
    }
}

/// A token as it is stored: only its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The name by which it can be revoked.
    pub name: String,
    /// The permissions that it gives.
    pub scopes: Vec<Scope>,
    /// The only node whose segments may be sent with it; any node if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The time when it was created.
    pub created: String,
    /// The SHA-256 of the token in hexadecimal digits.
    pub sha256: String,
}

/// All tokens of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFile {
    /// The tokens, in the order in which they were created.
    #[serde(default)]
    pub token: Vec<Token>,
}

/// The comment at the top of the file.
const HEAD: &str = "# Tokens of cutshort's API. Only their SHA-256 is here; the tokens themselves are nowhere.\n\
                    # Made by 'cutshort token create', removed by 'cutshort token revoke'.\n\n";
/// The prefix of tokens, by which they are recognised if they turn up in the wrong place.
const PREFIX: &str = "cutshort_";

impl TokenFile {
    /// The path of the file in a data directory.
    #[must_use]
    pub fn path(data: &Path) -> PathBuf {
        DataDir::new(data).tokens()
    }

    /// Reads a file; a missing file has no tokens.
    ///
    /// # Errors
    /// The file cannot be read, or is not valid; the text names the line.
    pub fn read(path: &Path) -> io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| io::Error::other(format!("{}: {error}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    /// Writes a file atomically. Owner and mode of a previous file are kept, because a server that runs as another
    /// user must be able to read it. Only the owner of the directory can read a new file.
    ///
    /// # Errors
    /// The error of the file system, also if the owner cannot be kept. Nothing has changed then.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        private::replace(path, &format!("{HEAD}{text}"))
    }

    /// Adds a new token with these scopes, each once, and returns it; it is not stored. If it allows sending packets, `node` may restrict it to
    /// packets of one node.
    ///
    /// # Errors
    /// A token with this name exists, or the system has no random numbers.
    pub fn create(
        &mut self,
        name: &str,
        scopes: &[Scope],
        node: Option<&str>,
        now: &str,
    ) -> Result<String, String> {
        if self.token.iter().any(|token| token.name == name) {
            return Err(format!(
                "there is a token called '{name}' already: revoke it, or choose another name"
            ));
        }
        let mut each = Vec::new();
        for scope in scopes {
            if !each.contains(scope) {
                each.push(*scope);
            }
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| format!("no random numbers: {error}"))?;
        let token = format!("{PREFIX}{}", hexadecimal(&secret));
        self.token.push(Token {
            name: name.to_owned(),
            scopes: each,
            node: node.map(str::to_owned),
            created: now.to_owned(),
            sha256: hexadecimal(&Sha256::digest(token.as_bytes())),
        });
        Ok(token)
    }

    /// Removes a token; false if there is none with this name.
    pub fn revoke(&mut self, name: &str) -> bool {
        let before = self.token.len();
        self.token.retain(|token| token.name != name);
        self.token.len() < before
    }

    /// Finds the token with a secret. All tokens and all digits are compared, so that the time taken reveals nothing.
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

/// The tokens of a file, which is reloaded when it changes. While it cannot be read, no token is accepted, because
/// some may have been revoked.
pub(super) struct Tokens {
    path: Option<PathBuf>,
    inner: Mutex<Known>,
}

/// The contents of a file when it was last read.
#[derive(Default)]
struct Known {
    version: Option<FileVersion>,
    file: Arc<TokenFile>,
    /// Why it cannot be read.
    trouble: Option<String>,
}

/// The file cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable;

impl Tokens {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { path, inner: Mutex::default() }
    }

    /// Finds the token with a secret; none if there is none.
    pub(super) fn find(&self, secret: &str) -> Result<Option<Token>, Unreadable> {
        let known = self.known();
        if known.trouble.is_some() {
            return Err(Unreadable);
        }
        let file = Arc::clone(&known.file);
        drop(known);
        Ok(file.find(secret).cloned())
    }

    /// Why no token is accepted at present, if so.
    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = self.known().trouble.is_some();
        trouble.then(|| {
            "the file of tokens cannot be read, so no token is accepted; the log says why".to_owned()
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        let mut known = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.path {
            known.refresh(path);
        }
        known
    }
}

impl Known {
    fn refresh(&mut self, path: &Path) {
        let version = FileVersion::of(path);
        if version == self.version && self.trouble.is_none() {
            return;
        }
        match TokenFile::read(path) {
            Ok(file) => *self = Self { version, file: Arc::new(file), trouble: None },
            Err(error) => {
                let trouble = error.to_string();
                if self.trouble.as_ref() != Some(&trouble) {
                    tracing::error!(
                        "no token is accepted until this is fixed: {trouble}; {}",
                        advice(&error)
                    );
                }
                *self = Self { version, file: Arc::default(), trouble: Some(trouble) };
            }
        }
    }
}

/// What to do about a file that cannot be read.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "give it to the user that this server runs as (chown)",
        _ => "correct it, or remove it and make new tokens with 'cutshort token create'",
    }
}
