//! Who may do what: tokens, of which only hashes are kept.

use std::fmt::Write;
#[cfg(unix)]
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutshort_store::durable::{sync_file, sync_name};
use cutshort_store::{DataDir, FileVersion};
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
    /// The only node whose segments it allows to send; without it those of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
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
        DataDir::new(data).tokens()
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

    /// Writes a file as a whole or not at all. Owner and mode stay those of the file before: a server that runs as
    /// another user must be able to read it. A new file is for the owner of its folder only.
    ///
    /// # Errors
    /// What the file system gives, also that the owner cannot be kept; then nothing has changed.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        // Its permissions are those of temporary files: for its owner only.
        let temporary = DataDir::temporary(path);
        let name = temporary.file_name().unwrap_or_default();
        let mut file = tempfile::Builder::new().prefix(name).tempfile_in(folder)?;
        io::Write::write_all(&mut file, format!("{HEAD}{text}").as_bytes())?;
        #[cfg(unix)]
        keep_owner(file.as_file(), path, folder)?;
        sync_file(file.as_file(), file.path())?;
        file.persist(path)?;
        sync_name(path)
    }

    /// Adds a new token and gives it: it is not kept. If it allows sending packets, `node` may be the only node whose
    /// packets these are.
    ///
    /// # Errors
    /// That there is one with the name, or that the system has no random numbers.
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
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| format!("no random numbers: {error}"))?;
        let token = format!("{PREFIX}{}", hexadecimal(&secret));
        self.token.push(Token {
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            node: node.map(str::to_owned),
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

/// Gives a file the owner and mode of the one that it replaces, or the owner of its folder if it is new.
#[cfg(unix)]
fn keep_owner(file: &File, path: &Path, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let before = match std::fs::metadata(path) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let own = file.metadata()?;
    let model = before.as_ref().map_or_else(|| std::fs::metadata(folder), |before| Ok(before.clone()))?;
    if (own.uid(), own.gid()) != (model.uid(), model.gid()) {
        let kept = fchown(file, Some(model.uid()), Some(model.gid()));
        match (kept, &before) {
            (Ok(()), _) => {}
            // Whoever may write in a folder of others makes files of their own.
            (Err(error), None) if error.kind() == io::ErrorKind::PermissionDenied => {}
            (Err(error), _) => {
                let why = format!(
                    "its owner (user {}) cannot be kept: {error}; run this as that user",
                    model.uid()
                );
                return Err(io::Error::new(error.kind(), why));
            }
        }
    }
    before.map_or(Ok(()), |before| file.set_permissions(before.permissions()))
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

/// The tokens of a file, which is read again when it has changed. While it cannot be read, no token is accepted:
/// nobody knows which ones were revoked.
pub(super) struct Tokens {
    path: Option<PathBuf>,
    inner: Mutex<Known>,
}

/// What is known of a file.
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

    /// The token that a secret belongs to; none if it is no token.
    pub(super) fn find(&self, secret: &str) -> Result<Option<Token>, Unreadable> {
        let known = self.known();
        if known.trouble.is_some() {
            return Err(Unreadable);
        }
        let file = Arc::clone(&known.file);
        drop(known);
        Ok(file.find(secret).cloned())
    }

    /// Why no token is accepted, if that is so.
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
